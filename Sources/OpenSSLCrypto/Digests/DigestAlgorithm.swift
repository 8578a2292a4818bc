internal import COpenSSL

/// The hash functions in use. SHA-1 is here for `CKM_RSA_AES_KEY_WRAP` and certificate key identifiers alone.
package enum DigestAlgorithm: Sendable, CaseIterable {
    case sha1, sha256, sha384, sha512

    /// Digest size in bytes.
    package var byteCount: Int {
        switch self {
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The digest of `bytes`, `byteCount` bytes.
    package func digest(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { digest($0) } }

    /// The digest of `bytes`, `byteCount` bytes.
    package func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { output, count in
            var written: UInt32 = 0
            let status = EVP_Digest(bytes.baseAddress, bytes.count, output.baseAddress, &written, fetched.handle, nil)
            // Fails only where no memory is left; going on with a wrong digest would be worse than stopping.
            precondition(status == 1 && Int(written) == byteCount, "OpenSSL could not compute a digest")
            count = Int(written)
        }
    }

    var fetched: FetchedDigest {
        switch self {
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }

    /// The digest of an OpenSSL object identifier number; nil for every other number.
    init?(nid: Int32) {
        switch nid {
        case NID_sha1: self = .sha1
        case NID_sha256: self = .sha256
        case NID_sha384: self = .sha384
        case NID_sha512: self = .sha512
        default: return nil
        }
    }
}
