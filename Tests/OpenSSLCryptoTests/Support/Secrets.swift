import SecureMemory

/// Secrets of tests may be looked at.
extension SecretBytes {
    init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count) { output in
            output.copyBytes(from: bytes)
            return bytes.count
        }
    }

    var array: [UInt8] { withUnsafeBytes { Array($0) } }
}
