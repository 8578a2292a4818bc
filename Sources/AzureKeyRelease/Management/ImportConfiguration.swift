package import BrokerCore
package import HTTPTransport
internal import OpenSSLCrypto
internal import PlainText
package import ReleasePolicy
package import SecureMemory
internal import StrictJSON

/// The configuration file of the original's `importkey` tool (OriginalSidecar.md, "importkey").
///
/// Form:
/// `{"key":{"kid","kty","key_ops","authority":{"endpoint"},"akv":{"endpoint","api_version","bearer_token"}},
/// "key_derivation":{"salt","label"},"claims":[[{"claim","equals"},…],…],"identity":{"client_id"}}`.
/// An older form says `mhsm` for `akv` and has no `kty`.
package struct ImportConfiguration: Sendable {
    /// The kinds of key that the tool makes.
    package enum KeyType: String, Sendable, CaseIterable {
        case oct = "oct-HSM"
        case rsa = "RSA-HSM"
        case ec = "EC-HSM"
    }

    /// Why a file is no such configuration, with the path of the member.
    package struct Invalid: Error, Sendable, CustomStringConvertible { package let description: String }

    package let key: KeyName
    package let type: KeyType
    /// `nil` where the file names none; then the store allows all.
    package let operations: [String]?
    package let store: Endpoint
    /// Without `api-version=`.
    package let apiVersion: String
    package let bearer: Redacted<String>?
    /// HKDF salt; `nil` where none is given.
    package let salt: [UInt8]?
    /// HKDF label.
    package let label: String
    package let clientID: String?
    /// The release policy that `authority` and `claims` stand for, or the one that was given beside the file.
    package let policy: ReleasePolicy
    /// Names of members that mean nothing here.
    package let unknown: [String]

    /// Longest file that is read, in bytes.
    package static let maximumBytes = 1 << 20

    /// An import without a file.
    package init(key: KeyName, type: KeyType, operations: [String]?, store: Endpoint, policy: ReleasePolicy) {
        self.key = key
        self.type = type
        self.operations = operations
        self.store = store
        self.policy = policy
        apiVersion = "7.4"
        (bearer, salt, clientID, unknown) = (nil, nil, nil, [])
        label = Self.defaultLabel
    }

    private static let defaultLabel = "Symmetric Encryption Key"

    /// `policy` takes the place of the file's `claims`, which may be absent then, as may `authority`.
    package init(_ file: [UInt8], policy given: ReleasePolicy? = nil) throws(Invalid) {
        do {
            let root = try JSONCursor.parse(written: file, limits: JSONLimits(maximumBytes: Self.maximumBytes, maximumDepth: 16))
            let key = try root.member("key")
            guard let name = KeyName(try key.string("kid")), name.version == nil else {
                throw try key.member("kid").invalid("a key's name has 1 to 127 letters, digits and '-'")
            }
            self.key = name
            let kty = try key.optionalString("kty") ?? ""
            guard let type = kty.isEmpty ? .oct : KeyType(rawValue: kty) else {
                throw try key.member("kty").invalid("key type \(kty) is not one of oct-HSM, RSA-HSM and EC-HSM")
            }
            self.type = type
            operations = try key.optionalArray("key_ops")?.map { try $0.string() }
            let stores = try ["akv", "mhsm"].compactMap { name in try key.optional(name) }
            guard let store = stores.first, stores.count == 1 else { throw key.invalid("exactly one of akv and mhsm names the key store") }
            self.store = try Self.endpoint(store.member("endpoint"))
            apiVersion = try Self.apiVersion(store)
            let token = try store.optionalString("bearer_token") ?? ""
            bearer = token.isEmpty ? nil : Redacted(token)
            let derivation = try root.optional("key_derivation")
            salt = try Self.salt(derivation)
            let label = try derivation?.optionalString("label") ?? ""
            self.label = label.isEmpty ? Self.defaultLabel : label
            let client = try root.optional("identity")?.optionalString("client_id") ?? ""
            clientID = client.isEmpty ? nil : client
            if let given {
                policy = given
            } else {
                let authority = try Self.endpoint(key.member("authority").member("endpoint"))
                policy = try Self.policy(authority: authority, claims: root.member("claims"))
            }
            let replaced = try root.optional("claims") == nil || given == nil ? [] : ["claims (--policy takes its place)"]
            unknown =
                try replaced + Self.unknown(root, ["key", "key_derivation", "claims", "identity"], "")
                + Self.unknown(key, ["kid", "kty", "key_ops", "authority", "akv", "mhsm"], "key.")
        } catch let error as JSONError { throw Invalid(description: error.description) } catch let error as Invalid { throw error } catch {
            throw Invalid(description: "\(error)")
        }
    }

    private static func endpoint(_ cursor: JSONCursor) throws -> Endpoint {
        do { return try Endpoint(try cursor.string()) } catch let error as Endpoint.Invalid { throw cursor.invalid(error.description) }
    }

    /// The original writes a whole query fragment, `api-version=7.4`; the bare version is understood too.
    private static func apiVersion(_ store: JSONCursor) throws -> String {
        let text = try store.optionalString("api_version") ?? ""
        guard !text.isEmpty else { return "7.4" }
        let prefix = "api-version="
        let version = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        guard version.utf8.consists(of: .lowercase + .digits + ".-", count: 1...32) else {
            throw try store.member("api_version").invalid("expected api-version=7.4 or another version")
        }
        return version
    }

    private static func salt(_ derivation: JSONCursor?) throws -> [UInt8]? {
        guard let derivation, let text = try derivation.optionalString("salt"), !text.isEmpty else { return nil }
        guard let salt = Hex.decode(text), salt.count <= 1024 else {
            throw try derivation.member("salt").invalid("expected hexadecimal digits")
        }
        return salt
    }

    /// Each inner array becomes one alternative of the policy; all of them name the same authority.
    private static func policy(authority: Endpoint, claims: JSONCursor) throws -> ReleasePolicy {
        let alternatives = try claims.array().map { alternative -> JSONValue in
            let conditions = try alternative.array().map { condition in JSONValue.object(try condition.object()) }
            return ["authority": .string(authority.origin), "allOf": .array(conditions)]
        }
        do { return try ReleasePolicy(["version": "1.0.0", "anyOf": .array(alternatives)]) } catch {
            throw claims.invalid("these claims make no release policy: \(error)")
        }
    }

    private static func unknown(_ cursor: JSONCursor, _ known: Set<String>, _ path: String) throws -> [String] {
        try cursor.members().map(\.name).filter { !known.contains($0) }.map { path + $0 }
    }
}
