internal import BrokerCore
internal import Glibc
internal import OpenSSLCrypto
internal import SecureMemory

/// Files that commands read: bounded, with `-` for standard input, and with the text forms that the platforms use.
enum InputFile {
    /// The bytes of the file, at most 16 MiB.
    static func bytes(_ path: String, limit: Int = 16 << 20) throws -> [UInt8] {
        do { return try BoundedFile.read(path == "-" ? "/dev/stdin" : path, limit: limit, allowsPipes: true) } catch {
            throw CommandFailure(.impossible, "cannot read \(error.description)")
        }
    }

    /// The same for key material, which is in no other memory than the result's.
    static func secret(_ path: String, limit: Int) throws -> SecretBytes {
        do { return try BoundedFile.readSecret(path == "-" ? "/dev/stdin" : path, limit: limit, allowsPipes: true) } catch {
            throw CommandFailure(.impossible, "cannot read \(error.description)")
        }
    }

    /// Bytes that may also have been written as base64 text, as the files of a security context directory are.
    static func bytesOrBase64(_ path: String) throws -> [UInt8] {
        let bytes = try bytes(path)
        return base64Content(bytes) ?? bytes
    }

    /// The decoded content when `bytes` is nothing but base64 text, with or without line ends at its end.
    static func base64Content(_ bytes: [UInt8]) -> [UInt8]? {
        var text = bytes[...]
        while let last = text.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { text = text.dropLast() }
        guard !text.isEmpty else { return nil }
        return Base64.decodeLenient(String(decoding: text, as: UTF8.self))
    }
}
