internal import StrictJSON

/// Delete, recover and purge (KeyStores.md, "Routes" and "Keys in answers").
extension KeyStoreService {
    func delete(_ name: String, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let personality = personality
        let now = call.now
        let record = try content.change(name, at: call.host) { (stored) throws(KeyStoreRefusal) -> KeyRecord in
            guard var record = stored, record.deleted == nil else { throw .keyNotFound(name, personality) }
            record.deleted = now
            stored = record
            return record
        }
        return SimulatorResponse(json: .object(deletedBundle(record, call)))
    }

    func getDeleted(_ name: String, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        guard let record = content.record(name, at: call.host), record.deleted != nil else { throw .deletedKeyNotFound(name) }
        return SimulatorResponse(json: .object(deletedBundle(record, call)))
    }

    func recover(_ name: String, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let record = try content.change(name, at: call.host) { (stored) throws(KeyStoreRefusal) -> KeyRecord in
            guard var record = stored, record.deleted != nil else { throw .deletedKeyNotFound(name) }
            record.deleted = nil
            stored = record
            return record
        }
        return SimulatorResponse(json: .object(bundle(record, record.current, call)))
    }

    func purge(_ name: String, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        try content.change(name, at: call.host) { (stored) throws(KeyStoreRefusal) in
            guard stored?.deleted != nil else { throw .deletedKeyNotFound(name) }
            stored = nil
        }
        return SimulatorResponse(204)
    }

    private func deletedBundle(_ record: KeyRecord, _ call: Call) -> JSONObject {
        var bundle = bundle(record, record.current, call)
        addDeletion(record, call, to: &bundle)
        return bundle
    }

    func addDeletion(_ record: KeyRecord, _ call: Call, to object: inout JSONObject) {
        guard let deleted = record.deleted else { return }
        object.set("recoveryId", .string("\(call.request.origin)/deletedkeys/\(record.name)"))
        object.set("deletedDate", .integer(deleted))
        object.set("scheduledPurgeDate", .integer(deleted + Self.recoverableDays * 86_400))
    }
}
