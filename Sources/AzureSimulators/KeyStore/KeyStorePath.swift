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
    case getDeleted(name: String)
    case listDeleted
    case recover(name: String)
    case purge(name: String)
    /// Real, but not simulated: encrypt, sign, rotate, backup, …
    case unsupported
    /// Not a path of the service.
    case unknown

    init(_ request: SimulatorRequest) {
        var path = request.segments
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
        case ("GET", "keys", 2) where path[1].lowercased() == "rotationpolicy": self = .unsupported
        case ("GET", "keys", 2): self = .get(name: path[0], version: Self.version(path[1]))
        case ("PATCH", "keys", 2): self = .update(name: path[0], version: Self.version(path[1]))
        case ("POST", "keys", 2), ("POST", "keys", 3): self = Self.action(path)
        case ("GET", "keys", 3) where path[2].lowercased() == "attestation": self = .unsupported
        case ("PUT", "keys", 2) where path[1].lowercased() == "rotationpolicy": self = .unsupported
        case ("POST", "rng", 0): self = .unsupported
        default: self = .unknown
        }
    }

    /// `{name}/{action}` and `{name}/{version}/{action}`; clients without a version also write `{name}//{action}`.
    private static func action(_ path: [String]) -> KeyStoreOperation {
        let version = path.count == 3 ? version(path[1]) : nil
        return switch path[path.count - 1].lowercased() {
        case "release": .release(name: path[0], version: version)
        case "create" where path.count == 2: .create(name: path[0])
        case "encrypt", "decrypt", "sign", "verify", "wrapkey", "unwrapkey", "rotate", "backup", "restore": .unsupported
        default: .unknown
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
        case .recover: .keyRecover
        case .purge: .keyPurge
        case .unsupported, .unknown: .other
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
        case .recover: .recover
        case .purge: .purge
        case .unsupported, .unknown: nil
        }
    }

    /// The key that is meant.
    var name: String? {
        switch self {
        case .create(let name), .import(let name), .get(let name, _), .versions(let name), .update(let name, _), .delete(let name),
            .release(let name, _), .getDeleted(let name), .recover(let name), .purge(let name):
            name
        case .list, .listDeleted, .unsupported, .unknown: nil
        }
    }
}
