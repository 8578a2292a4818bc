internal import PlainText
package import ReleasePolicy
package import StrictJSON

/// How two policies of the same kind differ.
package struct PolicyDifference: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case releasePolicy = "release-policy"
        case securityPolicy = "security-policy"
    }

    package let kind: Kind
    /// Empty where both policies mean the same.
    package let changes: [PolicyChange]

    package var areEqual: Bool { changes.isEmpty }

    /// `{"kind","equal","changes":[{"change","place","old","new"}]}`.
    package var json: JSONValue {
        ["kind": .string(kind.rawValue), "equal": .boolean(areEqual), "changes": .array(changes.map(\.json))]
    }

    /// One line a change, marked `+`, `-` or `~`; one line where there is none.
    package var lines: [String] {
        guard !areEqual else { return ["both \(kind == .releasePolicy ? "release" : "security") policies say the same"] }
        return changes.map(\.line)
    }

    package init(_ old: ReleasePolicy, _ new: ReleasePolicy) { (kind, changes) = (.releasePolicy, ReleasePolicyDiff.changes(old, new)) }

    init(_ old: SecurityPolicyDocument, _ new: SecurityPolicyDocument) {
        (kind, changes) = (.securityPolicy, SecurityPolicyDiff.changes(old, new))
    }
}

/// One difference: at least one of the two sides is there.
package struct PolicyChange: Sendable, Equatable {
    /// A side as JSON and in words.
    struct Side: Sendable, Equatable {
        let json: JSONValue
        let words: String
    }

    /// Where: an authority, a container, a setting.
    package let place: String
    let old: Side?
    let new: Side?

    init(_ place: String, old: Side?, new: Side?) {
        self.place = place
        self.old = old
        self.new = new
    }

    /// `added`, `removed` or `changed`.
    package var kind: String { old == nil ? "added" : new == nil ? "removed" : "changed" }

    var json: JSONValue {
        ["change": .string(kind), "place": .string(place), "old": old?.json ?? .null, "new": new?.json ?? .null]
    }

    var line: String {
        let mark = old == nil ? "+" : new == nil ? "-" : "~"
        let sides = [old, new].compactMap { $0.map(\.words) }
        return "\(mark) \(VisibleText.escaped(place)): \(sides.map(VisibleText.escaped).joined(separator: "  ->  "))"
    }
}

extension PolicyChange.Side {
    init(_ json: JSONValue) { self.init(json: json, words: String(decoding: json.serialized(), as: UTF8.self)) }
}
