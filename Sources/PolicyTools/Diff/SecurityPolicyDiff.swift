internal import StrictJSON

/// Compares two security policies: fragments, containers with their environment rules and mounts, and all other settings
/// (SecurityContext.md, "Security policy"). The order of containers, rules and mounts makes no difference; that of a command and of layers
/// does.
enum SecurityPolicyDiff {
    static func changes(_ old: SecurityPolicyDocument, _ new: SecurityPolicyDocument) -> [PolicyChange] {
        var changes: [PolicyChange] = []
        if old.package != new.package {
            changes.append(PolicyChange("package", old: .init(.string(old.package)), new: .init(.string(new.package))))
        }
        changes += objects(
            old.fragments, new.fragments, alike: [["feed", "issuer"], ["feed"]],
            place: { "fragment \(text($0["feed"]))" }, words: fragment)
        changes += objects(
            old.containers, new.containers, alike: [["name", "id"], ["name"], ["id"]],
            place: { "container \(text($0["name"] ?? $0["id"]))" },
            words: { "\(text($0["id"])), command \(text($0["command"]))" })
        return changes + settings(old, new)
    }

    /// Everything but the two lists.
    private static func settings(_ old: SecurityPolicyDocument, _ new: SecurityPolicyDocument) -> [PolicyChange] {
        func sides(_ document: SecurityPolicyDocument) -> [(name: String, side: PolicyChange.Side)] {
            document.settings.filter { !["containers", "fragments"].contains($0.name) }.map { name, value in
                switch value {
                case .json(let value): (name, .init(value))
                case .reference(let text): (name, .init(json: .string(text), words: text))
                }
            }
        }
        let (before, after) = (sides(old), sides(new))
        let changed = before.compactMap { name, side -> PolicyChange? in
            let other = after.first { $0.name == name }?.side
            return other == side ? nil : PolicyChange(name, old: side, new: other)
        }
        let added = after.filter { entry in !before.contains { $0.name == entry.name } }
        return changed + added.map { PolicyChange($0.name, old: nil, new: $0.side) }
    }

    /// Elements that are equal go away; of the rest those are one and the same that agree in the first of the lists of members, then in the
    /// second, and so on.
    private static func objects(
        _ old: [JSONObject], _ new: [JSONObject], alike: [[String]], place: (JSONObject) -> String, words: (JSONObject) -> String
    ) -> [PolicyChange] {
        var (before, after) = (old, new)
        ReleasePolicyDiff.removeEqual(&before, &after) { canonical(.object($0)) }
        var changes: [PolicyChange] = []
        for members in alike {
            before = before.filter { element in
                let match = after.firstIndex { other in
                    members.allSatisfy { name in element[name] != nil && canonical(element[name]) == canonical(other[name]) }
                }
                guard let match else { return true }
                changes += memberChanges(element, after.remove(at: match), at: place(element))
                return false
            }
        }
        func side(_ object: JSONObject) -> PolicyChange.Side { .init(json: .object(object), words: words(object)) }
        changes += before.map { PolicyChange(place($0), old: side($0), new: nil) }
        return changes + after.map { PolicyChange(place($0), old: nil, new: side($0)) }
    }

    private static func memberChanges(_ old: JSONObject, _ new: JSONObject, at place: String) -> [PolicyChange] {
        let names = old.keys + new.keys.filter { old[$0] == nil }
        return names.flatMap { name -> [PolicyChange] in
            let here = "\(place), \(name)"
            switch (name, old[name], new[name]) {
            case (_, let before, let after) where canonical(before) == canonical(after): return []
            case ("env_rules", .array(let before)?, .array(let after)?): return list(before, after, at: here, key: variable, words: rule)
            case ("mounts", .array(let before)?, .array(let after)?):
                return list(before, after, at: here, key: { text(member("destination", of: $0)) }, words: mount)
            case ("exec_processes", .array(let before)?, .array(let after)?), ("signals", .array(let before)?, .array(let after)?),
                ("includes", .array(let before)?, .array(let after)?):
                return list(before, after, at: here, key: canonical, words: { text($0) })
            case ("capabilities", .object(let before)?, .object(let after)?):
                return (before.keys + after.keys.filter { before[$0] == nil }).flatMap { kind -> [PolicyChange] in
                    guard case .array(let one) = before[kind] ?? [], case .array(let other) = after[kind] ?? [] else { return [] }
                    return list(one, other, at: "\(here) \(kind)", key: canonical, words: { text($0) })
                }
            case (_, let before, let after):
                return [PolicyChange(here, old: before.map { .init($0) }, new: after.map { .init($0) })]
            }
        }
    }

    /// A list whose order does not count; elements with one key are one element that changed.
    private static func list(
        _ old: [JSONValue], _ new: [JSONValue], at place: String, key: (JSONValue) -> String, words: (JSONValue) -> String
    ) -> [PolicyChange] {
        var (before, after) = (old, new)
        ReleasePolicyDiff.removeEqual(&before, &after) { canonical($0) }
        func side(_ value: JSONValue) -> PolicyChange.Side { .init(json: value, words: words(value)) }
        let changed = before.map { element -> PolicyChange in
            let match = after.firstIndex { key($0) == key(element) }
            return PolicyChange(place, old: side(element), new: match.map { side(after.remove(at: $0)) })
        }
        return changed + after.map { PolicyChange(place, old: nil, new: side($0)) }
    }

    // MARK: Words

    private static func canonical(_ value: JSONValue?) -> String {
        value.map { String(decoding: $0.serialized(sortedKeys: true), as: UTF8.self) } ?? ""
    }

    private static func text(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { return text }
        return value.map { canonical($0) } ?? "(none)"
    }

    private static func member(_ name: String, of value: JSONValue) -> JSONValue? {
        if case .object(let object) = value { object[name] } else { nil }
    }

    /// The variable that a rule is about; the whole pattern where it is an expression.
    private static func variable(_ rule: JSONValue) -> String {
        let pattern = text(member("pattern", of: rule))
        guard member("strategy", of: rule) == .string("string") else { return pattern }
        return String(pattern.prefix { $0 != "=" })
    }

    private static func rule(_ rule: JSONValue) -> String {
        let required = member("required", of: rule) == .boolean(true) ? "required" : "optional"
        return "\(text(member("pattern", of: rule))) (\(text(member("strategy", of: rule))), \(required))"
    }

    private static func mount(_ mount: JSONValue) -> String {
        "\(text(member("source", of: mount))) at \(text(member("destination", of: mount))) (\(text(member("options", of: mount))))"
    }

    private static func fragment(_ fragment: JSONObject) -> String {
        "issuer \(text(fragment["issuer"])), minimum SVN \(text(fragment["minimum_svn"])), includes \(text(fragment["includes"]))"
    }
}
