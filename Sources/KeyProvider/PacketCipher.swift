package import OpenSSLCrypto
package import SecureMemory

extension AnnotationPacket {
    /// What wrapped data can be opened with.
    package enum Key: ~Copyable {
        case rsa(KeyHandle)
        case symmetric(SecretBytes)
        /// A key of a kind that opens no packet, by its name.
        case other(String)
    }

    /// Why a packet does not open.
    package enum OpeningFailure: Error, Sendable, Equatable {
        /// The key is of another kind, or of another size, than the packet wants; in words.
        case wrongKind(String)
        /// It is not the key, or the packet is damaged. One answer for all cases.
        case unopened
    }

    /// The wrapped data in the clear.
    package func open(with key: borrowing Key) throws(OpeningFailure) -> SecretBytes {
        switch wrapping {
        case .block: return try Self.open(wrappedData, with: Self.rsa(key))
        case .envelope(let wrappedKey, let iv):
            let inner = try Self.open(wrappedKey, with: Self.rsa(key))
            guard let opened = ContentCipher.a256gcm.open(wrappedData, key: inner, iv: iv) else { throw .unopened }
            return opened
        case .symmetric(let cipher, let iv, _):
            switch key {
            case .symmetric(let secret):
                guard secret.count == ContentCipher.keyByteCount else {
                    throw .wrongKind("the packet is wrapped to a key of 256 bits, and the released one has \(secret.count * 8)")
                }
                guard let opened = cipher.open(wrappedData, key: secret, iv: iv) else { throw .unopened }
                return opened
            default:
                throw .wrongKind("the packet is wrapped to a symmetric key (\(cipher.rawValue)), and the released key is \(key.name)")
            }
        }
    }

    private static func rsa(_ key: borrowing Key) throws(OpeningFailure) -> KeyHandle {
        switch key {
        case .rsa(let key): return key
        default: throw .wrongKind("the packet is wrapped to an RSA key, and the released key is \(key.name)")
        }
    }

    private static func open(_ block: [UInt8], with key: KeyHandle) throws(OpeningFailure) -> SecretBytes {
        guard case .rsa(let bits) = key.kind, block.count == (bits + 7) / 8 else { throw .unopened }
        do { return try KeyWrap.oaepUnwrap(block, with: key, digest: .sha256) } catch { throw .unopened }
    }

    // MARK: Making

    /// Wraps `content` to an RSA key: in one block, as the original does, where it fits, otherwise in an envelope. `nil` where the key is
    /// not RSA of at least 2048 bits.
    package static func wrap(
        _ content: borrowing SecretBytes, to key: PublicKey, kid: String, keyStore: String = "", authority: String = "",
        inEnvelope: Bool? = nil
    ) -> AnnotationPacket? {
        guard case .rsa(let bits) = key.kind, bits >= 2048 else { return nil }
        guard inEnvelope ?? (content.count > longestBlockContent(bits: bits)) else {
            guard let block = try? KeyWrap.oaepWrap(content, to: key, digest: .sha256) else { return nil }
            return AnnotationPacket(kid: kid, .block(type: "rsa_\(bits)"), block, keyStore: keyStore, authority: authority)
        }
        let inner = SecureRandom.secret(ContentCipher.keyByteCount)
        let iv = SecureRandom.bytes(ContentCipher.a256gcm.ivByteCount)
        guard let block = try? KeyWrap.oaepWrap(inner, to: key, digest: .sha256),
            let sealed = ContentCipher.a256gcm.seal(content, key: inner, iv: iv)
        else { return nil }
        return AnnotationPacket(kid: kid, .envelope(key: block, iv: iv), sealed, keyStore: keyStore, authority: authority)
    }

    /// RFC 8017, section 7.1.1: two digests and two more bytes of each block are overhead.
    package static func longestBlockContent(bits: Int) -> Int { bits / 8 - 66 }

    /// Wraps `content` to a symmetric key, as Confidential Containers' tool does. `nil` where the key does not have 32 bytes.
    package static func wrap(
        _ content: borrowing SecretBytes, to key: borrowing SecretBytes, _ cipher: ContentCipher, kid: String, version: Int
    ) -> AnnotationPacket? {
        let iv = SecureRandom.bytes(cipher.ivByteCount)
        guard let sealed = cipher.seal(content, key: key, iv: iv) else { return nil }
        return AnnotationPacket(kid: kid, .symmetric(cipher, iv: iv, version: version), sealed)
    }
}

extension AnnotationPacket.Key {
    /// For a sentence: "an RSA key".
    package var name: String {
        switch self {
        case .rsa: "an RSA key"
        case .symmetric: "a symmetric key"
        case .other(let name): name
        }
    }
}
