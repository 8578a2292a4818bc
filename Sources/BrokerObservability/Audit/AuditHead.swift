package import BrokerCore
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// The last line that was written, in a file beside the audit: without it nobody could notice that lines are gone from the end. With a key
/// it has a keyed digest, so that only its owner can write one (Audit.md, "Head").
struct AuditHead {
    let position: AuditPosition
    let mac: String?

    init(_ position: AuditPosition, key: AuditKey?) throws(CryptoError) {
        self.position = position
        mac = try key.map { (key) throws(CryptoError) in try key.mac(of: position) }
    }

    /// `nil` where the bytes are no head.
    init?(_ bytes: [UInt8]) {
        guard let object = try? JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: 1 << 10)),
            let sequence = try? object.integer("seq"), let hash = try? object.string("hash")
        else { return nil }
        position = AuditPosition(sequence: sequence, hash: hash)
        mac = try? object.optionalString("mac")
    }

    /// Always the same length for the same kind, so that it is overwritten in place.
    var bytes: [UInt8] {
        let digits = String(position.sequence)
        let padding = String(repeating: " ", count: max(0, 20 - digits.utf8.count))
        let keyed = mac.map { #","mac":"\#($0)""# } ?? ""
        return Array("{\"seq\":\(padding)\(digits),\"hash\":\"\(position.hash)\"\(keyed)}\n".utf8)
    }
}

/// The key of `audit.key-file`.
package final class AuditKey: Sendable {
    private let secret: SecretBytes

    /// 32 to 4,096 bytes, as they are in the file.
    package init(file: String) throws(BoundedFile.Failure) {
        secret = try BoundedFile.readSecret(file, limit: 4096)
        guard secret.count >= 32 else { throw BoundedFile.Failure(description: "\(file): shorter than 32 bytes") }
    }

    func mac(of position: AuditPosition) throws(CryptoError) -> String {
        let text = Array("attestation-broker audit\n\(position.sequence)\n\(position.hash)".utf8)
        return try secret.withUnsafeBytes { (key) throws(CryptoError) in Hex.encode(try HMAC.sha256(key: key, text)) }
    }
}
