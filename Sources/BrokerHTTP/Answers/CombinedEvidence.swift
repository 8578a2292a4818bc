internal import BrokerCore
internal import OpenSSLCrypto
internal import StrictJSON

/// The body of `/attest/combined`.
enum CombinedEvidence {
    /// In the order of the original's answer, which is that of the names.
    static func members(of evidence: Evidence) -> [(String, JSONValue)] {
        [
            ("endorsed_tcb", .string(evidence.endorsedTCB)), ("endorsements", .string(Base64.encode(pemChain(evidence.endorsements)))),
            ("evidence", .string(Base64.encode(evidence.report))),
            ("uvm_endorsements", .string(evidence.platformEndorsements.first.map { Base64.encode($0) } ?? "")),
        ] + statements(evidence.platformStatements)
    }

    /// A member of the broker's own, where there is something to say.
    private static func statements(_ statements: [PlatformStatement]) -> [(String, JSONValue)] {
        guard !statements.isEmpty else { return [] }
        let values = statements.map { statement -> JSONValue in
            [
                "name": .string(statement.name), "content": .string(Base64.encode(statement.content)),
                "verified": .boolean(statement.isVerified),
            ]
        }
        return [("platform_statements", .array(values))]
    }

    /// Certificates in PEM (RFC 7468: 64 characters a line), in the order given.
    static func pemChain(_ certificates: [[UInt8]]) -> [UInt8] {
        var text: [UInt8] = []
        for der in certificates {
            text += "-----BEGIN CERTIFICATE-----\n".utf8
            var rest = Array(Base64.encode(der).utf8)[...]
            while !rest.isEmpty {
                text += rest.prefix(64)
                text.append(UInt8(ascii: "\n"))
                rest = rest.dropFirst(64)
            }
            text += "-----END CERTIFICATE-----\n".utf8
        }
        return text
    }
}
