import BrokerCore
import HTTPTransport
import Testing

@Suite("Key names") struct KeyReferenceTests {
    private static let version = "0123456789abcdef0123456789abcdef"

    @Test("a name, with or without a version") func valid() throws {
        let plain = try #require(KeyName("my-Key-1"))
        #expect(plain.name == "my-Key-1")
        #expect(plain.version == nil)
        #expect(plain.description == "my-Key-1")
        let versioned = try #require(KeyName("k/\(Self.version)"))
        #expect(versioned.name == "k")
        #expect(versioned.version == Self.version)
        #expect(versioned.description == "k/\(Self.version)")
        #expect(KeyName(String(repeating: "a", count: 127)) != nil)
        let reference = KeyReference(store: try Endpoint("contoso.vault.azure.net"), name: versioned)
        #expect(reference.description == "https://contoso.vault.azure.net/keys/k/\(Self.version)")
    }

    @Test(
        "whatever could change a URL is refused",
        arguments: [
            "", "/", "a/", "/\(version)", "a//\(version)", "a/\(version)/release", "a/\(version)?x", "../secrets/x", "a%2e%2e", "a?b",
            "a#b", "a\\b", "a b", "a\r\nHost: x", "a_b", "a.b", "schlüssel", "a\u{0}", "a/\(version.uppercased())", "a/0123",
            "a/\(version)0", String(repeating: "a", count: 128), String(repeating: "a", count: 10_000),
        ]) func invalid(text: String)
    { #expect(KeyName(text) == nil) }
}
