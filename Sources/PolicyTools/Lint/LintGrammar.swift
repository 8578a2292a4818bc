internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

/// The grammar, judged by the evaluator's own parser. The parser stops at its first complaint, so the parts of a refused document are read
/// one by one.
enum LintGrammar {
    private static let partLimit = 500

    static func check(_ document: JSONValue, into drafts: inout PolicyLinter.Drafts) {
        do {
            let policy = try ReleasePolicy(document)
            checkVersion(policy, into: &drafts)
        } catch {
            add(error, prefix: "", into: &drafts)
            for part in parts(of: document).prefix(partLimit) { checkPart(part, into: &drafts) }
        }
        checkPreviewForms(document, into: &drafts)
    }

    private static func checkVersion(_ policy: ReleasePolicy, into drafts: inout PolicyLinter.Drafts) {
        guard policy.version != "1.0.0" else { return }
        let words = policy.version.map { "the version is \(VisibleText.quoted($0))" } ?? "there is no version"
        drafts.add(
            .oldVersion, .warning, policy.version == nil ? "" : "/version",
            "\(words); Managed HSM has refused policies without one, and old spellings are rewritten", fix: "write \"version\": \"1.0.0\"")
    }

    /// A piece of the document in a frame in which the parser can read it, and how the frame's pointers lead back.
    private struct Part {
        let framed: JSONValue
        let framePointer: String
        let pointer: String
    }

    private static func parts(of document: JSONValue) -> [Part] {
        guard case .object(let policy) = document else { return [] }
        var result: [Part] = []
        let top = policy["anyOf"] != nil ? "anyOf" : "allOf"
        if case .array(let entries)? = policy[top] {
            for (index, entry) in entries.enumerated() {
                let pointer = "/\(top)/\(index)"
                if case .object(let members) = entry, let bare = withoutConditions(members) {
                    result.append(Part(framed: ["anyOf": [bare]], framePointer: "/anyOf/0", pointer: pointer))
                    conditions(of: members, at: pointer, depth: 0, into: &result)
                } else {
                    result.append(Part(framed: ["anyOf": [entry]], framePointer: "/anyOf/0", pointer: pointer))
                }
            }
        }
        if let version = policy["version"] {
            result.append(Part(framed: ["version": version, "anyOf": [frame(sample)]], framePointer: "", pointer: ""))
        }
        return result
    }

    /// The same entry with one good condition in place of its own; `nil` where its conditions are no list.
    private static func withoutConditions(_ entry: JSONObject) -> JSONValue? {
        var bare = entry
        for name in ["anyOf", "allOf"] {
            guard let value = entry[name] else { continue }
            guard case .array(let list) = value, !list.isEmpty else { return nil }
            bare.set(name, [sample])
        }
        return .object(bare)
    }

    private static func conditions(of object: JSONObject, at pointer: String, depth: Int, into result: inout [Part]) {
        guard depth <= ReleasePolicy.maximumNesting, result.count < partLimit else { return }
        for name in ["anyOf", "allOf"] {
            guard case .array(let list)? = object[name] else { continue }
            for (index, condition) in list.enumerated() {
                let place = "\(pointer)/\(name)/\(index)"
                if case .object(let nested) = condition, let bare = withoutConditions(nested),
                    nested["anyOf"] != nil || nested["allOf"] != nil
                {
                    result.append(Part(framed: ["anyOf": [frame(bare)]], framePointer: "/anyOf/0/allOf/0", pointer: place))
                    conditions(of: nested, at: place, depth: depth + 1, into: &result)
                } else {
                    result.append(Part(framed: ["anyOf": [frame(condition)]], framePointer: "/anyOf/0/allOf/0", pointer: place))
                }
            }
        }
    }

    private static let sample: JSONValue = ["claim": "a", "equals": "b"]

    private static func frame(_ condition: JSONValue) -> JSONValue { ["authority": "https://a", "allOf": [condition]] }

    private static func checkPart(_ part: Part, into drafts: inout PolicyLinter.Drafts) {
        do { _ = try ReleasePolicy(part.framed) } catch {
            guard error.pointer.hasPrefix(part.framePointer) else { return }
            let rest = error.pointer.dropFirst(part.framePointer.count)
            add(PolicyError(error.kind, at: part.pointer + rest, error.reason), prefix: "", into: &drafts)
        }
    }

    private static func add(_ error: PolicyError, prefix: String, into drafts: inout PolicyLinter.Drafts) {
        let rule: LintRule
        var fix: String?
        switch error.kind {
        case .syntax: rule = .syntax
        case .unsupportedVersion: rule = .unsupportedVersion
        case .missingAuthorities:
            rule = error.pointer == "/allOf" ? .topLevelAllOf : .missingAuthorities
            if rule == .topLevelAllOf { fix = "write \"anyOf\" instead of \"allOf\" around the authorities" }
        case .missingMember: rule = .missingMember
        case .unknownMember: rule = .unknownMember
        case .invalidValue: rule = .invalidValue
        case .empty: rule = .emptyList
        case .ambiguous: rule = .ambiguous
        case .tooDeep: rule = .tooDeep
        }
        drafts.add(rule, .error, error.pointer, error.reason, fix: fix)
    }

    private static func checkPreviewForms(_ document: JSONValue, into drafts: inout PolicyLinter.Drafts) {
        for entry in LintOutline.entries(document) {
            for claim in entry.conditions.claims where claim.operandMember == "value" {
                drafts.add(
                    .previewForm, .warning, claim.pointer,
                    "{\"claim\", \"condition\", \"value\"} is the form of the first preview; whether services still accept it is unknown",
                    fix: "write {\"claim\": …, \"\(claim.operation.rawValue)\": …}")
            }
        }
    }
}
