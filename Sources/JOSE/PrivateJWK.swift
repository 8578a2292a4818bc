package import OpenSSLCrypto
package import SecureMemory
internal import StrictJSON

/// Writes released keys as JSON Web Keys (RFC 7518, 6) into memory that is wiped. No private number passes through an array or a string.
package enum PrivateJWK {
    /// An RSA or EC key. Members are sorted by name: `d dp dq e key_ops kty n p q qi`, or `crv d key_ops kty x y`; `key_ops` only where
    /// there are any. `keyType` takes the place of `RSA` or `EC`, which is what RFC 7518 calls them.
    package static func encode(_ numbers: borrowing PrivateKeyNumbers, keyOperations: [String], keyType: String? = nil) -> SecretBytes {
        var measure = Text(nil)
        write(numbers, keyOperations, keyType, to: &measure)
        return SecretBytes(capacity: measure.count) { memory in
            var text = Text(memory)
            write(numbers, keyOperations, keyType, to: &text)
            return text.count
        }
    }

    /// A symmetric key: `{"k":"…","key_ops":[…],"kty":"oct"}`; `key_ops` only where there are any.
    package static func encode(symmetric secret: borrowing SecretBytes, keyOperations: [String]) -> SecretBytes {
        secret.withUnsafeBytes { bytes in
            var measure = Text(nil)
            write(symmetric: bytes, keyOperations, to: &measure)
            return SecretBytes(capacity: measure.count) { memory in
                var text = Text(memory)
                write(symmetric: bytes, keyOperations, to: &text)
                return text.count
            }
        }
    }

    private static func write(symmetric bytes: UnsafeRawBufferPointer, _ keyOperations: [String], to text: inout Text) {
        var members = Members()
        members.write("k", bytes, to: &text)
        members.write(keyOperations, to: &text)
        members.write("kty", literal: "oct", to: &text)
        text.append("}")
    }

    private static func write(_ numbers: borrowing PrivateKeyNumbers, _ keyOperations: [String], _ keyType: String?, to text: inout Text) {
        var members = Members()
        switch numbers.kind {
        case .rsa:
            members.write(private: "d", of: numbers, to: &text)
            members.write(private: "dp", of: numbers, to: &text)
            members.write(private: "dq", of: numbers, to: &text)
            members.write("e", numbers.rsaPublic?.e, to: &text)
            members.write(keyOperations, to: &text)
            members.write("kty", literal: keyType ?? "RSA", to: &text)
            members.write("n", numbers.rsaPublic?.n, to: &text)
            members.write(private: "p", of: numbers, to: &text)
            members.write(private: "q", of: numbers, to: &text)
            members.write(private: "qi", of: numbers, to: &text)
        case .ec(let curve):
            members.write("crv", literal: curve.rawValue, to: &text)
            members.write(private: "d", of: numbers, to: &text)
            members.write(keyOperations, to: &text)
            members.write("kty", literal: keyType ?? "EC", to: &text)
            members.write("x", numbers.ecPublic?.x, to: &text)
            members.write("y", numbers.ecPublic?.y, to: &text)
        }
        text.append("}")
    }

    /// The members of one object.
    private struct Members {
        private var isFirst = true

        mutating func write(private name: String, of numbers: borrowing PrivateKeyNumbers, to text: inout Text) {
            begin(name, &text)
            text.append("\"")
            _ = numbers.withNumber(name) { bytes in text.append(base64URL: bytes) }
            text.append("\"")
        }

        mutating func write(_ name: String, _ bytes: [UInt8]?, to text: inout Text) {
            (bytes ?? []).withUnsafeBytes { write(name, $0, to: &text) }
        }

        mutating func write(_ name: String, _ bytes: UnsafeRawBufferPointer, to text: inout Text) {
            begin(name, &text)
            text.append("\"")
            text.append(base64URL: bytes)
            text.append("\"")
        }

        mutating func write(_ name: String, literal: String, to text: inout Text) {
            begin(name, &text)
            text.append("\"\(literal)\"")
        }

        mutating func write(_ keyOperations: [String], to text: inout Text) {
            guard !keyOperations.isEmpty else { return }
            begin("key_ops", &text)
            let list = JSONValue.array(keyOperations.map { .string($0) }).serialized()
            list.withUnsafeBytes { text.append($0) }
        }

        private mutating func begin(_ name: String, _ text: inout Text) {
            text.append(isFirst ? "{" : ",")
            text.append("\"\(name)\":")
            isFirst = false
        }
    }

    /// Counts what is written, and writes it where there is memory.
    private struct Text {
        private let memory: UnsafeMutableRawBufferPointer?
        private(set) var count = 0

        init(_ memory: UnsafeMutableRawBufferPointer?) { self.memory = memory }

        mutating func append(_ text: String) {
            var text = text
            text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
        }

        mutating func append(_ bytes: UnsafeRawBufferPointer) {
            if let memory { UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + bytes.count)]).copyMemory(from: bytes) }
            count += bytes.count
        }

        mutating func append(base64URL bytes: UnsafeRawBufferPointer) {
            if let memory {
                let target = UnsafeMutableRawBufferPointer(rebasing: memory[count...])
                count += Base64.encodeURL(bytes, into: target)
            } else {
                count += Base64.encodedURLCount(of: bytes.count)
            }
        }
    }
}
