/// What a caller may do with keys; the names are those of access policies.
package enum KeyPermission: String, Sendable, CaseIterable, Hashable {
    case create, `import`, get, list, update, delete, recover, purge, release, wrapKey, unwrapKey

    /// The data action of Azure RBAC below `…/keys/`.
    var action: String {
        switch self {
        case .get, .list: "read"
        case .delete: "delete"
        // Of secure wrap, which the stores count among the ordinary ones.
        case .wrapKey: "wrap/action"
        case .unwrapKey: "unwrap/action"
        default: "\(rawValue)/action"
        }
    }
}

/// Takes permissions away. Without a denial, every caller with a valid token may do everything.
package struct PermissionDenial: Sendable, Equatable {
    package var permissions: Set<KeyPermission>
    /// Client id or object id of the caller; every caller when `nil`.
    package var caller: String?
    /// Host name of the key store, without a port; every store when `nil`.
    package var host: String?

    package init(_ permissions: Set<KeyPermission>, caller: String? = nil, host: String? = nil) {
        self.permissions = permissions
        self.caller = caller
        self.host = host
    }

    func applies(to caller: AccessTokenIssuer.Caller, at host: String, _ permission: KeyPermission) -> Bool {
        guard permissions.contains(permission), self.host == nil || self.host?.lowercased() == host else { return false }
        guard let name = self.caller?.lowercased() else { return true }
        return name == caller.clientID.lowercased() || name == caller.objectID.lowercased()
    }
}
