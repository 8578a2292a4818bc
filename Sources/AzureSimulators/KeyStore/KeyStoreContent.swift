internal import Synchronization

/// The keys of every store, by host and name. Changes reach the disk before they are seen.
final class KeyStoreContent: Sendable {
    /// More stores than this are not kept.
    static let maximumStores = 1000
    /// More keys than this are not kept in one store.
    static let maximumKeys = 10_000

    private let files: KeyRecordFiles?
    private let stores: Mutex<[String: [String: KeyRecord]]>

    init(directory: StateDirectory?) throws(SimulatorError) {
        if let directory {
            let files = KeyRecordFiles(directory: try directory.directory("keys"))
            stores = Mutex(try files.loadAll())
            self.files = files
        } else {
            stores = Mutex([:])
            files = nil
        }
    }

    /// A key that is not deleted.
    func key(_ name: String, at host: String) -> KeyRecord? { record(name, at: host).flatMap { $0.deleted == nil ? $0 : nil } }

    /// A key, deleted or not.
    func record(_ name: String, at host: String) -> KeyRecord? { stores.withLock { $0[host]?[name.lowercased()] } }

    /// Every key of a store, in the order of names.
    func records(at host: String) -> [KeyRecord] {
        stores.withLock { stores in (stores[host] ?? [:]).sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Changes one key: `body` gets what is there and leaves what shall be there. Nobody else changes the store meanwhile.
    func change<Result: Sendable>(_ name: String, at host: String, _ body: @Sendable (inout KeyRecord?) throws(KeyStoreRefusal) -> Result)
        throws(KeyStoreRefusal) -> Result
    {
        let outcome = stores.withLock { stores -> Swift.Result<Result, KeyStoreRefusal> in
            do throws(KeyStoreRefusal) {
                let key = name.lowercased()
                let old = stores[host]?[key]
                var record = old
                let result = try body(&record)
                if old == nil, record != nil {
                    guard stores[host] != nil || stores.count < Self.maximumStores, stores[host]?.count ?? 0 < Self.maximumKeys else {
                        throw KeyStoreRefusal(403, "Forbidden", "The simulator keeps no more keys.", inner: "QuotaExceeded")
                    }
                }
                try persist(old, record, name: key, host: host)
                stores[host, default: [:]][key] = record
                return .success(result)
            } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private func persist(_ old: KeyRecord?, _ new: KeyRecord?, name: String, host: String) throws(KeyStoreRefusal) {
        guard let files else { return }
        do { try files.replace(old, with: new, name: name, host: host) } catch {
            throw KeyStoreRefusal(
                500, "InternalServerError", "The simulator cannot write to its key directory.", because: error.description)
        }
    }
}
