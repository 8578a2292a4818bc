/// What a caller may do with keys; the names are those of access policies.
public enum KeyPermission: String, Sendable, CaseIterable, Hashable {
    case create, `import`, get, list, update, delete, recover, purge, release

    /// The data action of Azure RBAC below `…/keys/`.
    var action: String {
        switch self {
        case .get, .list: "read"
        case .delete: "delete"
        default: "\(rawValue)/action"
        }
    }
}

/// Takes permissions away. Without a denial, every caller with a valid token may do everything.
public struct PermissionDenial: Sendable, Equatable {
    public var permissions: Set<KeyPermission>
    /// Client id or object id of the caller; every caller when `nil`.
    public var caller: String?
    /// Host name of the key store, without a port; every store when `nil`.
    public var host: String?

    public init(_ permissions: Set<KeyPermission>, caller: String? = nil, host: String? = nil) {
        self.permissions = permissions
        self.caller = caller
        self.host = host
    }

    func applies(to caller: AccessTokenIssuer.Caller, at host: String, _ permission: KeyPermission) -> Bool {
        guard permissions.contains(permission), self.host == nil || self.host?.lowercased() == host else {
            return false
        }
        guard let name = self.caller?.lowercased() else { return true }
        return name == caller.clientID.lowercased() || name == caller.objectID.lowercased()
    }
}
