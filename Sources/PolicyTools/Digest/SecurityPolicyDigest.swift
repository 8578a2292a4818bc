package import InputReading
internal import OpenSSLCrypto

/// The host data that a security policy leads to: SHA-256 of its decoded bytes (SecurityContext.md, "Host data").
package struct SecurityPolicyDigest: Sendable, Equatable {
    package typealias Form = SecurityPolicyForm
    package typealias Failure = InputRefusal

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

    /// Finds the policy or policies of an input. Without `form` it is recognised.
    package static func read(_ input: [UInt8], as form: Form? = nil) throws(Failure) -> [SecurityPolicyDigest] {
        try SecurityPolicyInput.read(input, as: form).map(digest)
    }

    package static func digest(of input: SecurityPolicyInput) -> SecurityPolicyDigest {
        let policy = input.bytes
        let hostData = sha256(policy)
        var notes = input.notes
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
        if input.form == .rego {
            notes.append(
                "already decoded: the input is the policy itself and was hashed as it is; ccePolicy is its base64 text, and the digest "
                    + "of that text (\(sha256(Array(Base64.encode(policy).utf8)))) is not the host data"
            )
        }
        if let inner = Base64.decodeWrapped(policy), inner.starts(with: Array("package".utf8)) {
            notes.append(
                "encoded twice: the decoded policy is base64 text again; the host data of the inner policy would be \(sha256(inner))")
            add("encoded once instead of twice", inner)
        }
        if let complaint = WellKnownHostData.complaint(about: hostData) { notes.append(complaint) }
        return SecurityPolicyDigest(
            hostData: hostData, form: input.form, byteCount: policy.count, place: input.place, notes: notes, variants: variants)
    }

    // MARK: Bytes

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

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
