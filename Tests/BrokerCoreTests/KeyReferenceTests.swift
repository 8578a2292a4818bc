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

    @Test("case 13: names and versions are compared without case, and keep the spelling they came in") func spelling() throws {
        let mixed = try #require(KeyName("Mixed-Key/\(Self.version.uppercased())"))
        let plain = try #require(KeyName("mixed-key/\(Self.version)"))
        #expect(mixed == plain && mixed.hashValue == plain.hashValue)
        #expect(mixed.name == "Mixed-Key" && mixed.version == Self.version)
        let current = try #require(KeyName("MIXED-KEY"))
        #expect(current != mixed && current.hasSameName(as: mixed))
        #expect(try #require(KeyName("mixed-keys")) != current)
    }

    @Test("a key identifier in any case") func identifier() throws {
        let asked = KeyReference(store: try Endpoint("contoso.vault.azure.net"), name: try #require(KeyName("k")))
        for text in ["https://contoso.vault.azure.net/keys/k", "HTTPS://Contoso.Vault.Azure.net/Keys/K"] {
            #expect(KeyReference(identifier: text) == asked, "\(text)")
        }
        let answer = try #require(KeyReference(identifier: "https://CONTOSO.vault.azure.net/keys/K/\(Self.version.uppercased())"))
        #expect(asked.isAnswered(by: answer) && !answer.isAnswered(by: asked))
        for text in [
            "", "k", "http://contoso.vault.azure.net/keys/k", "https://contoso.vault.azure.net/keys/", "https://contoso.vault.azure.net",
            "https://contoso.vault.azure.net/secrets/k", "https://contoso.vault.azure.net/keys/k/", "https://u@a.vault.azure.net/keys/k",
            "https://contoso.vault.azure.net/keys/k?x=y", "https://contoso.vault.azure.net/x/keys/k", "https://a.b/keys/\u{212A}",
        ] { #expect(KeyReference(identifier: text) == nil, "\(text)") }
    }

    @Test(
        "whatever could change a URL is refused",
        arguments: [
            "", "/", "a/", "/\(version)", "a//\(version)", "a/\(version)/release", "a/\(version)?x", "../secrets/x", "a%2e%2e", "a?b",
            "a#b", "a\\b", "a b", "a\r\nHost: x", "a_b", "a.b", "schlüssel", "a\u{0}", "a/0123",
            "a/\(version)0", String(repeating: "a", count: 128), String(repeating: "a", count: 10_000),
        ]) func invalid(text: String)
    { #expect(KeyName(text) == nil) }
}
