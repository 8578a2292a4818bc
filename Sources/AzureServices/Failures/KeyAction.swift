/// What is asked of a key store, for the words about a missing permission (KeyStores.md, "Permissions").
package enum KeyAction: String, Sendable, CaseIterable {
    case release, `import`, read, list, update

    /// The permission of a vault's access policy.
    package var accessPolicyPermission: String { self == .read ? "get" : rawValue }

    package var vaultDataAction: String {
        switch self {
        case .read, .list: "Microsoft.KeyVault/vaults/keys/read"
        case .release, .import, .update: "Microsoft.KeyVault/vaults/keys/\(rawValue)/action"
        }
    }

    package var managedHSMDataAction: String {
        let name =
            switch self {
            case .read, .list: "read"
            case .update: "write"
            case .release, .import: rawValue
            }
        return "Microsoft.KeyVault/managedHsm/keys/\(name)/action"
    }

    /// The smallest built-in role that has the data action.
    var vaultRole: String {
        switch self {
        case .release: "Key Vault Crypto Service Release User"
        case .import, .update: "Key Vault Crypto Officer"
        case .read, .list: "Key Vault Crypto User"
        }
    }

    /// The same with its id, by which scripts assign it.
    var managedHSMRole: (name: String, id: String) {
        switch self {
        case .release: ("Managed HSM Crypto Service Release User", "21dbd100-6940-42c2-9190-5d6cb909625c")
        case .import, .update: ("Managed HSM Crypto User", "21dbd100-6940-42c2-9190-5d6cb909625b")
        case .read, .list: ("Managed HSM Crypto Auditor", "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3")
        }
    }

    /// The end of "the caller may not …".
    private var words: String {
        switch self {
        case .release: "release this key; the policy was not looked at"
        case .import: "import keys into this store"
        case .read: "read this key"
        case .list: "list this store's keys"
        case .update: "change this key"
        }
    }

    /// The entry of the catalogue for a store that refuses the caller.
    var missingPermission: KnownFailure {
        let (role, id) = managedHSMRole
        let scope = self == .import || self == .list ? "/keys" : "/keys or the key"
        return KnownFailure(
            "\(rawValue)-permission-missing",
            [
                "ForbiddenByRbac", "AccessDenied", "ForbiddenByPolicy", "does not have keys \(accessPolicyPermission) permission",
                "is not authorized to perform action",
            ], "the caller may not \(words)",
            [
                "Key Vault with RBAC: assign the role '\(vaultRole)' on the vault or key (data action \(vaultDataAction))",
                "Key Vault with access policies: give the identity the key permission '\(accessPolicyPermission)'",
                "Managed HSM: assign the local role '\(role)' (\(id)) on \(scope) "
                    + "(data action \(managedHSMDataAction))", "a new assignment takes some minutes; then try again",
            ], action: self)
    }
}
