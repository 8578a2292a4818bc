import HTTPTransport
import Testing

@Suite struct ConnectOverrideTests {
    @Test(arguments: [
        ("Contoso.vault.azure.net:443:127.0.0.1:8443", "contoso.vault.azure.net:443:127.0.0.1:8443"),
        ("::127.0.0.1:8443", "::127.0.0.1:8443"), ("a.example::localhost:1", "a.example::localhost:1"), (":443:h:65535", ":443:h:65535"),
    ]) func reads(text: String, description: String) throws { #expect(try ConnectOverride(text).description == description) }

    @Test(arguments: [
        "", "a", "a:1", "a:1:b", "a:1:b:", "a:1::2", "a:1:b:0", "a:1:b:65536", "a:0:b:1", "a:x:b:1", "a:1:b:1:2", "a b:1:c:1",
        "a:1:b\r\n:1", "é:1:b:1", "a:1:b:-1",
    ]) func refuses(text: String) { #expect(throws: Endpoint.Invalid.self) { try ConnectOverride(text) } }
}
