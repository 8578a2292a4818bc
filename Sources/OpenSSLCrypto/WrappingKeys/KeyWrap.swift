internal import COpenSSL
package import SecureMemory

/// The other side of `WrappingKey`: what a key store does on release. Also RFC 5649 by itself.
package enum KeyWrap {
    /// `RSA-OAEP(kek) || AES-KWP(kek, secret)` for the RSA key `key`, with a new random 256-bit `kek`.
    package static func wrap(_ secret: borrowing SecretBytes, to key: PublicKey, using algorithm: KeyWrapAlgorithm) throws(CryptoError)
        -> [UInt8]
    {
        let operation = "wrapping a key"
        guard case .rsa = key.kind else { throw CryptoError(operation: operation, reason: "the wrapping key is not an RSA key") }
        let kek = SecretBytes(capacity: 32) { output in RAND_priv_bytes(output.bindMemory(to: UInt8.self).baseAddress, 32) == 1 ? 32 : 0 }
        let block = kek.withUnsafeBytes { RSAOAEP.encrypt($0, to: key.handle.pointer, digest: algorithm.digest) }
        let wrapped = kek.withUnsafeBytes { kek in secret.withUnsafeBytes { AESKeyWrap.wrap(kek: kek, plaintext: $0) } }
        guard let block, let wrapped else {
            throw CryptoError(operation: operation, reason: "the secret is empty, or longer than a key can be")
        }
        return block + wrapped
    }

    /// RFC 5649 wrapping with a key of 16, 24 or 32 bytes. The plaintext has at least one byte.
    package static func aesWrapPadded(kek: [UInt8], plaintext: borrowing SecretBytes) throws(CryptoError) -> [UInt8] {
        let wrapped = kek.withUnsafeBytes { kek in plaintext.withUnsafeBytes { AESKeyWrap.wrap(kek: kek, plaintext: $0) } }
        guard let wrapped else {
            throw CryptoError(operation: "wrapping a key", reason: "the key or the plaintext has an impossible length")
        }
        return wrapped
    }

    /// RFC 5649 unwrapping with a key of 16, 24 or 32 bytes. Every failure is the same error.
    package static func aesUnwrapPadded(kek: [UInt8], ciphertext: [UInt8]) throws(CryptoError) -> SecretBytes {
        let opened = kek.span.withUnsafeBytes { kek -> SecretBytes? in
            ciphertext.span.withUnsafeBytes { AESKeyWrap.unwrap(kek: kek, ciphertext: $0) }
        }
        guard let opened else { throw unopened }
        return opened
    }

    // MARK: Secure wrap, as a simulated Managed HSM does it

    /// RSAES-OAEP (RFC 8017, section 7.1) of a short secret, with an empty label and MGF1 of the same hash.
    package static func oaepWrap(_ secret: borrowing SecretBytes, to key: PublicKey, digest: DigestAlgorithm) throws(CryptoError) -> [UInt8]
    {
        let block: [UInt8]? =
            if case .rsa = key.kind { secret.withUnsafeBytes { RSAOAEP.encrypt($0, to: key.handle.pointer, digest: digest) } } else { nil }
        guard let block else {
            throw CryptoError(operation: "wrapping a key", reason: "the wrapping key is not an RSA key that is large enough")
        }
        return block
    }

    /// What `oaepWrap` wrapped. Every failure is the same error.
    package static func oaepUnwrap(_ block: [UInt8], with key: PrivateKey, digest: DigestAlgorithm) throws(CryptoError) -> SecretBytes {
        try oaepUnwrap(block, with: key.handle, digest: digest)
    }

    /// The same with the private key itself.
    package static func oaepUnwrap(_ block: [UInt8], with key: KeyHandle, digest: DigestAlgorithm) throws(CryptoError) -> SecretBytes {
        guard case .rsa = key.kind else { throw unopened }
        let secret = block.span.withUnsafeBytes { RSAOAEP.decrypt($0, with: key.pointer, digest: digest) }
        guard secret.count > 0 else { throw unopened }
        return secret
    }

    /// AES key wrap, plain (RFC 3394) or padded (RFC 5649), with a key of 16, 24 or 32 bytes.
    package static func aesWrap(kek: borrowing SecretBytes, plaintext: borrowing SecretBytes, isPadded: Bool) throws(CryptoError) -> [UInt8]
    {
        let wrapped = kek.withUnsafeBytes { kek in
            plaintext.withUnsafeBytes { AESKeyWrap.wrap(kek: kek, plaintext: $0, isPadded: isPadded) }
        }
        guard let wrapped else {
            throw CryptoError(operation: "wrapping a key", reason: "the key or the plaintext has an impossible length")
        }
        return wrapped
    }

    /// What `aesWrap` wrapped. Every failure is the same error.
    package static func aesUnwrap(kek: borrowing SecretBytes, ciphertext: [UInt8], isPadded: Bool) throws(CryptoError) -> SecretBytes {
        let opened = kek.withUnsafeBytes { kek -> SecretBytes? in
            ciphertext.span.withUnsafeBytes { AESKeyWrap.unwrap(kek: kek, ciphertext: $0, isPadded: isPadded) }
        }
        guard let opened else { throw unopened }
        return opened
    }

    private static var unopened: CryptoError {
        CryptoError(operation: "unwrapping a key", reason: "the ciphertext was not made with this key, or is damaged")
    }
}
