internal import COpenSSL
internal import CProcessShims

/// Bytes that must not outlive their use: a key, a wrapped key's content, an encoded private JWK.
///
/// The type cannot be copied, has no description, no `Codable` conformance and no conversion to `Array`, `Data` or `String`.
/// Its memory is overwritten when the owner lets go of it, also when filling it fails half way; it is never part of a core dump, and never
/// swapped out where the
/// system allows memory to be locked.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Unchecked because of the pointer; a value that cannot be copied has one owner, and the memory is written only in `init`.
    private let storage: UnsafeMutableRawBufferPointer
    /// Number of secret bytes.
    public let count: Int

    /// Allocates `capacity` zeroed bytes and lets `fill` write them; `fill` returns how many of them are used.
    public init<Failure: Error>(capacity: Int, filling fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int) throws(Failure) {
        let memory = broker_secret_allocate(capacity)
        precondition(memory != nil, "no memory for a secret")
        let storage = UnsafeMutableRawBufferPointer(start: memory, count: capacity)
        do {
            let used = try fill(storage)
            precondition(used >= 0 && used <= capacity, "a secret cannot be longer than its memory")
            self.count = used
        } catch {
            broker_secret_free(memory, capacity)
            throw error
        }
        self.storage = storage
    }

    /// Copies `bytes`; the caller stays responsible for wiping the original.
    public init(copying bytes: UnsafeRawBufferPointer) {
        self.init(capacity: bytes.count) { destination in
            destination.copyMemory(from: bytes)
            return bytes.count
        }
    }

    /// Lends the bytes for the duration of `body`; the pointer must not escape it.
    public borrowing func withUnsafeBytes<Result: ~Copyable, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result)
        throws(Failure) -> Result
    { try body(UnsafeRawBufferPointer(rebasing: storage[..<count])) }

    /// Compares without stopping at the first difference. Lengths are not secret.
    public borrowing func isEqual(to other: borrowing SecretBytes) -> Bool {
        withUnsafeBytes { left in other.withUnsafeBytes { right in constantTimeEqual(left, right) } }
    }

    deinit {
        broker_secret_free(storage.baseAddress, storage.count)
    }
}

/// Compares two byte sequences in time that depends on their length alone.
public func constantTimeEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let a = left.baseAddress, let b = right.baseAddress else { return left.count == 0 }
    return CRYPTO_memcmp(a, b, left.count) == 0
}

/// Compares two byte arrays in time that depends on their length alone.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBytes { a in right.withUnsafeBytes { b in constantTimeEqual(a, b) } }
}

/// Overwrites memory in a way that the optimiser keeps.
public func wipe(_ bytes: UnsafeMutableRawBufferPointer) { OPENSSL_cleanse(bytes.baseAddress, bytes.count) }
