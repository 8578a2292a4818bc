/// A request to a key store, by method and path (KeyStores.md, "Routes").
enum KeyStoreOperation: Equatable, Sendable {
    case create(name: String)
    case `import`(name: String)
    case get(name: String, version: String?)
    case versions(name: String)
    case list
    case update(name: String, version: String?)
    case delete(name: String)
    case release(name: String, version: String?)
    case secureWrap(name: String, version: String?)
    case secureUnwrap(name: String, version: String?)
    case getDeleted(name: String)
    case listDeleted
    case recover(name: String)
    case purge(name: String)
    /// Real, but not simulated; with the key that it is about.
    case unsimulated(UnsimulatedOperation, name: String?)
    /// Not a path of the service.
    case unknown

    init(_ request: SimulatorRequest) {
        var path = request.segments
        if let operation = UnsimulatedOperation.ofStore(path.map { $0.lowercased() }) {
            self = .unsimulated(operation, name: nil)
            return
        }
        guard !path.isEmpty else {
            self = .unknown
            return
        }
        let collection = path.removeFirst().lowercased()
        switch (request.method, collection, path.count) {
        case ("GET", "keys", 0): self = .list
        case ("GET", "deletedkeys", 0): self = .listDeleted
        case ("GET", "deletedkeys", 1): self = .getDeleted(name: path[0])
        case ("DELETE", "deletedkeys", 1): self = .purge(name: path[0])
        case ("POST", "deletedkeys", 2) where path[1].lowercased() == "recover": self = .recover(name: path[0])
        case ("PUT", "keys", 1): self = .import(name: path[0])
        case ("GET", "keys", 1): self = .get(name: path[0], version: nil)
        case ("PATCH", "keys", 1): self = .update(name: path[0], version: nil)
        case ("DELETE", "keys", 1): self = .delete(name: path[0])
        case ("GET", "keys", 2) where path[1].lowercased() == "versions": self = .versions(name: path[0])
        case ("GET", "keys", 2) where ["rotationpolicy", "attestation"].contains(path[1].lowercased()): self = Self.action(path)
        case ("GET", "keys", 2): self = .get(name: path[0], version: Self.version(path[1]))
        case ("PATCH", "keys", 2): self = .update(name: path[0], version: Self.version(path[1]))
        case ("POST", "keys", 1) where path[0].lowercased() == "restore": self = .unsimulated(.restoreKey, name: nil)
        case ("POST", "keys", 2), ("POST", "keys", 3): self = Self.action(path)
        case ("GET", "keys", 3) where path[2].lowercased() == "attestation": self = Self.action(path)
        case ("PUT", "keys", 2) where ["rotationpolicy", "restore"].contains(path[1].lowercased()): self = Self.action(path)
        case ("POST", "rng", 0): self = .unsimulated(.randomBytes, name: nil)
        default: self = .unknown
        }
    }

    /// `{name}/{action}` and `{name}/{version}/{action}`; clients without a version also write `{name}//{action}`.
    private static func action(_ path: [String]) -> KeyStoreOperation {
        let version = path.count == 3 ? version(path[1]) : nil
        let action = path[path.count - 1].lowercased()
        return switch action {
        case "release": .release(name: path[0], version: version)
        case "securewrapkey": .secureWrap(name: path[0], version: version)
        case "secureunwrapkey": .secureUnwrap(name: path[0], version: version)
        case "create" where path.count == 2: .create(name: path[0])
        default: UnsimulatedOperation.ofKey(action).map { .unsimulated($0, name: path[0]) } ?? .unknown
        }
    }

    private static func version(_ segment: String) -> String? { segment.isEmpty ? nil : segment.lowercased() }

    var route: SimulatorRoute {
        switch self {
        case .create: .keyCreate
        case .import: .keyImport
        case .get, .getDeleted: .keyGet
        case .versions, .list, .listDeleted: .keyList
        case .update: .keyUpdate
        case .delete: .keyDelete
        case .release: .keyRelease
        case .secureWrap: .keySecureWrap
        case .secureUnwrap: .keySecureUnwrap
        case .recover: .keyRecover
        case .purge: .keyPurge
        case .unsimulated, .unknown: .other
        }
    }

    var permission: KeyPermission? {
        switch self {
        case .create: .create
        case .import: .import
        case .get, .getDeleted: .get
        case .versions, .list, .listDeleted: .list
        case .update: .update
        case .delete: .delete
        case .release: .release
        case .secureWrap: .wrapKey
        case .secureUnwrap: .unwrapKey
        case .recover: .recover
        case .purge: .purge
        case .unsimulated, .unknown: nil
        }
    }

    /// The key that is meant.
    var name: String? {
        switch self {
        case .create(let name), .import(let name), .get(let name, _), .versions(let name), .update(let name, _), .delete(let name),
            .release(let name, _), .secureWrap(let name, _), .secureUnwrap(let name, _), .getDeleted(let name), .recover(let name),
            .purge(let name):
            name
        case .unsimulated(_, let name): name
        case .list, .listDeleted, .unknown: nil
        }
    }
}
