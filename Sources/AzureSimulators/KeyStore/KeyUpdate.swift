internal import StrictJSON

/// PATCH /keys/{name}[/{version}] (KeyStores.md, "Refusals" and "Exportable keys"; ReleasePolicies.md, "Changes").
extension KeyStoreService {
    func update(_ name: String, version: String?, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let body = try document(call)
        let input = try KeyInput(body, keyOperations: body, apiVersion: call.apiVersion, personality)
        let personality = personality
        let sent = input.policy
        let (isEnabled, notBefore, expires) = (input.isEnabled, input.notBefore, input.expires)
        let (operations, tags, isExportable) = (input.operations, input.tags, input.isExportable)
        let wrapsSecurely = input.wrapsSecurely
        let now = call.now
        let (record, changed) = try content.change(name, at: call.host) { (stored) throws(KeyStoreRefusal) -> (KeyRecord, KeyVersion) in
            guard var record = stored, record.deleted == nil,
                let index = record.versions.lastIndex(where: { version == nil || $0.identifier == version })
            else { throw .keyNotFound(name, version: version, personality) }
            if let isExportable, isExportable != record.isExportable {
                throw .skr(1014, "Cannot modify the exportable state of a key.", personality)
            }
            if sent != nil, version != nil { throw .skr(1016, "Key Release Policy can only be set on versionless key", personality) }
            let secures = wrapsSecurely || operations == nil && record.versions[index].wrapsSecurely
            if sent != nil || wrapsSecurely {
                record.policy = try Self.policy(
                    old: record.policy, sent: sent, exports: record.isExportable, wrapsSecurely: secures, type: record.current.type,
                    personality)
            }
            if let isEnabled { record.versions[index].isEnabled = isEnabled }
            if let notBefore { record.versions[index].notBefore = notBefore }
            if let expires { record.versions[index].expires = expires }
            if let operations { record.versions[index].operations = operations }
            if let tags { record.versions[index].tags = tags }
            record.versions[index].updated = now
            stored = record
            return (record, record.versions[index])
        }
        return SimulatorResponse(json: .object(bundle(record, changed, call)))
    }
}
