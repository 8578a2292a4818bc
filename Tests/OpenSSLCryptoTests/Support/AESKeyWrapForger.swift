import COpenSSL

/// The wrapping process of RFC 3394 with any integrity value, for texts that no honest sender makes.
struct AESKeyWrapForger {
    let kek: [UInt8]

    struct Failure: Error {}

    /// Wraps `padded` (a multiple of 8 bytes, at least 16) under the integrity value `prefix`.
    func wrap(prefix: [UInt8], padded: [UInt8]) throws -> [UInt8] {
        let count = padded.count / 8
        var a = prefix
        var r = (0..<count).map { Array(padded[$0 * 8..<$0 * 8 + 8]) }
        for round in 0..<6 {
            for index in 0..<count {
                let block = try encrypt(a + r[index])
                var counter = UInt64(count * round + index + 1)
                a = Array(block[..<8])
                for position in (0..<8).reversed() {
                    a[position] ^= UInt8(truncatingIfNeeded: counter)
                    counter >>= 8
                }
                r[index] = Array(block[8...])
            }
        }
        return a + r.flatMap { $0 }
    }

    private func encrypt(_ block: [UInt8]) throws -> [UInt8] {
        guard let context = EVP_CIPHER_CTX_new() else { throw Failure() }
        defer { EVP_CIPHER_CTX_free(context) }
        var output = [UInt8](repeating: 0, count: 32)
        var written: Int32 = 0
        guard EVP_EncryptInit_ex2(context, EVP_aes_256_ecb(), kek, nil, nil) == 1,
            EVP_EncryptUpdate(context, &output, &written, block, 16) == 1, written == 16
        else { throw Failure() }
        return Array(output[..<16])
    }
}
