internal import OpenSSLCrypto
internal import PlainText

/// The host data that a security policy leads to: SHA-256 of its decoded bytes (SecurityContext.md, "Host data").
package struct SecurityPolicyDigest: Sendable, Equatable {
    /// How the policy was given.
    package enum Form: String, Sendable, CaseIterable {
        /// Base64 text, as in an ARM template's `ccePolicy` or a security context directory.
        case base64
        /// The policy itself, a Rego module.
        case rego
        /// JSON that holds `ccePolicy`: an ARM template, its parameters, a container group as `az` prints it.
        case template
        /// A pod manifest whose annotation ends in `ccepolicy`, for virtual nodes.
        case manifest
    }

    /// What another treatment of the same input would have given: the usual mistakes, so that a digest from elsewhere can be recognised.
    package struct Variant: Sendable, Equatable {
        package let mistake: String
        package let hostData: String
    }

    /// 64 lower-case hex digits.
    package let hostData: String
    package let form: Form
    /// Size of the decoded policy.
    package let byteCount: Int
    /// Where in a template or manifest the policy was found; `nil` for the other forms.
    package let place: String?
    /// Traps that this input runs into, one sentence each; empty where there is nothing to say.
    package let notes: [String]
    package let variants: [Variant]

    /// Why there is no digest. The end of a sentence that starts with the name of the input.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible { package let description: String }

    /// Longest input, in bytes.
    package static let maximumBytes = 16 << 20

    /// Finds the policy or policies of an input. Without `form` it is recognised.
    package static func read(_ input: [UInt8], as form: Form? = nil) throws(Failure) -> [SecurityPolicyDigest] {
        guard input.count <= maximumBytes else { throw Failure(description: "longer than \(maximumBytes) bytes") }
        guard !input.isEmpty else { throw Failure(description: "empty") }
        switch form ?? recognised(input) {
        case .template: return try TemplatePolicies.read(input)
        case .manifest: return try ManifestPolicies.read(input)
        case .rego: return [digest(of: input, form: .rego)]
        case .base64:
            guard let text = Base64Text(input) else { throw Failure(description: "not base64 text") }
            return [digest(of: text.decoded, form: .base64, notes: text.notes)]
        }
    }

    private static func recognised(_ input: [UInt8]) -> Form {
        if Base64Text(input) != nil { return .base64 }
        let start = input.first { !ASCIISet.whiteSpace.contains($0) && !byteOrderMark.contains($0) }
        if start == UInt8(ascii: "{") || start == UInt8(ascii: "[") { return .template }
        return ManifestPolicies.isOne(input) ? .manifest : .rego
    }

    static func digest(of policy: [UInt8], form: Form, place: String? = nil, notes earlier: [String] = []) -> SecurityPolicyDigest {
        let hostData = sha256(policy)
        var notes = earlier
        var variants: [Variant] = []
        func add(_ mistake: String, _ bytes: [UInt8]) {
            let digest = sha256(bytes)
            if digest != hostData { variants.append(Variant(mistake: mistake, hostData: digest)) }
        }
        let unix = withoutCarriageReturns(policy)
        if unix.count != policy.count {
            notes.append(
                "line ends: this policy has CRLF line ends, which count; with LF alone its host data would be \(sha256(unix)). An editor "
                    + "or git may have added them"
            )
        }
        add("with LF line ends", unix)
        add("with CRLF line ends", withCarriageReturns(unix))
        add("without the line end at its end", trimmed(policy))
        add("with a line end added at its end", policy + [UInt8(ascii: "\n")])
        add("as base64 text instead of the decoded policy", Array(Base64.encode(policy).utf8))
        if policy.starts(with: byteOrderMark) {
            notes.append("the policy starts with a byte order mark, which counts as three bytes of it")
            add("without the byte order mark", Array(policy.dropFirst(byteOrderMark.count)))
        }
        if form == .rego {
            notes.append(
                "already decoded: the input is the policy itself and was hashed as it is; ccePolicy is its base64 text, and the digest "
                    + "of that text (\(sha256(Array(Base64.encode(policy).utf8)))) is not the host data"
            )
        }
        if let inner = Base64Text(policy)?.decoded, inner.starts(with: Array("package".utf8)) {
            notes.append(
                "encoded twice: the decoded policy is base64 text again; the host data of the inner policy would be \(sha256(inner))")
            add("encoded once instead of twice", inner)
        }
        if let complaint = WellKnownHostData.complaint(about: hostData) { notes.append(complaint) }
        return SecurityPolicyDigest(hostData: hostData, form: form, byteCount: policy.count, place: place, notes: notes, variants: variants)
    }

    // MARK: Bytes

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private static func sha256(_ bytes: [UInt8]) -> String { Hex.encode(DigestAlgorithm.sha256.digest(bytes)) }

    private static func withoutCarriageReturns(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            let isLineEnd = byte == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A
            if !isLineEnd { result.append(byte) }
        }
        return result
    }

    private static func withCarriageReturns(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 16)
        for byte in bytes {
            if byte == 0x0A { result.append(0x0D) }
            result.append(byte)
        }
        return result
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        while let last = rest.last, last == 0x0A || last == 0x0D { rest = rest.dropLast() }
        return Array(rest)
    }
}
