package import StrictJSON

/// A key release policy of Key Vault or Managed HSM: who must vouch for the requester, and what the token must say.
///
/// The grammar is that of ReleasePolicies.md, "Grammar". Reading is strict: a member that the grammar does not know, an empty list or a
/// second operator is an error, because a condition that is skipped would release a key to somebody.
package struct ReleasePolicy: Sendable, Equatable {
    /// Longest policy text, in bytes.
    package static let maximumBytes = 256 * 1024
    /// How deep `anyOf` and `allOf` may nest below an authority; the authority's own list is level 1.
    package static let maximumNesting = 10
    /// Versions that the services accept or have accepted. "1.0" is what Managed HSM rewrites to "1.0.0"; "0.2" is in samples of 2022.
    package static let knownVersions = ["1.0.0", "1.0", "0.2"]

    /// The version as written, `nil` where the document has none. Old documents have none, and Managed HSM once refused those.
    package let version: String?
    /// Alternatives: one satisfied entry is enough. Never empty.
    package let authorities: [AuthorityEntry]

    /// Reads a policy text. Integers beyond 64 bits are refused rather than rounded.
    package init(json: [UInt8]) throws(PolicyError) {
        let value: JSONValue
        do { value = try JSONValue.parse(written: json, limits: JSONLimits(maximumBytes: Self.maximumBytes)) } catch {
            throw PolicyError(.syntax, at: "", error.description)
        }
        try self.init(value)
    }

    /// Reads a policy that is parsed already.
    package init(_ value: JSONValue) throws(PolicyError) { (version, authorities) = try PolicyParser.parse(value) }

    /// The version that a service writes back: "1.0.0" for the spellings that mean it and for none.
    package var normalizedVersion: String { version == nil || version == "1.0" ? "1.0.0" : version ?? "1.0.0" }
}

/// One element of the top-level `anyOf`.
package struct AuthorityEntry: Sendable, Equatable {
    /// JSON pointer of the entry.
    package let pointer: String
    /// The issuer whose tokens this entry accepts, exactly as written.
    package let authority: String
    /// `anyOf` or `allOf` with the conditions; never empty.
    package let conditions: ConditionGroup
}

/// A list of conditions and how they are joined.
package struct ConditionGroup: Sendable, Equatable {
    package enum Join: String, Sendable {
        case any = "anyOf"
        case all = "allOf"
    }

    /// JSON pointer of the list.
    package let pointer: String
    package let join: Join
    /// Never empty.
    package let conditions: [Condition]
}

/// One element of a condition list.
package enum Condition: Sendable, Equatable {
    case claim(ClaimCondition)
    case group(ConditionGroup)
}

/// A statement about one claim of the token.
package struct ClaimCondition: Sendable, Equatable {
    package enum Operator: String, Sendable, CaseIterable { case equals, notEquals, less, lessOrEquals, greater, greaterOrEquals, exists }

    /// JSON pointer of the condition.
    package let pointer: String
    /// Claim name; dots lead into nested objects (`x-ms-isolation-tee.x-ms-compliance-status`).
    package let claim: String
    package let `operator`: Operator
    /// A string, a number or a boolean, as written.
    package let wanted: JSONValue
}
