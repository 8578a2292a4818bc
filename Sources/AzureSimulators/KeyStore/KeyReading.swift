internal import OpenSSLCrypto
internal import StrictJSON

/// Get and list (KeyStores.md, "Keys in answers").
extension KeyStoreService {
    func get(_ name: String, version: String?, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let (record, found) = try find(name, version: version, call)
        return SimulatorResponse(json: .object(bundle(record, found, call)))
    }

    /// A key that is not deleted, with one of its versions.
    func find(_ name: String, version: String?, _ call: Call) throws(KeyStoreRefusal) -> (record: KeyRecord, version: KeyVersion) {
        guard let record = content.key(name, at: call.host), let found = record.version(version) else {
            throw .keyNotFound(name, version: version, personality)
        }
        return (record, found)
    }

    func list(_ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let records = content.records(at: call.host).filter { $0.deleted == nil }
        return try page(records, call, path: "/keys") { record in item(record, record.current, identifier: identifier(record, nil, call)) }
    }

    func versions(_ name: String, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        guard let record = content.key(name, at: call.host) else { throw .keyNotFound(name, personality) }
        return try page(record.versions, call, path: "/keys/\(record.name)/versions") { version in
            item(record, version, identifier: identifier(record, version, call))
        }
    }

    func listDeleted(_ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let records = content.records(at: call.host).filter { $0.deleted != nil }
        return try page(records, call, path: "/deletedkeys") { record in
            var item = item(record, record.current, identifier: identifier(record, nil, call))
            addDeletion(record, call, to: &item)
            return item
        }
    }

    /// List items have no release policy; that takes a get per key.
    private func item(_ record: KeyRecord, _ version: KeyVersion, identifier: String) -> JSONObject {
        var item: JSONObject = ["kid": .string(identifier), "attributes": .object(attributes(record, version))]
        if let tags = version.tags { item.set("tags", .object(tags)) }
        return item
    }

    /// One page; `nextLink` is absolute and is to be followed as it is.
    private func page<Element>(_ all: [Element], _ call: Call, path: String, _ describe: (Element) -> JSONObject) throws(KeyStoreRefusal)
        -> SimulatorResponse
    {
        let size = Int(call.request.queryValue("maxresults") ?? "25")
        guard let size, (1...25).contains(size) else { throw .badParameter("The maxresults parameter must be between 1 and 25.") }
        var start = 0
        if let token = call.request.queryValue("$skiptoken") {
            guard let bytes = Base64.decodeURL(token), let position = Int(String(decoding: bytes, as: UTF8.self)), position >= 0 else {
                throw .badParameter("The $skiptoken parameter is not valid.")
            }
            start = position
        }
        let slice = all.dropFirst(start).prefix(size)
        let next = start + slice.count
        var link = JSONValue.null
        if next < all.count {
            let token = Base64.encodeURL(Array(String(next).utf8))
            link = .string("\(call.request.origin)\(path)?api-version=\(call.apiVersion)&$skiptoken=\(token)&maxresults=\(size)")
        }
        return SimulatorResponse(json: ["value": .array(slice.map { .object(describe($0)) }), "nextLink": link])
    }
}
