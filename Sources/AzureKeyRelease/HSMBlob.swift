internal import AttestationTokens
internal import OpenSSLCrypto
internal import StrictJSON

/// `key_hsm`: base64url of `{"schema_version":"1.0","header":{"kid":…,"alg":"dir","enc":…},"ciphertext":…}`
/// (KeyStores.md, "Release answer").
struct HSMBlob {
    let algorithm: KeyWrapAlgorithm
    let wrappingKey: MAAToken.EncryptionKey?

    /// A 16384-bit RSA key has under 10 KB in PKCS#8, an oct key 64 bytes.
    static let maximumCiphertextBytes = 16 * 1024
    private static let maximumBytes = 2 * maximumCiphertextBytes

    func ciphertext(in member: JSONCursor) throws(JSONError) -> [UInt8] {
        let encoded = try member.string()
        guard encoded.utf8.count <= 2 * Self.maximumBytes, let bytes = Base64.decodeURL(encoded) else {
            throw member.invalid("too long or not base64url")
        }
        let document: JSONCursor
        do {
            let value = try JSONValue.parse(bytes, limits: JSONLimits(maximumBytes: Self.maximumBytes, maximumDepth: 8))
            document = JSONCursor(value, path: member.path)
        } catch { throw member.invalid(error.description) }
        let version = try document.member("schema_version")
        guard try version.string() == "1.0" else { throw version.invalid("another version than 1.0") }
        let header = try document.member("header")
        try equal(try header.member("alg"), "dir")
        try equal(try header.member("enc"), algorithm.rawValue)
        if let kid = wrappingKey?.kid { try equal(try header.member("kid"), kid) }
        let text = try document.member("ciphertext")
        guard let ciphertext = Base64.decodeURL(try text.string()) else { throw text.invalid("not base64url") }
        if let complaint = complaint(about: ciphertext) { throw text.invalid(complaint) }
        return ciphertext
    }

    private func equal(_ member: JSONCursor, _ wanted: String) throws(JSONError) {
        guard try member.string().utf8.elementsEqual(wanted.utf8) else { throw member.invalid("not \(wanted)") }
    }

    /// One RSA block, then the output of AES key wrap with padding: at least two and always whole 8-byte blocks (RFC 5649, 4.1).
    private func complaint(about ciphertext: [UInt8]) -> String? {
        let first = wrappingKey?.modulusByteCount ?? 256
        let wrapped = ciphertext.count - first
        if wrapped < 16 { return "\(ciphertext.count) bytes are too short for a \(first * 8)-bit wrapping key" }
        if ciphertext.count > Self.maximumCiphertextBytes { return "\(ciphertext.count) bytes are too long for a key" }
        if wrapped % 8 != 0 { return "not an RSA block followed by AES key wrap blocks" }
        return nil
    }
}
