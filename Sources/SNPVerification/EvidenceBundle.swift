internal import OpenSSLCrypto
package import PlainText
package import StrictJSON

/// Everything that an auditor needs to judge evidence years later and without a network, in one JSON document.
///
/// The report is made over `runtimeData`, which names the time; every member's SHA-256 stands beside it, and the document has one form
/// only, so that whatever byte of it changes, a check names the place.
package struct EvidenceBundle: Sendable {
    package static let format = "attestation-broker-evidence-bundle/1"
    /// Longest document that is read.
    package static let maximumBytes = 4 << 20

    /// When the report was made, RFC 3339.
    package var created: String
    /// What the report's data is the SHA-256 of.
    package var runtimeData: [UInt8]
    package var report: [UInt8]
    /// DER, leaf first.
    package var certificates: [[UInt8]]
    /// DER.
    package var revocationLists: [[UInt8]]
    /// COSE_Sign1.
    package var platformEndorsements: [[UInt8]]
    /// Decoded text of the security policy, where there is one.
    package var securityPolicy: [UInt8]?
    /// The verifier's token, where there is one.
    package var token: String?

    /// An empty bundle of that time; `nonce` makes its report's data its own.
    package init(created: Int64, nonce: String) {
        self.created = RFC3339.format(created)
        runtimeData = Self.runtimeData(created: self.created, nonce: nonce)
        report = []
        certificates = []
        revocationLists = []
        platformEndorsements = []
    }

    private static func runtimeData(created: String, nonce: String) -> [UInt8] {
        let document: JSONValue = ["created": .string(created), "format": .string(format), "nonce": .string(nonce)]
        return document.serialized(sortedKeys: true)
    }

    // MARK: Document

    private static let names = [
        "created", "runtime_data", "report", "certificates", "revocation_lists", "uvm_endorsements", "security_policy", "token",
    ]

    private var members: [(String, JSONValue)] {
        func list(_ items: [[UInt8]]) -> JSONValue { .array(items.map { .string(Base64.encode($0)) }) }
        return [
            ("created", .string(created)), ("runtime_data", .string(Base64.encode(runtimeData))),
            ("report", .string(Base64.encode(report))), ("certificates", list(certificates)),
            ("revocation_lists", list(revocationLists)), ("uvm_endorsements", list(platformEndorsements)),
            ("security_policy", securityPolicy.map { .string(Base64.encode($0)) } ?? .null), ("token", token.map { .string($0) } ?? .null),
        ]
    }

    /// The document.
    package func serialized() -> [UInt8] {
        let digests = members.map { ($0.0, JSONValue.string(Self.digest($0.1))) }
        let all: [(String, JSONValue)] = [("format", .string(Self.format))] + members + [("sha256", .object(JSONObject(digests)))]
        return JSONValue.object(JSONObject(all)).serialized(pretty: true) + [UInt8(ascii: "\n")]
    }

    private static func digest(_ value: JSONValue) -> String { Hex.encode(DigestAlgorithm.sha256.digest(value.serialized())) }

    // MARK: Reading

    /// A bundle as it was read, and what is wrong with its document.
    package static func read(_ bytes: [UInt8]) throws(JSONError) -> (bundle: EvidenceBundle, checks: [Check]) {
        let document = try JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: maximumBytes, maximumDepth: 4))
        try document.rejectMembers(except: Set(names + ["format", "sha256"]))
        guard try document.string("format") == format else { throw try document.member("format").invalid("expected \(format)") }
        var bundle = EvidenceBundle(created: 0, nonce: "")
        bundle.created = try document.string("created")
        bundle.runtimeData = try data(document.member("runtime_data"))
        bundle.report = try data(document.member("report"))
        bundle.certificates = try list(document.member("certificates"))
        bundle.revocationLists = try list(document.member("revocation_lists"))
        bundle.platformEndorsements = try list(document.member("uvm_endorsements"))
        bundle.securityPolicy = try optional(document, "security_policy").map(data)
        bundle.token = try optional(document, "token")?.string()
        return (bundle, try bundle.checks(document, bytes))
    }

    private static func optional(_ document: JSONCursor, _ name: String) throws(JSONError) -> JSONCursor? {
        _ = try document.member(name)
        return try document.optional(name)
    }

    private static func data(_ item: JSONCursor) throws(JSONError) -> [UInt8] {
        guard let bytes = Base64.decode(try item.string()) else { throw item.invalid("expected base64") }
        return bytes
    }

    private static func list(_ item: JSONCursor) throws(JSONError) -> [[UInt8]] {
        var list: [[UInt8]] = []
        for element in try item.array() { list.append(try data(element)) }
        return list
    }

    private func checks(_ document: JSONCursor, _ bytes: [UInt8]) throws(JSONError) -> [Check] {
        let digests = try document.member("sha256")
        try digests.rejectMembers(except: Set(Self.names))
        var changed: [String] = []
        for name in Self.names {
            let stated = try digests.string(name)
            if try Self.digest(document.member(name).value) != stated { changed.append(name) }
        }
        let own = serialized()
        let difference = zip(own, bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? min(own.count, bytes.count)
        let isSame = own == bytes
        let time = (try? JSONCursor.parse(runtimeData))?.value
        let isOfTime: Bool
        if case .object(let members)? = time {
            isOfTime = members["created"] == .string(created) && members["format"] == .string(Self.format)
        } else {
            isOfTime = false
        }
        return [
            Check(
                BundleCode.digest.rawValue, changed.isEmpty,
                changed.isEmpty ? "every member is as it was" : "changed since the bundle was made: \(changed.joined(separator: ", "))"),
            Check(
                BundleCode.form.rawValue, isSame || !changed.isEmpty,
                isSame || !changed.isEmpty
                    ? "the document has the one form of a bundle"
                    : "the document was changed at byte "
                        + "\(difference)"),
            Check(
                BundleCode.time.rawValue, isOfTime,
                isOfTime ? "the report was made over the time \(created)" : "the time is not the one that the report was made over"),
        ]
    }
}

/// What is looked at of a bundle beside its evidence.
package enum BundleCode: String, Sendable, CaseIterable {
    case digest = "bundle-digest"
    case form = "bundle-form"
    case time = "bundle-time"
    case token = "bundle-token"

    /// What it means that the check fails, in one sentence.
    package var meaning: String {
        switch self {
        case .digest: "A member of the bundle is not the one that it was made with; the detail names it."
        case .form: "The bundle's document is not in the one form that bundles have; the detail names the byte."
        case .time: "The bundle's time is not the one in the data that the report was made over."
        case .token: "The bundle's token cannot be read, or is about another report."
        }
    }
}
