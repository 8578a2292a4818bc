import HTTPTransport
import Testing

@Suite struct EndpointTests {
    @Test(arguments: [
        ("contoso.vault.azure.net", "contoso.vault.azure.net", 443), ("https://Contoso.Vault.Azure.NET", "contoso.vault.azure.net", 443),
        ("HTTPS://a.example:8443", "a.example", 8443), ("a.example:443", "a.example", 443), ("a-b.c1.x", "a-b.c1.x", 443),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", 443), ("https://contoso.vault.azure.net/", "contoso.vault.azure.net", 443),
        ("contoso.vault.azure.net/", "contoso.vault.azure.net", 443), ("HTTPS://A.example:8443/", "a.example", 8443),
        ("https://Contoso.vault.azure.net/keys/My-Key", "contoso.vault.azure.net", 443),
        ("https://contoso.vault.azure.net/Keys/k/0123456789abcdef0123456789abcdef/", "contoso.vault.azure.net", 443),
    ]) func reads(text: String, host: String, port: Int) throws {
        let endpoint = try Endpoint(text)
        #expect(endpoint.host == host)
        #expect(endpoint.port == port)
        #expect(endpoint.origin == (port == 443 ? "https://\(host)" : "https://\(host):\(port)"))
    }

    @Test(arguments: [
        "", "https://", "localhost", "http://a.example", "ftp://a.example", "a.example//", "/", "https:///", "a.example/keys/k",
        "a.example?x=1", "a.example#f",
        "https://a.example/keys", "https://a.example/keys/", "https://a.example/secrets/k", "https://a.example/keys/k/v/release",
        "https://a.example/keys/k?x", "https://a.example/keys/../x", "https://a.example/keys//k", "https://u@a.example/keys/k",
        "user@a.example", "user:pw@a.example", "a.example:", "a.example:0", "a.example:65536", "a.example:99999999999999999999",
        "a.example:+80", "a.example:080443", "a.example:80:80", "a.example.", ".a.example", "a..example", "-a.example", "a-.example",
        "a_b.example", "a example", " a.example", "a.example\r\nX: y", "a.example\0", "bücher.example", "a.example%00", "a。example",
        "127.0.0.1", "169.254.169.254", "2130706433", "0x7f.1", "0x7f.0.0.1", "1.2.3", "a.123", "a.0x7f", "[::1]", "[fe80::1%25eth0]",
        "https://https://a.example", "a.example\\b", "*.example",
    ]) func refuses(text: String) { #expect(throws: Endpoint.Invalid.self) { try Endpoint(text) } }

    @Test func boundsLengths() throws {
        let label = String(repeating: "a", count: 63)
        #expect(throws: Never.self) { try Endpoint("\(label).\(label).\(label).\(label.dropLast(2))") }
        #expect(throws: Endpoint.Invalid.self) { try Endpoint("\(label).\(label).\(label).\(label.dropLast())") }
        #expect(throws: Endpoint.Invalid.self) { try Endpoint("\(label)a.example") }
        #expect(throws: Endpoint.Invalid.self) { try Endpoint(String(repeating: "a.", count: 1 << 20) + "a") }
    }

    @Test func suffixesMatchWholeLabels() throws {
        let suffix = "vault.azure.net"
        #expect(try Endpoint("contoso.vault.azure.net").isUnder(suffix))
        #expect(try Endpoint("contoso.vault.azure.net").isDirectlyUnder(suffix))
        #expect(try Endpoint("a.b.vault.azure.net").isUnder(suffix))
        #expect(try !Endpoint("a.b.vault.azure.net").isDirectlyUnder(suffix))
        for other in [
            "vault.azure.net", "evilvault.azure.net", "x-vault.azure.net", "vault.azure.net.evil.example",
            "contoso.vault.azure.net.evil.example",
        ] {
            #expect(try !Endpoint(other).isUnder(suffix), "\(other)")
            #expect(try !Endpoint(other).isDirectlyUnder(suffix), "\(other)")
        }
    }

    @Test func endpointsAreEqualWhateverTheirSpelling() throws {
        #expect(try Endpoint("https://A.example:443") == Endpoint("a.EXAMPLE"))
        #expect(try Endpoint("a.example:8443") != Endpoint("a.example"))
    }
}
