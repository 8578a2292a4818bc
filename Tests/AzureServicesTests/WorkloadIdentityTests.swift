import AzureServices
import BrokerCore
import BrokerTestKit
import Glibc
import HTTPTransport
import Testing

/// A file that a test may rewrite; removed when the value goes away.
final class TokenFile: Sendable {
    let path: String

    init(_ content: String) {
        path = "/tmp/broker-federated-token-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        write(content)
    }

    func write(_ content: String) {
        guard let file = fopen(path, "w") else { return }
        fputs(content, file)
        fclose(file)
    }

    deinit { unlink(path) }
}

@Suite("Workload identity") struct WorkloadIdentityTests {
    private func environment(_ file: TokenFile, _ more: [String: String] = [:]) -> [String: String] {
        ["AZURE_CLIENT_ID": "11111111-aaaa", "AZURE_TENANT_ID": "22222222-bbbb", "AZURE_FEDERATED_TOKEN_FILE": file.path].merging(more) {
            $1
        }
    }

    private let entraAnswer = answer(
        200, #"{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"canary-access-token"}"#)

    @Test("exchanges the federated token with a form") func form() async throws {
        let file = TokenFile("a.b.c\n")
        let fixture = try IdentityFixture(environment: environment(file), script: [.success(entraAnswer)])
        #expect(try await fixture.token() == canary)
        let request = try #require(fixture.transport.requests.first)
        #expect(request.target == .service(try Endpoint("login.microsoftonline.com")))
        #expect(request.path == "/22222222-bbbb/oauth2/v2.0/token")
        #expect(request.method == .post)
        #expect(request.headers.contains { $0 == ("Content-Type", "application/x-www-form-urlencoded") })
        #expect(
            String(decoding: request.body ?? [], as: UTF8.self)
                == "client_id=11111111-aaaa&scope=https%3A%2F%2Fvault.azure.net%2F.default&grant_type=client_credentials"
                + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=a.b.c")
    }

    @Test("C2: a FIFO in the file's place is an error, not a wait") func pipe() async throws {
        let file = TokenFile("")
        unlink(file.path)
        try #require(mkfifo(file.path, 0o600) == 0)
        let fixture = try IdentityFixture(environment: environment(file), script: [])
        let error = await fixture.failure()
        #expect(error?.code == .identityFailed && error?.message.contains("is not a regular file") == true, "\(String(describing: error))")
    }

    @Test("reads the file again at each exchange") func rotation() async throws {
        let file = TokenFile("first.a.b")
        let fixture = try IdentityFixture(environment: environment(file), script: [.success(entraAnswer), .success(entraAnswer)])
        _ = try await fixture.token()
        file.write("  second.a.b\r\n")
        fixture.clock.advance(by: 3600)
        _ = try await fixture.token()
        let bodies = fixture.transport.requests.map { String(decoding: $0.body ?? [], as: UTF8.self) }
        #expect(bodies.first?.hasSuffix("client_assertion=first.a.b") == true)
        #expect(bodies.last?.hasSuffix("client_assertion=second.a.b") == true)
    }

    @Test("a link is followed at each exchange: Kubernetes replaces a token by turning a link") func linked() async throws {
        let files = [TokenFile("first.a.b"), TokenFile("second.a.b")]
        let link = TokenFile("")
        unlink(link.path)
        try #require(symlink(files[0].path, link.path) == 0)
        let fixture = try IdentityFixture(environment: environment(link), script: [.success(entraAnswer), .success(entraAnswer)])
        _ = try await fixture.token()
        unlink(link.path)
        try #require(symlink(files[1].path, link.path) == 0)
        fixture.clock.advance(by: 3600)
        _ = try await fixture.token()
        let bodies = fixture.transport.requests.map { String(decoding: $0.body ?? [], as: UTF8.self) }
        #expect(bodies.map { $0.hasSuffix("=first.a.b") } == [true, false] && bodies.last?.hasSuffix("=second.a.b") == true)
        // One that leads nowhere, or to itself, is a missing file.
        for target in ["/nonexistent/token", link.path] {
            unlink(link.path)
            try #require(symlink(target, link.path) == 0)
            let broken = try IdentityFixture(environment: environment(link), script: [])
            #expect(await broken.failure()?.code == .identityFailed)
        }
    }

    @Test(
        "a file without a usable token is an identity problem",
        arguments: ["", " \n", "two words", "a\u{0}b", String(repeating: "a", count: 70_000)]) func badFile(content: String) async throws
    {
        let file = TokenFile(content.replacing("\u{0}", with: "\u{1}"))
        let fixture = try IdentityFixture(environment: environment(file), script: [])
        let error = try #require(await fixture.failure())
        #expect(error.code == .identityFailed)
        #expect(fixture.transport.requests.isEmpty)
        #expect(content.isEmpty || !error.message.contains("two words"))
    }

    @Test("a missing file is an identity problem that names the file") func missingFile() async throws {
        let file = TokenFile("x")
        unlink(file.path)
        let fixture = try IdentityFixture(environment: environment(file), script: [])
        let error = try #require(await fixture.failure())
        #expect(error.code == .identityFailed)
        #expect(error.message.contains(file.path))
    }

    @Test(
        "the authority comes from the environment, else from the cloud",
        arguments: [
            ("https://login.example.com/", "login.example.com"), ("login.microsoftonline.us", "login.microsoftonline.us"),
            ("", "login.chinacloudapi.cn"),
        ]) func authority(variable: String, host: String) async throws
    {
        let file = TokenFile("a.b.c")
        let fixture = try IdentityFixture(
            AzureIdentityOptions(cloud: .china), environment: environment(file, ["AZURE_AUTHORITY_HOST": variable]),
            script: [.success(entraAnswer)])
        _ = try await fixture.token()
        #expect(fixture.transport.requests.first?.target == .service(try Endpoint(host)))
    }

    @Test(
        "an authority or tenant that is none is refused at start",
        arguments: [
            ["AZURE_AUTHORITY_HOST": "http://login.example.com"], ["AZURE_AUTHORITY_HOST": "https://login.example.com/x"],
            ["AZURE_AUTHORITY_HOST": "169.254.169.254"], ["AZURE_TENANT_ID": "../x"], ["AZURE_TENANT_ID": "a/b"],
            ["AZURE_CLIENT_ID": "a b"],
        ]) func badEnvironment(variables: [String: String]) throws
    {
        let file = TokenFile("a.b.c")
        #expect(throws: BrokerError.self) { try IdentityFixture(environment: environment(file, variables), script: []) }
    }

    @Test("a refusal is told in words, with what the federated credential must say, and without the token") func refusal() async throws {
        // {"iss":"https://oidc.example/","sub":"system:serviceaccount:ns:sa","aud":["api://AzureADTokenExchange"]}
        let assertion =
            "aGVhZGVy.eyJpc3MiOiJodHRwczovL29pZGMuZXhhbXBsZS8iLCJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6bnM6c2EiLCJhdWQiOlsiYXBpOi8vQXp1cmVBRFRva2VuRXhjaGFuZ2UiXX0.c2lnbmF0dXJl"
        let file = TokenFile(assertion)
        let body =
            #"{"error":"invalid_client","error_description":"AADSTS700213: No matching federated identity record found.\r\nTrace ID: 1","error_codes":[700213]}"#
        let fixture = try IdentityFixture(environment: environment(file), script: [.success(answer(401, body))])
        let error = try #require(await fixture.failure())
        #expect(error.code == .identityFailed)
        #expect(error.message.contains("AADSTS700213: No matching federated identity record found."))
        #expect(error.message.contains("issuer 'https://oidc.example/', subject 'system:serviceaccount:ns:sa'"))
        #expect(error.message.contains("audience 'api://AzureADTokenExchange'"))
        #expect(!error.message.contains("Trace"))
        #expect(!error.message.contains(assertion))
        #expect(!fixture.log.lines.joined().contains(assertion))
    }

    @Test("tries again after 503 and 429 within the deadline, not after a redirect") func retries() async throws {
        let file = TokenFile("a.b.c")
        let fixture = try IdentityFixture(
            environment: environment(file),
            script: [.success(answer(503)), .success(answer(429, headers: [("retry-after", "6")])), .success(entraAnswer)])
        #expect(try await fixture.token() == canary)
        #expect(fixture.sleep.durations == [.seconds(1), .seconds(6)])
        let redirected = try IdentityFixture(environment: environment(file), script: [.success(answer(307))])
        #expect(await redirected.failure()?.code == .upstreamInvalid)
    }
}
