internal import COpenSSL

/// An OpenSSL big number with one owner, overwritten when it goes away.
struct BigNumber: ~Copyable, @unchecked Sendable {
    // Unchecked because of the pointer: whoever shares a number only reads it.
    let handle: OpaquePointer

    /// Takes over a number that OpenSSL made.
    init(owning handle: OpaquePointer) { self.handle = handle }

    /// Zero.
    init() throws(CryptoError) {
        guard let handle = BN_secure_new() else { throw OpenSSLErrorQueue.error("reading a number", otherwise: "no memory") }
        self.init(owning: handle)
    }

    /// The number of these big-endian bytes.
    init(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) {
        let number = try BigNumber()
        guard number.read(bytes) else { throw OpenSSLErrorQueue.error("reading a number", otherwise: "no memory") }
        self = number
    }

    /// The number of these big-endian bytes.
    init(_ bytes: [UInt8]) throws(CryptoError) {
        let number = try BigNumber()
        guard bytes.withUnsafeBytes({ number.read($0) }) else { throw OpenSSLErrorQueue.error("reading a number", otherwise: "no memory") }
        self = number
    }

    private func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let count = Int32(exactly: bytes.count) else { return false }
        return count == 0 || BN_bin2bn(bytes.bindMemory(to: UInt8.self).baseAddress, count, handle) != nil
    }

    /// `prime` - 1, marked so that OpenSSL computes with it in constant time.
    static func predecessor(of prime: borrowing BigNumber) throws(CryptoError) -> BigNumber {
        let number = try BigNumber()
        guard BN_copy(number.handle, prime.handle) != nil, BN_sub_word(number.handle, 1) == 1 else {
            throw OpenSSLErrorQueue.error("computing with a prime", otherwise: "no memory")
        }
        BN_set_flags(number.handle, BN_FLG_CONSTTIME)
        return number
    }

    /// Length in bytes without leading zeros; 0 for zero.
    var byteCount: Int { (bitCount + 7) / 8 }
    var bitCount: Int { Int(BN_num_bits(handle)) }
    var isOdd: Bool { BN_is_odd(handle) == 1 }
    var isZero: Bool { BN_is_zero(handle) == 1 }
    var isOne: Bool { BN_is_one(handle) == 1 }

    /// Big-endian without leading zeros. For public numbers: the result is an ordinary array.
    var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: max(byteCount, 1)) { output, count in count = Int(BN_bn2bin(handle, output.baseAddress)) }
    }

    /// Big-endian with leading zeros up to `count` bytes; nil where the number is longer. For public numbers.
    func bytes(count: Int) -> [UInt8]? {
        guard byteCount <= count, let length = Int32(exactly: count) else { return nil }
        return [UInt8](unsafeUninitializedCapacity: count) { output, written in
            written = max(0, Int(BN_bn2binpad(handle, output.baseAddress, length)))
        }
    }

    /// Writes all of `output`, big-endian with leading zeros; false where the number is longer.
    func write(to output: UnsafeMutableRawBufferPointer) -> Bool {
        guard let length = Int32(exactly: output.count) else { return false }
        return BN_bn2binpad(handle, output.bindMemory(to: UInt8.self).baseAddress, length) == length
    }

    deinit { BN_clear_free(handle) }
}
