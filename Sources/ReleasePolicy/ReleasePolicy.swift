public import StrictJSON

/// A key release policy of Key Vault or Managed HSM: who must vouch for the requester, and what the token must say.
///
/// The grammar is that of azure-protocols.md, section 2.9. Reading is strict: a member that the grammar does not know, an empty list or a second operator is
/// an error, because a condition that is skipped would release a key to somebody.
public struct ReleasePolicy: Sendable, Equatable {
    /// Longest policy text, in bytes.
    public static let maximumBytes = 256 * 1024
    /// How deep `anyOf` and `allOf` may nest below an authority; the authority's own list is level 1.
    public static let maximumNesting = 10
    /// Versions that the services accept or have accepted. "1.0" is what Managed HSM rewrites to "1.0.0"; "0.2" is in samples of 2022.
    public static let knownVersions = ["1.0.0", "1.0", "0.2"]

    /// The version as written, `nil` where the document has none. Old documents have none, and Managed HSM once refused those.
    public let version: String?
    /// Alternatives: one satisfied entry is enough. Never empty.
    public let authorities: [AuthorityEntry]

    /// Reads a policy text. Integers beyond 64 bits are refused rather than rounded.
    public init(json: [UInt8]) throws(PolicyError) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(json, limits: JSONLimits(maximumBytes: Self.maximumBytes))
        } catch {
            throw PolicyError(.syntax, at: "", error.description)
        }
        try self.init(value)
    }

    /// Reads a policy that is parsed already.
    public init(_ value: JSONValue) throws(PolicyError) {
        (version, authorities) = try PolicyParser.parse(value)
    }

    /// The version that a service writes back: "1.0.0" for the spellings that mean it and for none.
    public var normalizedVersion: String { version == nil || version == "1.0" ? "1.0.0" : version ?? "1.0.0" }
}

/// One element of the top-level `anyOf`.
public struct AuthorityEntry: Sendable, Equatable {
    /// JSON pointer of the entry.
    public let pointer: String
    /// The issuer whose tokens this entry accepts, exactly as written.
    public let authority: String
    /// `anyOf` or `allOf` with the conditions; never empty.
    public let conditions: ConditionGroup
}

/// A list of conditions and how they are joined.
public struct ConditionGroup: Sendable, Equatable {
    public enum Join: String, Sendable {
        case any = "anyOf"
        case all = "allOf"
    }

    /// JSON pointer of the list.
    public let pointer: String
    public let join: Join
    /// Never empty.
    public let conditions: [Condition]
}

/// One element of a condition list.
public enum Condition: Sendable, Equatable {
    case claim(ClaimCondition)
    case group(ConditionGroup)
}

/// A statement about one claim of the token.
public struct ClaimCondition: Sendable, Equatable {
    public enum Operator: String, Sendable, CaseIterable {
        case equals, notEquals, less, lessOrEquals, greater, greaterOrEquals, exists
    }

    /// JSON pointer of the condition.
    public let pointer: String
    /// Claim name; dots lead into nested objects (`x-ms-isolation-tee.x-ms-compliance-status`).
    public let claim: String
    public let `operator`: Operator
    /// A string, a number or a boolean, as written.
    public let wanted: JSONValue
}
