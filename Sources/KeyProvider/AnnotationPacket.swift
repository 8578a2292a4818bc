package import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// What an encrypted image's layer says about its key (KeyProvider.md, "Annotation packets").
package struct AnnotationPacket: Sendable, Equatable {
    /// How the layer's key is wrapped.
    package enum Wrapping: Sendable, Equatable {
        /// The original sidecar's: one block of RSA-OAEP with SHA-256.
        case block(type: String)
        /// The broker's: A256GCM under a fresh key, and that in one block of RSA-OAEP with SHA-256.
        case envelope(key: [UInt8], iv: [UInt8])
        /// Confidential Containers': a symmetric key of 32 bytes. Version 2 writes its version and its provider.
        case symmetric(ContentCipher, iv: [UInt8], version: Int)
    }

    /// Longest name of a key, in bytes.
    package static let longestKeyID = 512
    /// The broker's own `wrap_type`.
    package static let envelopeType = "RSA-OAEP-256+A256GCM"
    private static let guestVersion = "0.1.0"
    private static let guestProvider = "kbs"

    package let kid: String
    package let wrapping: Wrapping
    package let wrappedData: [UInt8]
    /// Host of the key store, as it is written; empty where none is named.
    package let keyStore: String
    /// Host of the verifier, as it is written; empty where none is named.
    package let authority: String

    package init(kid: String, _ wrapping: Wrapping, _ wrappedData: [UInt8], keyStore: String = "", authority: String = "") {
        self.kid = kid
        self.wrapping = wrapping
        self.wrappedData = wrappedData
        self.keyStore = keyStore
        self.authority = authority
    }

    // MARK: Reading

    /// Reads a packet of any kind that is known; they are told apart by what is in them. Members that are not known are passed over, as
    /// guests do.
    package init(parsing bytes: [UInt8]) throws(KeyProviderRefusal) {
        do {
            let limits = JSONLimits(maximumBytes: 96 << 10, maximumDepth: 8, maximumValues: 1024)
            try self.init(try JSONCursor.parse(bytes, limits: limits))
        } catch let error as KeyProviderRefusal { throw error } catch { throw KeyProviderRefusal("the annotation packet: \(error)") }
    }

    private init(_ root: JSONCursor) throws {
        let kid = try root.string("kid")
        guard kid.utf8.consists(of: .visible, count: 1...Self.longestKeyID) else {
            throw try root.member("kid").invalid("expected 1 to \(Self.longestKeyID) visible ASCII characters")
        }
        let data = try Self.bytes(root.member("wrapped_data"))
        guard !data.isEmpty else { throw try root.member("wrapped_data").invalid("empty") }
        self.init(
            kid: kid, try Self.wrapping(root, data), data, keyStore: try Self.host(root, "kms_endpoint"),
            authority: try Self.host(root, "attester_endpoint"))
    }

    private static func wrapping(_ root: JSONCursor, _ data: [UInt8]) throws -> Wrapping {
        let type = try root.optionalString("wrap_type") ?? ""
        let provider = try root.optionalString("provider")
        if let provider, provider != guestProvider {
            throw KeyProviderRefusal(
                "the annotation packet is for the key management plug-in '\(VisibleText.line(provider))', which the broker does not speak")
        }
        if type == envelopeType {
            let (key, iv) = (try bytes(root.member("wrapped_key")), try bytes(root.member("iv")))
            try check(iv, root, for: .a256gcm)
            return .envelope(key: key, iv: iv)
        }
        if let cipher = ContentCipher(rawValue: type) {
            let version = try root.optionalString("version")
            guard version == nil || version == guestVersion else {
                throw try root.member("version").invalid("only \(guestVersion) is known")
            }
            let iv = try bytes(root.member("iv"))
            try check(iv, root, for: cipher)
            guard data.count > cipher.overhead else { throw try root.member("wrapped_data").invalid("too short for \(type)") }
            return .symmetric(cipher, iv: iv, version: version == nil && provider == nil ? 1 : 2)
        }
        // The original writes rsa_3072 whatever the size, and may leave it out.
        guard type.isEmpty && provider == nil || type.hasPrefix("rsa_") && type.utf8.consists(of: .lowercase + .digits + "_", count: 5...16)
        else { throw KeyProviderRefusal("the annotation packet's wrap_type \(VisibleText.quoted(type)) is not known") }
        return .block(type: type)
    }

    private static func check(_ iv: [UInt8], _ root: JSONCursor, for cipher: ContentCipher) throws {
        guard iv.count == cipher.ivByteCount else {
            throw try root.member("iv").invalid("\(cipher.rawValue) has \(cipher.ivByteCount) bytes, found \(iv.count)")
        }
    }

    private static func bytes(_ cursor: JSONCursor) throws(JSONError) -> [UInt8] {
        guard let bytes = Base64.decode(try cursor.string()) else { throw cursor.invalid("not base64") }
        guard bytes.count <= KeyProviderRequest.maximumPayload else { throw cursor.invalid("longer than the broker reads") }
        return bytes
    }

    private static func host(_ root: JSONCursor, _ name: String) throws(JSONError) -> String {
        let text = try root.optionalString(name) ?? ""
        guard text.utf8.consists(of: .visible, count: 0...300) else { throw try root.member(name).invalid("not a host name") }
        return text
    }

    // MARK: Writing

    /// The packet as JSON, members in the order in which the programs of its kind write them.
    package func serialized() -> [UInt8] {
        var members: [(String, JSONValue)] = []
        let data = JSONValue.string(Base64.encode(wrappedData))
        switch wrapping {
        case .block(let type):
            members = [("kid", .string(kid)), ("wrapped_data", data)]
            if !type.isEmpty { members.append(("wrap_type", .string(type))) }
        case .envelope(let key, let iv):
            members = [
                ("kid", .string(kid)), ("wrapped_data", data), ("iv", .string(Base64.encode(iv))),
                ("wrapped_key", .string(Base64.encode(key))), ("wrap_type", .string(Self.envelopeType)),
            ]
        case .symmetric(let cipher, let iv, let version):
            if version == 2 { members = [("version", .string(Self.guestVersion)), ("provider", .string(Self.guestProvider))] }
            members += [
                ("kid", .string(kid)), ("wrapped_data", data), ("iv", .string(Base64.encode(iv))), ("wrap_type", .string(cipher.rawValue)),
            ]
            if version == 2 { members += [("provider_settings", [:]), ("annotations", [:])] }
        }
        if !keyStore.isEmpty { members.append(("kms_endpoint", .string(keyStore))) }
        if !authority.isEmpty { members.append(("attester_endpoint", .string(authority))) }
        return JSONValue.object(JSONObject(members)).serialized()
    }
}
