internal import StrictJSON

extension ReleasePolicy {
    /// How a service writes a policy back (ReleasePolicies.md, "Written back").
    package enum Style: Sendable {
        /// Key Vault: `version` before `anyOf`, `authority` before its conditions; the version as it was sent.
        case vault
        /// Managed HSM: members in alphabetical order; "1.0" becomes "1.0.0".
        case managedHSM
    }

    /// Compact UTF-8 JSON. The alias `{"claim","condition","value"}` comes out in the form of the grammar. A document without a version
    /// gets "1.0.0".
    package func serialized(style: Style) -> [UInt8] {
        let entries = JSONValue.array(
            authorities.map { entry in ["authority": .string(entry.authority), entry.conditions.join.rawValue: Self.list(entry.conditions)]
            })
        switch style {
        case .vault:
            let document: JSONValue = ["version": .string(version ?? normalizedVersion), "anyOf": entries]
            return document.serialized()
        case .managedHSM:
            let document: JSONValue = ["version": .string(normalizedVersion), "anyOf": entries]
            return document.serialized(sortedKeys: true)
        }
    }

    private static func list(_ group: ConditionGroup) -> JSONValue {
        .array(
            group.conditions.map { condition in
                switch condition {
                case .claim(let claim): ["claim": .string(claim.claim), claim.operator.rawValue: claim.wanted]
                case .group(let nested): [nested.join.rawValue: list(nested)]
                }
            })
    }
}
