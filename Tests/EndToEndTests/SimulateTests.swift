import Foundation
import Testing

/// The command `simulate` itself.
@Suite(.serialized) struct SimulateTests {
    @Test("a second 'simulate' with the same directory is refused, and so is one that would replace somebody's certificate")
    func authority()
        throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let directory = URL(filePath: azure.caFile).deletingLastPathComponent()
        let before = try Data(contentsOf: URL(filePath: azure.caFile))
        let second = try Program.run(["simulate", "--directory", directory.path, "--port", "0", "--metadata-port", "0"])
        #expect(second.status == 2 && second.errors.contains("another 'simulate'"), "\(second.errors)")
        #expect(try Data(contentsOf: URL(filePath: azure.caFile)) == before)
        let scratch = try Scratch()
        defer { scratch.remove() }
        try SharedFixture.copy(to: scratch.directory.appending(path: "fixture"))
        let foreign = try scratch.write("ca.pem", "-----BEGIN CERTIFICATE-----\nsomebody's\n-----END CERTIFICATE-----\n")
        let refused = try Program.run(["simulate", "--directory", scratch.path, "--port", "0", "--metadata-port", "0"])
        #expect(refused.status == 2 && refused.errors.contains("ca.pem"), "\(refused.errors)")
        #expect(try String(contentsOf: URL(filePath: foreign), encoding: .utf8).contains("somebody's"))
    }

    @Test("a fault says when to come again, in seconds or as a date", arguments: ["7", "Fri, 31 Dec 2049 23:59:59 GMT"])
    func retryAfter(_ value: String) throws {
        let azure = try LocalAzure(["--fault", "keys.get=429,\(value)"])
        defer { azure.stop() }
        let answer = try Program.run(
            [
                "-s", "-D", "-", "-o", "/dev/null", "--noproxy", "*", "--cacert", azure.caFile, "--connect-to",
                "::127.0.0.1:\(azure.tlsPort)",
                "https://\(LocalAzure.vault)/keys/k?api-version=7.4",
            ], executable: URL(filePath: "/usr/bin/curl"))
        #expect(answer.text.hasPrefix("HTTP/1.1 429") && answer.text.lowercased().contains("retry-after: \(value.lowercased())\r\n"))
    }

    @Test("what a client needs is printed, with and without the proxy") func instructions() throws {
        let azure = try LocalAzure(["--proxy-port", "0"])
        defer { azure.stop() }
        #expect(
            Set(azure.environment.keys) == [
                "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "HTTPS_PROXY", "HTTP_PROXY", "http_proxy",
                "NO_PROXY",
            ])
        let plain = try LocalAzure()
        defer { plain.stop() }
        #expect(Set(plain.environment.keys) == ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"])
        #expect(plain.environment["SSL_CERT_FILE"] == plain.caFile)
    }
}
