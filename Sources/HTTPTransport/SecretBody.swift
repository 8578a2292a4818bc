public import SecureMemory

/// The body of a request that holds key material: one memory, wiped when the last holder lets go.
public final class SecretBody: Sendable {
    private let bytes: SecretBytes

    public init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    public var count: Int { bytes.count }

    /// Lends the bytes for the duration of `body`; the pointer must not escape it.
    public func withUnsafeBytes<Result: ~Copyable, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result)
        throws(Failure) -> Result
    { try bytes.withUnsafeBytes(body) }
}
