internal import OpenSSLCrypto
internal import StrictJSON

/// POST /keys/{name}/create (KeyStores.md, "Create").
extension KeyStoreService {
    func create(_ name: String, _ call: Call) async throws(KeyStoreRefusal) -> SimulatorResponse {
        let body = try document(call)
        if case .object(let members) = body.value {
            if case .object(let attributes)? = members["attributes"], attributes["external_key"] != nil {
                throw KeyStoreRefusal(.externalKey)
            }
            if case .string(let type)? = members["kty"], type.hasPrefix("AKP") { throw KeyStoreRefusal(.postQuantum) }
        }
        let requested: String
        let shape: KeyMaterial.Shape
        do {
            requested = try body.string("kty")
            shape = try Self.shape(requested, body)
        } catch { throw .badParameter("Property has invalid value: \(error.description)") }
        guard let type = personality.storedType(requested, hsm: false) else {
            throw .badParameter("Property has invalid value: kty", because: "the service has no keys of this type")
        }
        let input = try KeyInput(body, keyOperations: body, apiVersion: call.apiVersion, personality)
        // Refuse before the work: an RSA key of 4096 bits takes a while.
        _ = try Self.policyProbe(input, type, personality, old: content.record(name, at: call.host))
        let material: KeyMaterial
        do { material = try await offload { try KeyMaterial.generate(shape) } } catch {
            throw KeyStoreRefusal(500, "InternalServerError", "The key cannot be made.")
        }
        return try addVersion(name, type: type, material: material, input: input, call)
    }

    private static func policyProbe(_ input: KeyInput, _ type: String, _ personality: KeyStorePersonality, old: KeyRecord?)
        throws(KeyStoreRefusal) -> StoredPolicy?
    {
        try policy(
            old: old?.policy, sent: input.policy, exports: input.isExportable ?? old?.isExportable ?? false,
            wrapsSecurely: input.wrapsSecurely, type: type, personality)
    }

    private static func shape(_ type: String, _ body: JSONCursor) throws(JSONError) -> KeyMaterial.Shape {
        let size = try body.optionalInteger("key_size")
        switch type {
        case "RSA", "RSA-HSM":
            guard [nil, 2048, 3072, 4096].contains(size) else {
                throw try body.member("key_size").invalid("RSA keys have 2048, 3072 or 4096 bits")
            }
            return .rsa(bits: Int(size ?? 2048))
        case "EC", "EC-HSM":
            let name = try body.optionalString("crv") ?? "P-256"
            guard let curve = EllipticCurve(rawValue: name) else {
                throw try body.member("crv").invalid("the simulator knows P-256, P-384 and P-521")
            }
            return .ec(curve)
        case "oct", "oct-HSM":
            guard [nil, 128, 192, 256].contains(size) else {
                throw try body.member("key_size").invalid("symmetric keys have 128, 192 or 256 bits")
            }
            return .symmetric(bits: Int(size ?? 256))
        default: throw try body.member("kty").invalid("unknown key type")
        }
    }
}
