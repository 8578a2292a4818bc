internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// PUT /keys/{name} (KeyStores.md, "Import").
extension KeyStoreService {
    /// Longest symmetric key in bytes.
    static let maximumSymmetricBytes = 64

    func importKey(_ name: String, _ call: Call) throws(KeyStoreRefusal) -> SimulatorResponse {
        let body = try document(call)
        let key: JSONCursor
        let requested: String
        var isHSM = false
        let isWrapped: Bool
        do {
            key = try body.member("key")
            isWrapped = try key.optional("key_hsm") != nil
            requested = try key.string("kty")
            // Clients write `hsm` and `Hsm`.
            for member in try body.members() where member.name.lowercased() == "hsm" && member.value.value != .null {
                isHSM = try member.value.boolean()
            }
        } catch { throw .badParameter("Property has invalid value: \(error.description)") }
        guard let type = personality.storedType(requested, hsm: isHSM) else {
            throw .badParameter("Property has invalid value: kty", because: "the service has no keys of this type")
        }
        guard !isWrapped else { throw KeyStoreRefusal(.wrappedImport) }
        let input = try KeyInput(body, keyOperations: key, apiVersion: call.apiVersion, personality)
        let material: KeyMaterial
        do { material = try Self.material(key, type) } catch let error as JSONError {
            throw .badParameter("JSON Web Key: \(error.description)")
        } catch let error as CryptoError { throw .badParameter("JSON Web Key: the key is not valid", because: error.description) } catch let
            error as KeyStoreRefusal
        { throw error } catch { throw .badParameter("JSON Web Key: the key cannot be read") }
        return try addVersion(name, type: type, material: material, input: input, call)
    }

    private static func material(_ key: JSONCursor, _ type: String) throws -> KeyMaterial {
        switch type {
        case "RSA", "RSA-HSM":
            let modulus = try number(key, "n")
            guard [256, 384, 512].contains(modulus.count) else {
                throw try key.member("n").invalid("RSA keys have 2048, 3072 or 4096 bits")
            }
            return try KeyMaterial(
                PrivateKey(
                    rsa: RSAPrivateNumbers(
                        n: modulus, e: number(key, "e"), d: number(key, "d"), p: number(key, "p"), q: number(key, "q"),
                        dp: number(key, "dp"), dq: number(key, "dq"), qi: number(key, "qi"))))
        case "EC", "EC-HSM":
            guard let curve = EllipticCurve(rawValue: try key.string("crv")) else {
                throw try key.member("crv").invalid("the simulator knows P-256, P-384 and P-521")
            }
            let count = curve.coordinateByteCount
            return try KeyMaterial(
                PrivateKey(ec: curve, d: coordinate(key, "d", count), x: coordinate(key, "x", count), y: coordinate(key, "y", count)))
        default:
            var bytes = try bytes(key, "k")
            defer { bytes.withUnsafeMutableBytes { wipe($0) } }
            guard bytes.count <= maximumSymmetricBytes else {
                throw KeyStoreRefusal.badParameter(
                    "JSON Web Key: k property of oct key is too large, maximum size is \(maximumSymmetricBytes)")
            }
            return .symmetric(KeyMaterial.Secret(copying: bytes))
        }
    }

    /// Base64 of either alphabet, padded or not.
    private static func bytes(_ key: JSONCursor, _ name: String) throws(JSONError) -> [UInt8] {
        let member = try key.member(name)
        guard let bytes = Base64.decodeLenient(try member.string()), !bytes.isEmpty else { throw member.invalid("not base64url") }
        return bytes
    }

    /// An unsigned number; leading zeros are tolerated, as the services do.
    private static func number(_ key: JSONCursor, _ name: String) throws(JSONError) -> [UInt8] {
        Array(try bytes(key, name).drop { $0 == 0 })
    }

    /// A number in exactly the curve's size.
    private static func coordinate(_ key: JSONCursor, _ name: String, _ count: Int) throws(JSONError) -> [UInt8] {
        let digits = try number(key, name)
        guard digits.count <= count else { throw try key.member(name).invalid("too long for the curve") }
        return [UInt8](repeating: 0, count: count - digits.count) + digits
    }
}
