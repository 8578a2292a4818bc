import Waiting
@testable import CurlTransport
import Glibc
import HTTPTransport
import OpenSSLCrypto
import SecureMemory
import Testing

@Suite(.enabled(if: TLSServer.isAvailable, "needs python3 with its ssl module, and openssl, to run the TLS server")) struct TLSTests {
    private static let host = "contoso.vault.example"

    private static func request(_ host: String = host, path: String = "/keys", bearer: String? = nil) throws -> HTTPRequest {
        HTTPRequest(.get, .service(try Endpoint(host)), path: path, bearer: bearer.map { Redacted($0) }, deadline: .after(.seconds(100)))
    }

    /// Runs `body` with a TLS server whose certificate is made by `authority`.
    private static func withServer(
        certificateFor host: String = host, validFrom: Int64 = -3600, until: Int64 = 3600, maximumVersion: String = "TLSv1_3",
        protocols: String = "http/1.1", _ body: (TLSServer, TestCertificates, TestCertificates.Authority) async throws -> Void
    ) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        let authority = try certificates.authority("authority")
        let files = try certificates.server(host, from: authority, validFrom: validFrom, until: until)
        let server = try TLSServer(
            certificateFile: files.certificateFile, keyFile: files.keyFile, maximumVersion: maximumVersion, protocols: protocols)
        defer { server.stop() }
        try await body(server, certificates, authority)
    }

    private static func tlsFailure(of request: HTTPRequest, with transport: CurlTransport) async -> String? {
        defer { transport.shutdown() }
        guard case .tlsFailed(let reason) = await failure(of: request, with: transport) else { return nil }
        return reason
    }

    @Test func aTrustedServerIsReachedThroughItsOverrideUnderItsOwnName() async throws {
        try await Self.withServer { server, _, authority in
            let transport = try makeTransport(
                trust: TLSTrust(files: [authority.file], includesSystemDefaults: false),
                connectTo: ["other.example:443:127.0.0.1:1", "\(Self.host):443:127.0.0.1:\(server.port)"])
            defer { transport.shutdown() }
            for _ in 0..<5 {
                let response = try await transport.send(Self.request(bearer: "t0ken"))
                let lines = response.text.unicodeScalars.split { $0 == "\r" || $0 == "\n" }.map(String.init)
                #expect(lines.first == "1", "one connection for all requests")
                #expect(lines.dropFirst().first == "GET /keys HTTP/1.1")
                #expect(lines.contains("Host: \(Self.host)"))
                #expect(lines.contains("Authorization: Bearer t0ken"))
            }
        }
    }

    @Test func filesAreTrustedInAdditionToTheSystemAndToEachOther() async throws {
        try await Self.withServer { server, certificates, authority in
            let other = try certificates.authority("other")
            for files in [[authority.file], [other.file, authority.file], [authority.file, other.file]] {
                let transport = try makeTransport(trust: TLSTrust(files: files), connectTo: ["::127.0.0.1:\(server.port)"])
                defer { transport.shutdown() }
                #expect(try await transport.send(Self.request()).status == 200)
            }
        }
    }

    @Test func aNewConnectionContinuesTheTLSSessionOfAnEarlierOne() async throws {
        try await Self.withServer { server, _, authority in
            let trust = TLSTrust(files: [authority.file], includesSystemDefaults: false)
            func sessions(_ count: Int) async throws -> [String?] {
                let transport = try makeTransport(trust: trust, connectTo: ["::127.0.0.1:\(server.port)"])
                defer { transport.shutdown() }
                var found: [String?] = []
                for _ in 0..<count {
                    let response = try await transport.send(Self.request(path: "/close"))
                    found.append(response.headers.first { $0.name == "x-session" }?.value)
                }
                return found
            }
            let three = try await sessions(3)
            #expect(three == ["new", "resumed", "resumed"])
            let another = try await sessions(1)
            #expect(another == ["new"], "another transport has sessions of its own")
        }
    }

    @Test func http2IsUsedWhereTheServerOffersIt() async throws {
        try await Self.withServer(protocols: "h2,http/1.1") { server, _, authority in
            let transport = try makeTransport(
                trust: TLSTrust(files: [authority.file], includesSystemDefaults: false), connectTo: ["::127.0.0.1:\(server.port)"])
            defer { transport.shutdown() }
            #expect(try await transport.send(Self.request()).text == "1 over h2")
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { try await transport.send(Self.request()).text } }
                for try await text in group { #expect(text == "1 over h2", "streams of one connection") }
            }
        }
    }

    @Test func directoriesInOpenSSLsLayoutAreTrusted() async throws {
        try await Self.withServer { server, certificates, authority in
            let nameHash = try #require(Self.output("openssl x509 -noout -subject_hash -in '\(authority.file)'"))
            _ = try certificates.write("\(nameHash).0", Array(authority.certificate.pem.utf8))
            for defaults in [true, false] {
                let transport = try makeTransport(
                    trust: TLSTrust(directories: [certificates.directory], includesSystemDefaults: defaults),
                    connectTo: ["::127.0.0.1:\(server.port)"])
                defer { transport.shutdown() }
                #expect(try await transport.send(Self.request()).status == 200)
            }
        }
    }

    @Test(arguments: [true, false]) func anUntrustedCertificateIsRefused(includesSystemDefaults: Bool) async throws {
        try await Self.withServer { server, certificates, _ in
            let stranger = try certificates.authority("stranger")
            for files in [[], [stranger.file]] {
                let transport = try makeTransport(
                    trust: TLSTrust(files: files, includesSystemDefaults: includesSystemDefaults), connectTo: ["::127.0.0.1:\(server.port)"]
                )
                let reason = await Self.tlsFailure(of: try Self.request(bearer: "t0ken"), with: transport)
                #expect(reason?.contains("certificate") == true, "\(reason ?? "no TLS failure")")
                #expect(reason?.contains("t0ken") == false)
            }
        }
    }

    @Test(arguments: ["other.example", "vault.example", "*.example", "contoso.vault.example.evil.example", "contoso.*.example"])
    func aCertificateForAnotherNameIsRefused(name: String) async throws {
        try await Self.withServer(certificateFor: name) { server, _, authority in
            let transport = try makeTransport(
                trust: TLSTrust(files: [authority.file], includesSystemDefaults: false), connectTo: ["::127.0.0.1:\(server.port)"])
            let reason = await Self.tlsFailure(of: try Self.request(), with: transport)
            #expect(reason?.contains(Self.host) == true, "\(reason ?? "no TLS failure")")
        }
    }

    @Test(arguments: [(-7200, -3600, "expired"), (3600, 7200, "not yet valid")] as [(Int64, Int64, String)])
    func aCertificateOutsideItsTimeIsRefused(from: Int64, until: Int64, word: String) async throws {
        try await Self.withServer(validFrom: from, until: until) { server, _, authority in
            let transport = try makeTransport(
                trust: TLSTrust(files: [authority.file], includesSystemDefaults: false), connectTo: ["::127.0.0.1:\(server.port)"])
            let reason = await Self.tlsFailure(of: try Self.request(), with: transport)
            #expect(reason?.contains(word) == true, "\(reason ?? "no TLS failure")")
        }
    }

    @Test func tls11IsRefused() async throws {
        try await Self.withServer(maximumVersion: "TLSv1_1") { server, _, authority in
            let transport = try makeTransport(
                trust: TLSTrust(files: [authority.file], includesSystemDefaults: false), connectTo: ["::127.0.0.1:\(server.port)"])
            #expect(await Self.tlsFailure(of: try Self.request(), with: transport) != nil)
        }
    }

    @Test func twoHundredRequestsAtOnceOverTLS() async throws {
        try await Self.withServer { server, _, authority in
            let transport = try makeTransport(
                trust: TLSTrust(files: [authority.file]), connectTo: ["::127.0.0.1:\(server.port)"], connections: 16, perOrigin: 16)
            defer { transport.shutdown() }
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 { group.addTask { Int(try await transport.send(Self.request()).text.prefix { $0.isNumber }) ?? .max } }
                for try await connection in group { #expect((1...16).contains(connection)) }
            }
        }
    }

    @Test func aServiceIsNeverAskedInPlainHTTP() async throws {
        let server = try LoopbackServer { connection in
            // A plain server that answers whatever comes.
            connection.answer("plain")
            connection.waitForEnd()
        }
        defer { server.stop() }
        let transport = try makeTransport(connectTo: ["::127.0.0.1:\(server.port)"])
        #expect(await Self.tlsFailure(of: try Self.request(), with: transport) != nil)
    }

    @Test func aHandshakeThatHangsIsAFailedConnectionBeforeTheDeadline() async throws {
        let server = try LoopbackServer { connection in connection.waitForEnd() }
        defer { server.stop() }
        let transport = try makeTransport(connectTo: ["::127.0.0.1:\(server.port)"], connectTimeout: .milliseconds(200))
        defer { transport.shutdown() }
        #expect(await failure(of: try Self.request(), with: transport) == .connectionFailed(reason: "no connection within 200 ms"))
    }

    @Test func aHandshakeThatIsResetIsAFailedConnection() async throws {
        for resets in [true, false] {
            let server = try LoopbackServer { connection in if resets { connection.resetAtEnd() } }
            defer { server.stop() }
            let transport = try makeTransport(connectTo: ["::127.0.0.1:\(server.port)"])
            defer { transport.shutdown() }
            let error = await failure(of: try Self.request(), with: transport)
            guard case .connectionFailed = error else {
                Issue.record("expected connectionFailed, got \(String(describing: error))")
                continue
            }
        }
    }

    private static func output(_ command: String) -> String? {
        guard let stream = popen(command, "r") else { return nil }
        defer { pclose(stream) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, 256, stream) != nil else { return nil }
        return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
