package import OpenSSLCrypto
package import ReleasePolicy
internal import StrictJSON

/// A key as its store describes it: never its private part (Key Vault REST, "KeyBundle"; KeyStores.md, "Keys in answers").
package struct KeyDescription: Sendable {
    /// `https://{host}/keys/{name}[/{version}]`.
    package let keyID: String
    /// The store's own words, for example `RSA-HSM`; empty in a list.
    package let type: String
    package let operations: [String]
    package let isEnabled: Bool
    package let isExportable: Bool
    /// Seconds since 1970.
    package let notBefore: Int64?
    package let expires: Int64?
    /// The release policy as text; `nil` where there is none.
    package let policyText: [UInt8]?
    package let isImmutable: Bool
    /// Modulus and exponent of an RSA key.
    package let rsaPublic: RSAPublicNumbers?

    /// The name without the version.
    package var name: String {
        let parts = keyID.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count > 4 ? String(parts[4]) : keyID
    }

    /// Whether the key can be released to anybody at all.
    package var isReleasable: Bool { isExportable && policy != nil }

    /// The policy where the broker's evaluator understands it.
    package var policy: ReleasePolicy? { policyText.flatMap { try? ReleasePolicy(json: $0) } }

    static let limits = JSONLimits(maximumBytes: 1 << 20, maximumDepth: 32, bigIntegers: .asReal)

    init(bundle: JSONCursor) throws(JSONError) {
        let key = try bundle.member("key")
        keyID = try key.string("kid")
        type = try key.optionalString("kty") ?? ""
        let isRSA = ["RSA", "RSA-HSM"].contains(type)
        let (n, e) = (try key.optionalString("n").flatMap(Base64.decodeURL), try key.optionalString("e").flatMap(Base64.decodeURL))
        rsaPublic = if isRSA, let n, let e { RSAPublicNumbers(n: n, e: e) } else { nil }
        var operations: [String] = []
        for operation in try key.optionalArray("key_ops") ?? [] { operations.append(try operation.string()) }
        self.operations = operations
        (isEnabled, isExportable, notBefore, expires) = try Self.attributes(bundle)
        let policy = try bundle.optional("release_policy")
        policyText = try policy?.optionalString("data").flatMap { Base64.decodeLenient($0) }
        isImmutable = try policy?.optionalBoolean("immutable") ?? false
    }

    private static func attributes(_ item: JSONCursor) throws(JSONError) -> (Bool, Bool, Int64?, Int64?) {
        let attributes = try item.optional("attributes")
        return (
            try attributes?.optionalBoolean("enabled") ?? true, try attributes?.optionalBoolean("exportable") ?? false,
            try attributes?.optionalInteger("nbf"), try attributes?.optionalInteger("exp")
        )
    }
}
