internal import OpenSSLCrypto
internal import ReleasePolicy
internal import StrictJSON

/// Keys as the services describe them (KeyStores.md, "Create" and "Keys in answers"). Private parts are never in it.
extension KeyStoreService {
    /// KeyBundle of one version.
    func bundle(_ record: KeyRecord, _ version: KeyVersion, _ call: Call) -> JSONObject {
        var bundle: JSONObject = [
            "key": .object(publicKey(record, version, call, type: version.type)), "attributes": .object(attributes(record, version)),
        ]
        if let tags = version.tags { bundle.set("tags", .object(tags)) }
        if let policy = record.policy { bundle.set("release_policy", .object(describe(policy, withContentType: true))) }
        return bundle
    }

    /// The public JWK.
    func publicKey(_ record: KeyRecord, _ version: KeyVersion, _ call: Call, type: String) -> JSONObject {
        var key: JSONObject = [
            "kid": .string(identifier(record, version, call)), "kty": .string(type),
            "key_ops": .array(version.operations.map { .string($0) }),
        ]
        guard case .asymmetric(let material, _) = version.material else { return key }
        if let numbers = material.publicKey.rsaNumbers {
            key.set("n", .string(Base64.encodeURL(numbers.n)))
            let pads = personality == .vault && configuration.writesPaddedExponent && numbers.e.count < 4
            let zeros = [UInt8](repeating: 0, count: pads ? 4 - numbers.e.count : 0)
            key.set("e", .string(Base64.encodeURL(zeros + numbers.e)))
        } else if case .ec(let curve) = material.publicKey.kind, let point = material.publicKey.ecPoint {
            key.set("crv", .string(curve.rawValue))
            key.set("x", .string(Base64.encodeURL(point.x)))
            key.set("y", .string(Base64.encodeURL(point.y)))
        }
        return key
    }

    func attributes(_ record: KeyRecord, _ version: KeyVersion) -> JSONObject {
        var attributes: JSONObject = ["enabled": .boolean(version.isEnabled)]
        if let time = version.notBefore { attributes.set("nbf", .integer(time)) }
        if let time = version.expires { attributes.set("exp", .integer(time)) }
        attributes.set("created", .integer(version.created))
        attributes.set("updated", .integer(version.updated))
        attributes.set("recoveryLevel", "CustomizedRecoverable+Purgeable")
        attributes.set("recoverableDays", .integer(Self.recoverableDays))
        attributes.set("exportable", .boolean(record.isExportable))
        return attributes
    }

    /// The policy as the service writes it back, not as it was sent.
    func describe(_ policy: StoredPolicy, withContentType: Bool) -> JSONObject {
        var object: JSONObject = [:]
        if withContentType { object.set("contentType", .string(policy.contentType)) }
        object.set("data", .string(Base64.encodeURL(policy.policy.serialized(style: personality.policyStyle))))
        object.set("immutable", .boolean(policy.isImmutable))
        return object
    }

    /// `https://{host}/keys/{name}/{version}`.
    func identifier(_ record: KeyRecord, _ version: KeyVersion?, _ call: Call) -> String {
        let asked = configuration.namesKeysAsAsked ? KeyStoreOperation(call.request).name : nil
        return "\(call.request.origin)/keys/\(asked ?? record.name)" + (version.map { "/\($0.identifier)" } ?? "")
    }

    static let recoverableDays: Int64 = 7
}
