internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// How a security policy was given.
package enum SecurityPolicyForm: String, Sendable, CaseIterable {
    /// Base64 text, as in an ARM template's `ccePolicy` or a security context directory.
    case base64
    /// The policy itself, a Rego module.
    case rego
    /// JSON that holds `ccePolicy`: an ARM template, its parameters, a container group as `az` prints it.
    case template
    /// A pod manifest whose annotation ends in `ccepolicy`, for virtual nodes.
    case manifest
}

/// A security policy: the decoded bytes, whose hash is the host data (SecurityContext.md, "Host data").
package struct SecurityPolicyInput: Sendable, Equatable {
    package let bytes: [UInt8]
    package let form: SecurityPolicyForm
    /// Where in a template or manifest it was found; `nil` for the other forms.
    package let place: String?
    /// What is odd about the text, one sentence each.
    package let notes: [String]

    /// The same policy, however it was given.
    package static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }

    /// Longest input, in bytes.
    package static let maximumBytes = 16 << 20

    package static let kind = InputKind<SecurityPolicyInput>(
        name: "a security policy",
        advice: "give the base64 of ccePolicy, the Rego file, or the ARM template, parameter file or manifest that holds it", members: [],
        find: { view throws(InputRefusal) in try find(view) })

    /// The policy or policies of an input. Without `form` it is recognised; with one, whatever is in that form is taken, policy or not.
    package static func read(_ input: [UInt8], as form: SecurityPolicyForm? = nil) throws(InputRefusal) -> [SecurityPolicyInput] {
        guard input.count <= maximumBytes else { throw refusal("longer than \(maximumBytes) bytes") }
        guard let form else { return try kind.read(input) }
        guard !input.isEmpty else { throw refusal("empty") }
        if form == .rego { return [SecurityPolicyInput(bytes: input, form: .rego, place: nil, notes: [])] }
        for view in InputViews.of(input) {
            switch form {
            case .template where TextForm.startsJSON(view.bytes): return try TemplatePolicies.read(TextForm.plain(view.bytes))
            case .manifest:
                let found = try ManifestPolicies.read(view.bytes)
                if !found.isEmpty { return found }
            case .base64 where view.base64Count == 1:
                return [SecurityPolicyInput(bytes: view.bytes, form: .base64, place: nil, notes: notes(of: view))]
            default: continue
            }
        }
        switch form {
        case .template: throw refusal("not JSON")
        case .manifest: throw refusal("has no line with an annotation that ends in ccepolicy")
        default: throw refusal("not base64 text")
        }
    }

    private static func find(_ view: InputView) throws(InputRefusal) -> [SecurityPolicyInput] {
        if RegoText.isModule(view.bytes) { return try module(view) }
        if TextForm.startsJSON(view.bytes) {
            // A mark in front is looked behind in the next view.
            guard TextForm.decoded(view.bytes) == nil else { return [] }
            return try TemplatePolicies.read(view.bytes)
        }
        return Lookalike.isBicep(view.bytes) ? [] : try ManifestPolicies.read(view.bytes)
    }

    private static func module(_ view: InputView) throws(InputRefusal) -> [SecurityPolicyInput] {
        if view.decodings > 0, view.layers.last == "UTF-16" {
            throw refusal("base64 of a policy in UTF-16, which no service can read; encode the policy in UTF-8")
        }
        // The bytes with the mark were taken already: it counts.
        if view.layers.last == "byte order mark", view.decodings == 0 { return [] }
        // What is decoded is hashed as it is.
        guard view.decodings == 0 || view.isDecoded else { return [] }
        guard view.base64Count < 2 else {
            let once = "--form base64 gives the host data of what is inside of the outer one"
            throw refusal("base64 of base64 text: decoded twice it is Rego with the host data \(sha256(view.bytes)); \(once)")
        }
        return [SecurityPolicyInput(bytes: view.bytes, form: view.decodings == 0 ? .rego : .base64, place: nil, notes: notes(of: view))]
    }

    private static func notes(of view: InputView) -> [String] {
        var notes: [String] = []
        if view.layers.contains("wrapped base64") {
            notes.append("the base64 text is wrapped into lines, which were joined; ccePolicy must be one line")
        }
        if view.decodings == 0, view.layers.contains("UTF-16") {
            notes.append("the file is UTF-16; the policy is its text in UTF-8, and its line ends are those of the file")
        }
        return notes
    }

    static func refusal(_ description: String) -> InputRefusal { InputRefusal(description, advice: kind.advice) }

    private static func sha256(_ bytes: [UInt8]) -> String { Hex.encode(DigestAlgorithm.sha256.digest(bytes)) }
}

/// Rego, by its first statement.
enum RegoText {
    /// Whether the text, behind comments and white space, starts with `package` and a name.
    static func isModule(_ bytes: [UInt8]) -> Bool {
        var text = bytes.starts(with: TextForm.byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
        text = text.drop(while: ASCIISet.whiteSpace.contains)
        while text.first == UInt8(ascii: "#") { text = text.drop { $0 != 0x0A }.drop(while: ASCIISet.whiteSpace.contains) }
        let word = Array("package".utf8)
        guard text.starts(with: word), let space = text.dropFirst(word.count).first, space == 0x20 || space == 0x09 else { return false }
        let line = text.dropFirst(word.count).prefix { $0 != 0x0A && $0 != 0x0D && $0 != UInt8(ascii: "#") }
        let name = line.trimmed(.whiteSpace)
        guard let first = name.first, (ASCIISet.alphanumeric - .digits + "_").contains(first) else { return false }
        // Go, Java and protocol buffers start with the same word.
        return name.consists(of: .alphanumeric + "_.[]\"-")
            && TextForm.isText(bytes.starts(with: TextForm.byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes) && !isGo(text)
    }

    private static func isGo(_ text: ArraySlice<UInt8>) -> Bool {
        text.split(separator: 0x0A).contains { line in
            ["import (", "import \"", "func main(", "func (", "type struct"].contains { line.starts(with: Array($0.utf8)) }
        }
    }
}
