internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import PlainText
internal import SNPVerification
internal import UVMEndorsements

extension FuzzTarget {
    /// Names of one line: hosts, endpoints, keys, dates, rates, floors, traces. What is read is written as it was meant.
    static let names = FuzzTarget("names", maximumBytes: 400, seeds: NamesTarget.seeds, run: NamesTarget.run)
    static let text = FuzzTarget("text", maximumBytes: 3000, seeds: TextTarget.seeds, run: TextTarget.run)
}

private enum NamesTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        [
            "127.0.0.1:8080", "[::1]:0", "localhost:65535", "https://contoso.vault.azure.net/", "contoso.managedhsm.azure.net:8443",
            "https://contoso.vault.azure.net/keys/my-key/0123456789abcdef0123456789ABCDEF", "my-key", "Sun, 06 Nov 1994 08:49:37 GMT",
            "100/m", "bl=4,snp=24", "0x40", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2 ContainerPlat-AMD-UVM 100",
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let text = input.text
        var isTaken = false
        func same<Value: Equatable>(_ name: String, _ value: Value?, _ again: (Value) throws -> Value?) throws {
            guard let value else { return }
            isTaken = true
            try require((try? again(value)) == value, "\(name): \(value) is read as something else")
        }
        try same("address", HostAndPort(listening: text)) { HostAndPort(listening: $0.description) }
        try same("host", HostAndPort(text, defaultPort: 443)) { HostAndPort($0.description, defaultPort: 1) }
        try same("endpoint", try? Endpoint(text)) {
            try Endpoint(planted($0.origin, instead: ![443, 8443].contains($0.port) ? $0.host : $0.origin))
        }
        try same("key", KeyReference(identifier: text)) { KeyReference(identifier: $0.description) }
        try same("key name", KeyName(text)) { KeyName($0.description) }
        try same("date", HTTPDate.parse(text)) { HTTPDate.parse(HTTPDate.text(secondsSince1970: $0)) }
        try same("rate", Rate(text)) { Rate($0.description) }
        try same("floor", MinimumTCB(parsing: text)) { MinimumTCB(parsing: $0.description) }
        try same("mask", BitMask.parse(text)) { BitMask.parse(BitMask.text($0)) }
        try same("trace", TraceContext(traceparent: text)) { TraceContext(traceparent: $0.traceparent) }
        try same("issuer", try? TrustedIssuer(text)) { try TrustedIssuer($0.text) }
        if let endpoint = try? Endpoint(text) {
            try require(endpoint.host.utf8.consists(of: .hostName, count: 3...253) && endpoint.host == endpoint.host.lowercased(), "a host")
            try require(IPAddress(endpoint.host) == nil && (1...65535).contains(endpoint.port), "an address as endpoint")
            try require(!endpoint.isUnder("vault.azure.net") || endpoint.host.hasSuffix(".vault.azure.net"), "below a suffix")
        }
        if let key = KeyReference(identifier: text) { try require(key.isAnswered(by: key), "a key is not itself") }
        for raw in [RawSetting.text(text), .string(text)] {
            if case .success(let duration) = Duration.decode(raw) {
                try require((try? Duration.decode(.text(duration.settingText)).get()) == duration, "a duration of \(duration)")
                isTaken = true
            }
        }
        return isTaken
    }
}

private enum TextTarget {
    /// 24 characters of a token, which no text that is shown may repeat.
    private static let token = "eyJhbGciOiJSUzI1NiJ9canary"

    @Sendable static func seeds() -> [[UInt8]] {
        [
            .records("the service says no", "secret-value-1"), .records("Bearer \(token) was refused\r\n\u{1B}[31mred", "refused"),
            .records("{\"error\":\"\\\"quoted\\\" /path\"}", "\"quoted\" /path"), .records("line one\nline two\u{2028}three", ""),
        ]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let parts = input.records
        let (text, secret) = (parts[0].text, parts.count > 1 ? parts[1].text : "")
        let shown = UpstreamText.sanitized(Array((text + " " + token).utf8))
        try require(!planted(shown, instead: shown.contains("z") ? shown + token : shown).contains(token), "a token is shown")
        try require(shown.unicodeScalars.allSatisfy { $0 == "\n" || String($0).isOneLine }, "a control character is shown")
        if let line = UpstreamText.line(text, limit: 80) {
            try require(line.isOneLine && line.count <= 80, "a line of \(line.count) characters")
        }
        for name in [VisibleText.name(text), VisibleText.quoted(text), VisibleText.line(text), VisibleText.escaped(text)] {
            try require(name.isOneLine, "a name breaks its line")
        }
        try require(VisibleText.line(text).unicodeScalars.count <= 121, "a line is too long")
        if secret.utf8.count >= 8 {
            let cut = UpstreamText.cutting([secret], from: Array((text + secret + text).utf8))
            let isWhole = (0...max(0, cut.count - secret.utf8.count)).contains { cut[$0...].starts(with: secret.utf8) }
            // The mark itself may make the secret anew only where the secret is part of it.
            try require(!isWhole || "<token>".contains(secret) || secret.contains("<token>"), "a secret is left in the text")
        }
        let names = ["verifier.maa.endpoint", "server.http", "log.level"]
        if let nearest = NearestName.nearest(to: text, among: names) { try require(names.contains(nearest), "no name: \(nearest)") }
        return true
    }
}
