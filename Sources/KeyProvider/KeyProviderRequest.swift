internal import OpenSSLCrypto
internal import PlainText
package import SecureMemory
internal import StrictJSON

/// A request of the ocicrypt key-provider protocol (KeyProvider.md, "Request").
///
/// Parameters of all providers reach every provider, passwords and private keys among them: those of others are not even decoded, and the
/// whole request is wiped when it has been read.
package enum KeyProviderRequest {
    package enum Operation: String, Sendable {
        case wrap = "keywrap"
        case unwrap = "keyunwrap"
    }

    /// A request to wrap.
    package struct Wrap: ~Copyable {
        /// The key's name, as the parameter has it.
        package let kid: String
        package let content: SecretBytes
    }

    /// Longest request, in bytes.
    package static let maximumBytes = 1 << 20
    /// Longest annotation or payload, in bytes.
    package static let maximumPayload = 64 << 10

    /// Reads a request that must ask for wrapping. `provider` is the name whose parameters are ours.
    package static func wrap(_ bytes: consuming SecretBytes, provider: String) throws(KeyProviderRefusal) -> Wrap {
        do {
            let document = try SecretDocument(bytes, limits: limits)
            try check(.wrap, document)
            let parameters = try document.root.member("keywrapparams")
            let kid = try kid(in: parameters, provider: provider, document)
            return Wrap(kid: kid, content: try payload(parameters.member("optsdata"), document))
        } catch let error as KeyProviderRefusal { throw error } catch { throw foreign(error) }
    }

    /// The annotation packet of a request that must ask for unwrapping. Our own parameter may be missing: the annotation alone says what is
    /// wanted.
    package static func annotation(_ bytes: consuming SecretBytes) throws(KeyProviderRefusal) -> [UInt8] {
        do {
            let document = try SecretDocument(bytes, limits: limits)
            try check(.unwrap, document)
            let annotation = try payload(document.root.member("keyunwrapparams").member("annotation"), document)
            return annotation.withUnsafeBytes { Array($0) }
        } catch let error as KeyProviderRefusal { throw error } catch { throw foreign(error) }
    }

    /// What a request asks for, which stays as it is.
    package static func operation(of bytes: borrowing SecretBytes) throws(KeyProviderRefusal) -> Operation {
        do {
            let copy = bytes.withUnsafeBytes { SecretBytes(copying: $0) }
            let document = try SecretDocument(copy, limits: limits)
            let text = try document.text(document.root.member("op"))
            let operation = text.withUnsafeBytes { bytes in Operation(rawValue: String(decoding: bytes.prefix(16), as: UTF8.self)) }
            guard let operation else { throw KeyProviderRefusal("the request's op is neither keywrap nor keyunwrap") }
            return operation
        } catch let error as KeyProviderRefusal { throw error } catch { throw foreign(error) }
    }

    private static let limits = JSONLimits(maximumBytes: maximumBytes, maximumDepth: 8, maximumValues: 4096)

    private static func foreign(_ error: any Error) -> KeyProviderRefusal {
        KeyProviderRefusal("the request is none of the key-provider protocol: \(error)")
    }

    private static func check(_ operation: Operation, _ document: borrowing SecretDocument) throws {
        let cursor = try document.root.member("op")
        let text = try document.text(cursor)
        let isRight = text.withUnsafeBytes { $0.elementsEqual(operation.rawValue.utf8) }
        guard isRight else { throw KeyProviderRefusal("the request's op is not \(operation.rawValue), which this method does") }
    }

    private static func payload(_ cursor: JSONCursor, _ document: borrowing SecretDocument) throws -> SecretBytes {
        let text = try document.text(cursor)
        guard text.count <= maximumPayload / 3 * 4 + 4 else { throw cursor.invalid("longer than \(maximumPayload) bytes") }
        guard let bytes = text.withUnsafeBytes({ Base64.decode(secret: $0) }) else { throw cursor.invalid("not base64") }
        guard bytes.count > 0 else { throw cursor.invalid("empty") }
        return bytes
    }

    // MARK: Parameters

    private static let scheme = "skr:"

    /// The first parameter of our name is `skr:` and a key. Another of this form that names another key would be a recipient who could not
    /// open the image.
    private static func kid(in parameters: JSONCursor, provider: String, _ document: borrowing SecretDocument) throws -> String {
        guard let own = try parameters.member("ec").member("Parameters").optionalArray(provider), let first = own.first else {
            throw KeyProviderRefusal("the request has no parameter of '\(VisibleText.line(provider))', which is this provider's name")
        }
        guard own.count <= 16 else { throw KeyProviderRefusal("the request has more than 16 parameters of this provider") }
        guard let kid = try self.kid(first, document) else {
            throw KeyProviderRefusal("the parameter of this provider names no key: write provider:\(provider):skr:NAME")
        }
        for other in own.dropFirst() {
            guard let second = try self.kid(other, document), second != kid else { continue }
            throw KeyProviderRefusal("one request wraps to one key, and its parameters name several")
        }
        return kid
    }

    /// The key of a parameter; `nil` where it is not of our form. A parameter may be somebody's password and is never repeated.
    private static func kid(_ cursor: JSONCursor, _ document: borrowing SecretDocument) throws -> String? {
        let text = try document.text(cursor)
        guard text.count <= 1024, let decoded = text.withUnsafeBytes({ Base64.decode(secret: $0) }) else {
            throw cursor.invalid("not base64 of a short text")
        }
        return decoded.withUnsafeBytes { bytes -> String? in
            let prefix = bytes.prefix(scheme.utf8.count)
            guard prefix.map(\.asciiLowercased).elementsEqual(scheme.utf8) else { return nil }
            let kid = bytes.dropFirst(scheme.utf8.count)
            guard kid.consists(of: .visible, count: 1...AnnotationPacket.longestKeyID) else { return nil }
            return String(decoding: kid, as: UTF8.self)
        }
    }
}
