import AzureSimulators
import CurlTransport
import Glibc
import HTTPTransport
import Logging
import OpenSSLCrypto
import SNPFixture
import StrictJSON
import Testing

struct ServerTests {
    @Test("the server certificate covers every simulated host") func names() async throws {
        let hosts = [
            "contoso.vault.azure.net", "contoso.managedhsm.azure.net", "contoso.attest.azure.net", "sharedeus2.eus2.attest.azure.net",
            "sharedneu.neu.attest.azure.net", "sharedwus3.wus3.attest.azure.net", "sharedugv.ugv.attest.azure.us",
            "contoso.vault.usgovcloudapi.net", "contoso.managedhsm.usgovcloudapi.net", "contoso.vault.azure.cn",
            "contoso.managedhsm.azure.cn", "login.microsoftonline.com", "login.microsoftonline.us", "login.windows.net",
            "login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "kdsintf.amd.com", "global.acccache.azure.net",
            "contoso.vault.localhost",
        ]
        try await Cloud.run { cloud in
            for host in hosts {
                // The handshake checks the name; what comes back is the service's own 401, 404 or 200.
                let answer = try await cloud.send(.get, host, "/certs")
                #expect(answer.code != "UnknownHost", "\(host)")
            }
        }
    }

    @Test("hosts that are not simulated are told so, and are not in the certificate") func strangers() async throws {
        try await Cloud.run({ $0.extraHostNames = ["*.example.org", "a.b.vault.azure.net"] }) { cloud in
            let stranger = try await cloud.send(.get, "www.example.org", "/")
            #expect(stranger.code == "UnknownHost")
            // One label too many for a vault.
            #expect(try await cloud.send(.get, "a.b.vault.azure.net", "/keys?api-version=7.4").code == "UnknownHost")
            await #expect(throws: HTTPTransportError.self) { try await cloud.send(.get, "www.example.com", "/") }
        }
    }

    @Test("the Host field is compared without case and without port") func hostField() async throws {
        try await Cloud.run { cloud in
            let answer = try await cloud.send(.get, "CONTOSO.Vault.azure.net:8443", "/keys?api-version=7.4", bearer: cloud.bearer())
            #expect(answer.status == 200)
            // A port that the client used is part of what it gets back.
            let bundle = try await cloud.send(
                .post, "contoso.vault.azure.net:8443", "/keys/k1/create?api-version=7.4", json: ["kty": "EC"], bearer: cloud.bearer())
            #expect(try bundle.json.member("key").string("kid").hasPrefix("https://contoso.vault.azure.net:8443/keys/k1/"))
        }
    }

    @Test("bodies are bounded") func bodyLimit() async throws {
        try await Cloud.run { cloud in
            let large = [UInt8](repeating: UInt8(ascii: " "), count: (1 << 20) + 1)
            let answer = try await cloud.send(.post, Cloud.attestation, "/attest/SevSnpVm?api-version=2020-10-01", body: large)
            #expect(answer.status == 413)
            let fits = try await cloud.send(
                .post, Cloud.attestation, "/attest/SevSnpVm?api-version=2020-10-01", body: Array(large.dropFirst()))
            #expect(fits.status == 400)
            let uri = try await cloud.send(.get, Cloud.vault, "/keys?x=" + String(repeating: "y", count: 9000))
            #expect(uri.status == 414)
        }
    }

    @Test("garbage gets an answer with a client error") func garbage() async throws {
        try await Cloud.run { cloud in
            var generator = SystemRandomNumberGenerator()
            let paths = [
                (Cloud.attestation, "/attest/SevSnpVm?api-version=2020-10-01"), (Cloud.vault, "/keys/k1/create?api-version=7.4"),
                (Cloud.vault, "/keys/k1/release?api-version=7.4"), (Cloud.managedHSM, "/keys/k1/create?api-version=7.4"),
                ("login.microsoftonline.com", "/12345678-1234-1234-1234-123456789012/oauth2/v2.0/token"),
            ]
            for _ in 0..<20 {
                for (host, path) in paths {
                    let count = Int.random(in: 0...200, using: &generator)
                    var body = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                    if Bool.random(using: &generator) { body = Array("{\"target\":\"".utf8) + body }
                    let bearer = try host == Cloud.attestation || host.hasPrefix("login") ? nil : cloud.bearer(host)
                    let answer = try await cloud.send(.post, host, path, body: body, bearer: bearer)
                    #expect((400..<500).contains(answer.status), "\(host)\(path) \(answer.status)")
                }
            }
            for path in ["/%", "//", "/keys//", "/keys/k1///release", "/?=&&=", "/keys?%ff=1"] {
                let answer = try await cloud.send(.get, Cloud.vault, path, bearer: cloud.bearer())
                #expect((400..<500).contains(answer.status), "\(path) \(answer.status)")
            }
        }
    }

    @Test("the authority file is readable for all and trusted alone") func authorityFile() async throws {
        try await Cloud.run { cloud in
            let bytes = try #require(fileContent(cloud.caFile))
            #expect(String(decoding: bytes, as: UTF8.self) == cloud.simulators.authorityPEM)
            #expect(fileMode(cloud.caFile) == 0o644)
            let roots = try Certificate.parse(pemOrDER: bytes, maximumCount: 2)
            #expect(roots.count == 1)
            #expect(roots.first?.isCertificateAuthority == true)
        }
    }

    @Test("somebody else's certificate is not replaced, one of an earlier start is") func foreignAuthority() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let file = directory.path + "/ca.pem"
        var configuration = SimulatorConfiguration()
        configuration.caFile = file
        configuration.logger.logLevel = .critical
        let first = try AzureSimulators(configuration)
        #expect(fileContent(file) == Array(first.authorityPEM.utf8))
        let second = try AzureSimulators(configuration)
        #expect(first.authorityPEM != second.authorityPEM && fileContent(file) == Array(second.authorityPEM.utf8))
        let chip = try #require(Guest.chip)
        for foreign in [Array(chip.chain[2].pem.utf8), Array("not a certificate".utf8), []] {
            try overwrite(file, foreign)
            #expect(throws: SimulatorError.self) { try AzureSimulators(configuration) }
            #expect(fileContent(file) == foreign)
        }
    }

    @Test("a port that is taken is reported, and nobody waits for ever") func portTaken() async throws {
        try await Cloud.run { cloud in
            var configuration = SimulatorConfiguration()
            configuration.port = cloud.ports.tls
            configuration.logger.logLevel = .critical
            let taken = configuration
            await #expect(throws: (any Error).self) { try await AzureSimulators.withRunning(taken) { _, _ in } }
        }
    }

    @Test("configurations that cannot work are refused") func badConfiguration() throws {
        for change: @Sendable (inout SimulatorConfiguration) -> Void in [
            { $0.identities = [] }, { $0.trustedReportRoots = [Array("nonsense".utf8)] }, { $0.caFile = "/nonexistent/ca.pem" },
            { $0.keyDirectory = "/proc/nonexistent" }, { $0.keyDirectory = "/etc" },
        ] {
            var configuration = SimulatorConfiguration()
            change(&configuration)
            let refused = configuration
            #expect(throws: SimulatorError.self) { try AzureSimulators(refused) }
        }
    }
}

func fileContent(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}

func fileMode(_ path: String) -> UInt32? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
}

func overwrite(_ path: String, _ content: [UInt8]) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    #expect(fwrite(content, 1, content.count, file) == content.count)
}
