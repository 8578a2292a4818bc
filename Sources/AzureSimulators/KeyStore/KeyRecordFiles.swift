internal import OpenSSLCrypto
internal import ReleasePolicy
internal import SecureMemory
internal import StrictJSON

/// Keys on disk: `HOST_NAME.json` describes a key, `VERSION.secret` holds the secret part of one version (PKCS#8 DER, or raw bytes).
struct KeyRecordFiles: Sendable {
    let directory: StateDirectory

    /// Writes or removes a key. The description comes last, so that it never speaks of a secret that is not there.
    func replace(_ old: KeyRecord?, with new: KeyRecord?, name: String, host: String) throws(SimulatorError) {
        let before = Set((old?.versions ?? []).map(\.identifier))
        let after = Set((new?.versions ?? []).map(\.identifier))
        for version in new?.versions ?? [] where !before.contains(version.identifier) { try write(version) }
        let file = "\(host)_\(name).json"
        if let new {
            try directory.write(file, Self.document(new, host: host).serialized(pretty: true))
        } else {
            try directory.remove(file)
        }
        for identifier in before.subtracting(after) { try directory.remove("\(identifier).secret") }
    }

    private func write(_ version: KeyVersion) throws(SimulatorError) {
        try version.material.plaintext.bytes.withUnsafeBytes { bytes throws(SimulatorError) in
            try directory.write("\(version.identifier).secret", bytes)
        }
    }

    // MARK: Reading

    /// All keys, by host and lower-case name.
    func loadAll() throws(SimulatorError) -> [String: [String: KeyRecord]] {
        var stores: [String: [String: KeyRecord]] = [:]
        for file in try directory.names() where file.hasSuffix(".json") {
            guard let bytes = try directory.read(file) else { continue }
            do {
                let (host, record) = try load(bytes)
                stores[host, default: [:]][record.name.lowercased()] = record
            } catch { throw SimulatorError("cannot read \(directory.path)/\(file): \(error)") }
        }
        return stores
    }

    private func load(_ bytes: [UInt8]) throws -> (String, KeyRecord) {
        let document = try JSONCursor.parse(bytes)
        guard try document.integer("format") == 1 else { throw SimulatorError("written by another version") }
        var policy: StoredPolicy?
        if let stored = try document.optional("policy") {
            policy = StoredPolicy(
                policy: try ReleasePolicy(json: Array(try stored.string("text").utf8)), isImmutable: try stored.boolean("immutable"),
                contentType: try stored.string("contentType"))
        }
        let versions = try document.array("versions").map { try version($0) }
        guard !versions.isEmpty else { throw SimulatorError("the key has no version") }
        let record = KeyRecord(
            name: try document.string("name"), isExportable: try document.boolean("exportable"), policy: policy, versions: versions,
            deleted: try document.optionalInteger("deleted"))
        return (try document.string("host"), record)
    }

    private func version(_ cursor: JSONCursor) throws -> KeyVersion {
        let identifier = try cursor.string("version")
        guard identifier.utf8.count == 32, Hex.decode(identifier) != nil else { throw cursor.invalid("the version is not an identifier") }
        let type = try cursor.string("kty")
        guard var secret = try directory.read("\(identifier).secret") else { throw SimulatorError("\(identifier).secret is missing") }
        defer { secret.withUnsafeMutableBytes { wipe($0) } }
        let material: KeyMaterial =
            if type == "oct-HSM" { .symmetric(KeyMaterial.Secret(copying: secret)) } else {
                try KeyMaterial(secret.withUnsafeBytes { try PrivateKey(pkcs8DER: $0) })
            }
        return KeyVersion(
            identifier: identifier, type: type, material: material, operations: try cursor.array("key_ops").map { try $0.string() },
            isEnabled: try cursor.boolean("enabled"), notBefore: try cursor.optionalInteger("nbf"),
            expires: try cursor.optionalInteger("exp"), created: try cursor.integer("created"), updated: try cursor.integer("updated"),
            tags: try cursor.optional("tags")?.object())
    }

    // MARK: Writing

    private static func document(_ record: KeyRecord, host: String) -> JSONValue {
        var document: JSONObject = [
            "format": 1, "host": .string(host), "name": .string(record.name), "exportable": .boolean(record.isExportable),
        ]
        if let deleted = record.deleted { document.set("deleted", .integer(deleted)) }
        if let policy = record.policy {
            document.set(
                "policy",
                [
                    "text": .string(String(decoding: policy.policy.serialized(style: .vault), as: UTF8.self)),
                    "immutable": .boolean(policy.isImmutable), "contentType": .string(policy.contentType),
                ])
        }
        document.set("versions", .array(record.versions.map { .object(describe($0)) }))
        return .object(document)
    }

    private static func describe(_ version: KeyVersion) -> JSONObject {
        var object: JSONObject = [
            "version": .string(version.identifier), "kty": .string(version.type), "key_ops": .array(version.operations.map { .string($0) }),
            "enabled": .boolean(version.isEnabled), "created": .integer(version.created), "updated": .integer(version.updated),
        ]
        if let time = version.notBefore { object.set("nbf", .integer(time)) }
        if let time = version.expires { object.set("exp", .integer(time)) }
        if let tags = version.tags { object.set("tags", .object(tags)) }
        return object
    }
}
