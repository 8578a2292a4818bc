internal import InputReading
internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

/// A security policy in the form that `az confcom` writes: a package, imports of keywords, and assignments of JSON values or of names of
/// the framework (SecurityContext.md, "Security policy"). Any other Rego could mean anything, so it is refused and named.
struct SecurityPolicyDocument {
    enum Value {
        case json(JSONValue)
        /// `data.framework.NAME`, `{"errors": data.framework.errors}`.
        case reference(String)
    }

    /// Why it is no such policy. The end of a sentence that starts with the name of the input.
    struct Failure: Error, Equatable { let description: String }

    let package: String
    /// In the order of the text; no name twice.
    let settings: [(name: String, value: Value)]
    let containers: [JSONObject]
    let fragments: [JSONObject]

    init(_ policy: [UInt8]) throws(Failure) {
        guard String(validating: policy, as: UTF8.self) != nil else { throw Failure(description: "not UTF-8 text") }
        var scanner = RegoScanner(policy)
        var package: String?
        var settings: [(name: String, value: Value)] = []
        while let word = scanner.nextWord() {
            switch word {
            case "package" where package == nil: package = scanner.restOfLine()
            case "import" where package != nil:
                let name = scanner.restOfLine()
                guard name.hasPrefix("future.keywords") || name == "rego.v1" else { throw scanner.refusal("an import of \(name)") }
            default:
                guard package != nil else { throw Failure(description: "no Rego: the first statement is not 'package …'") }
                guard scanner.takesAssignment() else { throw scanner.refusal("a rule, default or function '\(word)'") }
                guard !settings.contains(where: { $0.name == word }) else { throw scanner.refusal("'\(word)' a second time") }
                settings.append((word, try scanner.value(of: word)))
            }
        }
        guard let package else { throw Failure(description: "no Rego: there is no 'package …'") }
        guard !settings.isEmpty else { throw Failure(description: "Rego without a single assignment") }
        self.package = package
        self.settings = settings
        containers = try Self.list("containers", in: settings)
        fragments = try Self.list("fragments", in: settings)
    }

    /// The elements of a list of objects; none where it is absent.
    private static func list(_ name: String, in settings: [(name: String, value: Value)]) throws(Failure) -> [JSONObject] {
        guard let value = settings.first(where: { $0.name == name })?.value else { return [] }
        guard case .json(.array(let elements)) = value else { throw Failure(description: "'\(name)' is no list") }
        var objects: [JSONObject] = []
        for element in elements {
            guard case .object(let object) = element else { throw Failure(description: "'\(name)' holds something that is no object") }
            objects.append(object)
        }
        return objects
    }
}

/// Reads the text of a policy statement by statement.
private struct RegoScanner {
    private static let limits = JSONLimits(maximumBytes: SecurityPolicyInput.maximumBytes, maximumDepth: 32, bigIntegers: .asReal)

    private let text: [UInt8]
    private var position = 0
    /// Where the statement at hand begins.
    private var start = 0

    init(_ text: [UInt8]) { self.text = text }

    func refusal(_ what: String) -> SecurityPolicyDocument.Failure {
        let line = text[..<start].count { $0 == 0x0A } + 1
        return .init(
            description: "Rego that 'az confcom' does not write: line \(line) has \(VisibleText.name(what)); only assignments are compared")
    }

    /// The next statement's first word; `nil` at the end. A word that is none is taken whole, for the message.
    mutating func nextWord() -> String? {
        while position < text.count {
            if text[position] == UInt8(ascii: "#") {
                _ = restOfLine()
            } else if Self.isSpace(text[position]) {
                position += 1
            } else {
                break
            }
        }
        guard position < text.count else { return nil }
        start = position
        while position < text.count, Self.isNameByte(text[position]) { position += 1 }
        if position == start { position = text[start...].firstIndex(where: Self.isSpace) ?? text.count }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    mutating func restOfLine() -> String {
        let end = text[position...].firstIndex(of: 0x0A) ?? text.count
        defer { position = end }
        return Self.trimmed(text[position..<end])
    }

    /// Goes behind `:=`, where that is next.
    mutating func takesAssignment() -> Bool {
        var next = position
        while next < text.count, text[next] == 0x20 || text[next] == 0x09 { next += 1 }
        guard text[next...].starts(with: Array(":=".utf8)) else { return false }
        position = next + 2
        return true
    }

    mutating func value(of name: String) throws(SecurityPolicyDocument.Failure) -> SecurityPolicyDocument.Value {
        while position < text.count, Self.isSpace(text[position]) { position += 1 }
        let begin = position
        if position < text.count, text[position] == UInt8(ascii: "{") || text[position] == UInt8(ascii: "[") {
            guard skipBrackets() else { throw refusal("a bracket of '\(name)' that is not closed") }
        }
        let rest = restOfLine()
        let content = Self.trimmed(text[begin..<position])
        // A document is an array or an object (`StrictJSON`), so a value is read as the one element of an array.
        if case .array(let elements)? = try? JSONValue.parse(Array("[\(content)]".utf8), limits: Self.limits), elements.count == 1 {
            return .json(elements[0])
        }
        guard
            content.hasPrefix("data.framework.") && rest.utf8.allSatisfy({ Self.isNameByte($0) || $0 == UInt8(ascii: ".") })
                || content.filter({ !$0.isWhitespace }) == #"{"errors":data.framework.errors}"#
        else { throw refusal("a value of '\(name)' that is neither JSON nor a name of the framework") }
        return .reference(content)
    }

    /// Goes behind the bracket that closes the one at hand; strings are skipped.
    private mutating func skipBrackets() -> Bool {
        var depth = 0
        var isText = false
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\\") where isText: position += 1
            case UInt8(ascii: "\""): isText.toggle()
            case UInt8(ascii: "{") where !isText, UInt8(ascii: "[") where !isText: depth += 1
            case UInt8(ascii: "}") where !isText, UInt8(ascii: "]") where !isText: depth -= 1
            default: break
            }
            position += 1
            if depth == 0, !isText { return true }
        }
        position = min(position, text.count)
        return false
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        var rest = bytes
        while let first = rest.first, isSpace(first) { rest = rest.dropFirst() }
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return String(decoding: rest, as: UTF8.self)
    }
}
