internal import COpenSSL

// OpenSSL 3 looks an algorithm up by name on every use unless it is given the result of an earlier look-up. These are looked up once.

/// A digest of the default provider.
final class FetchedDigest: @unchecked Sendable {
    // Unchecked because of the pointer: an EVP_MD does not change after the look-up, and its reference count is atomic.
    let handle: OpaquePointer?

    private init(_ name: String, otherwise builtIn: OpaquePointer?) {
        handle = EVP_MD_fetch(nil, name, nil) ?? builtIn
        OpenSSLErrorQueue.clear()
    }

    deinit { EVP_MD_free(handle) }

    static let sha1 = FetchedDigest("SHA1", otherwise: EVP_sha1())
    static let sha256 = FetchedDigest("SHA256", otherwise: EVP_sha256())
    static let sha384 = FetchedDigest("SHA384", otherwise: EVP_sha384())
    static let sha512 = FetchedDigest("SHA512", otherwise: EVP_sha512())
}

/// AES key wrap, plain (RFC 3394) and with padding (RFC 5649), and AES for content, of the default provider.
final class FetchedCipher: @unchecked Sendable {
    // Unchecked because of the pointer: an EVP_CIPHER does not change after the look-up, and its reference count is atomic.
    let handle: OpaquePointer?

    private init(_ name: String, otherwise builtIn: OpaquePointer?) {
        handle = EVP_CIPHER_fetch(nil, name, nil) ?? builtIn
        OpenSSLErrorQueue.clear()
    }

    deinit { EVP_CIPHER_free(handle) }

    static let aes128Wrap = FetchedCipher("AES-128-WRAP", otherwise: nil)
    static let aes192Wrap = FetchedCipher("AES-192-WRAP", otherwise: nil)
    static let aes256Wrap = FetchedCipher("AES-256-WRAP", otherwise: nil)
    static let aes128WrapPad = FetchedCipher("AES-128-WRAP-PAD", otherwise: nil)
    static let aes192WrapPad = FetchedCipher("AES-192-WRAP-PAD", otherwise: nil)
    static let aes256GCM = FetchedCipher("AES-256-GCM", otherwise: EVP_aes_256_gcm())
    static let aes256CTR = FetchedCipher("AES-256-CTR", otherwise: EVP_aes_256_ctr())
    static let aes256WrapPad = FetchedCipher("AES-256-WRAP-PAD", otherwise: EVP_aes_256_wrap_pad())
}
