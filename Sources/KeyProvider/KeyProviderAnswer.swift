package import SecureMemory

/// Answers of the key-provider protocol (KeyProvider.md, "Answer"): byte strings as arrays of numbers, which Go's and Rust's clients read
/// alike, and no member for the other half.
package enum KeyProviderAnswer {
    /// `{"keyunwrapresults":{"optsdata":[…]}}`
    package static func unwrapped(_ content: borrowing SecretBytes) -> SecretBytes {
        content.withUnsafeBytes { write(#"{"keyunwrapresults":{"optsdata":["#, $0) }
    }

    /// `{"keywrapresults":{"annotation":[…]}}`
    package static func wrapped(_ annotation: [UInt8]) -> SecretBytes {
        annotation.span.withUnsafeBytes { write(#"{"keywrapresults":{"annotation":["#, $0) }
    }

    private static let end: StaticString = "]}}"

    private static func write(_ start: StaticString, _ bytes: UnsafeRawBufferPointer) -> SecretBytes {
        // Three digits and a comma for each byte.
        SecretBytes(capacity: start.utf8CodeUnitCount + 4 * bytes.count + end.utf8CodeUnitCount) { output in
            var count = 0
            func put(_ byte: UInt8) {
                output[count] = byte
                count += 1
            }
            for byte in UnsafeBufferPointer(start: start.utf8Start, count: start.utf8CodeUnitCount) { put(byte) }
            for (index, byte) in bytes.enumerated() {
                if index > 0 { put(UInt8(ascii: ",")) }
                if byte >= 100 { put(UInt8(ascii: "0") + byte / 100) }
                if byte >= 10 { put(UInt8(ascii: "0") + byte / 10 % 10) }
                put(UInt8(ascii: "0") + byte % 10)
            }
            for byte in UnsafeBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount) { put(byte) }
            return count
        }
    }
}
