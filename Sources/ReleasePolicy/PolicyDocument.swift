internal import OpenSSLCrypto
internal import StrictJSON

/// A release policy's text, taken out of whatever holds it.
package struct PolicyDocument: Sendable, Equatable {
    /// What the text was found in.
    package enum Form: String, Sendable {
        /// The policy itself.
        case policy
        /// A key as Key Vault or Managed HSM shows it, or its `release_policy` member.
        case keyBundle = "key-bundle"
        /// Base64 text of the policy.
        case encoded
    }

    /// The policy's JSON, UTF-8.
    package let text: [UInt8]
    package let form: Form
    /// `immutable` of the key bundle; `nil` where nothing says.
    package let isImmutable: Bool?

    /// Why there is no policy. The end of a sentence that starts with the name of the input.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible { package let description: String }

    /// Longest input, in bytes: a bundle around the longest policy.
    package static let maximumBytes = 1 << 20

    /// Takes the policy out of a key bundle or its encoding. Text that is neither is taken as the policy, right or wrong: the parser says
    /// what is wrong with it.
    package init(_ input: [UInt8]) throws(Failure) {
        guard input.count <= Self.maximumBytes else { throw Failure(description: "longer than \(Self.maximumBytes) bytes") }
        if let encoded = Base64.decodeWrapped(input), encoded.first == UInt8(ascii: "{") {
            self.init(text: encoded, form: .encoded, isImmutable: nil)
            return
        }
        guard case .object(let document)? = try? JSONValue.parse(input, limits: JSONLimits(bigIntegers: .asReal)) else {
            self.init(text: input, form: .policy, isImmutable: nil)
            return
        }
        let member = document["release_policy"] ?? document["releasePolicy"]
        if let member, case .object(let policy) = member {
            self = try Self.unwrapped(policy)
        } else if document["anyOf"] == nil, document["data"] != nil || document["encodedPolicy"] != nil {
            self = try Self.unwrapped(document)
        } else if document["anyOf"] == nil, document["allOf"] == nil, document["key"] != nil {
            throw Failure(description: "a key without release_policy: it is not releasable")
        } else {
            self.init(text: input, form: .policy, isImmutable: nil)
        }
    }

    private init(text: [UInt8], form: Form, isImmutable: Bool?) {
        self.text = text
        self.form = form
        self.isImmutable = isImmutable
    }

    private static func unwrapped(_ policy: JSONObject) throws(Failure) -> PolicyDocument {
        var isImmutable: Bool?
        if case .boolean(let flag)? = policy["immutable"] { isImmutable = flag }
        let member = policy["data"] ?? policy["encodedPolicy"]
        guard case .string(let data)? = member else {
            guard let member else { throw Failure(description: "release_policy has no data") }
            throw Failure(
                description: "release_policy.data is \(member.kindName); it must be the base64url of the policy's text, which this makes: "
                    + "base64 -w0 POLICY | tr '+/' '-_' | tr -d '='")
        }
        // `az` prints the decoded text under the name encodedPolicy.
        if data.hasPrefix("{") { return PolicyDocument(text: Array(data.utf8), form: .keyBundle, isImmutable: isImmutable) }
        guard let decoded = Base64.decodeLenient(data) else { throw Failure(description: "release_policy.data is not base64url text") }
        return PolicyDocument(text: decoded, form: .keyBundle, isImmutable: isImmutable)
    }
}
