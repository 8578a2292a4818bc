import BrokerCore
import BrokerTestKit
import HTTPTransport
import MAAVerifier
import Testing

@Suite("Which authorities maa speaks to") struct AuthorityEndpointTests {
    private func verifier(cloud: String = "public", _ settings: [String: RawSetting] = [:]) throws -> any Verifier {
        let transport = ScriptedTransport(script: [])
        return try maaVerifier.makeForTest(settings, host: .forTest(transport: transport, cloud: cloud))
    }

    @Test(
        "without configuration: below the cloud's suffix, compared by labels",
        arguments: [
            ("public", "sharedeus2.eus2.attest.azure.net", true), ("public", "sharedweu.weu.test.attest.azure.net", true),
            ("public", "contoso.attest.azure.net", true), ("public", "CONTOSO.Attest.Azure.NET", true),
            ("public", "attest.azure.net", false), ("public", "attest.azure.net.evil.example", false),
            ("public", "evilattest.azure.net", false), ("public", "x.evil-attest.azure.net", false),
            ("public", "x.attest.azure.net.evil", false), ("public", "x.attest.azure.us", false),
            ("public", "contoso.vault.azure.net", false), ("public", "contoso.attest.azure.net:8443", false),
            ("us-government", "sharedugv.ugv.attest.azure.us", true), ("us-government", "x.attest.azure.net", false),
            ("china", "x.attest.azure.net", false), ("china", "x.attest.azure.cn", false),
        ]) func suffix(cloud: String, name: String, accepted: Bool) throws
    { #expect(try verifier(cloud: cloud).accepts(try Endpoint(name)) == accepted) }

    @Test("with configuration: exactly the configured ones") func configured() throws {
        let verifier = try verifier(["endpoint": .string("https://a.attest.azure.net"), "additional-endpoints": .list(["b.example:8443"])])
        #expect(verifier.defaultAuthority == (try Endpoint("a.attest.azure.net")))
        #expect(verifier.accepts(try Endpoint("a.attest.azure.net")))
        #expect(verifier.accepts(try Endpoint("b.example:8443")))
        #expect(!verifier.accepts(try Endpoint("b.example")))
        #expect(!verifier.accepts(try Endpoint("c.attest.azure.net")))
    }

    @Test("an unknown cloud and settings that cannot work are refused") func misconfigured() throws {
        #expect(throws: BrokerError.self) { try verifier(cloud: "mars") }
        for settings: [String: RawSetting] in [
            ["endpoint": .string("https://a.attest.azure.net/path")], ["endpoint": .string("169.254.169.254")],
            ["additional-endpoints": .list(["ok.example", "user@evil.example"])], ["api-version": .string("1&x=y")],
            ["user-agent": .string("a\r\nX-Injected: 1")], ["timeout": .string("0s")], ["clock-skew": .string("2h")],
            ["keys-max-age": .string("48h")], ["require-nonce": .string("yes")], ["endpiont": .string("x.example")],
        ] { #expect(throws: BrokerError.self, "\(settings)") { try verifier(settings) } }
    }
}
