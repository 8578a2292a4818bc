internal import StrictJSON

/// A release policy judged by walking over its JSON: no model, no reasons (ReleasePolicies.md, "Evaluation").
enum PlainPolicy {
    static func isSatisfied(_ policy: JSONValue, claims: JSONObject, issuer: String) -> Bool {
        list(policy, "anyOf").contains { entry in
            guard case .string(let authority)? = member(entry, "authority"), Array(authority.utf8) == Array(issuer.utf8) else {
                return false
            }
            return holds(entry, claims)
        }
    }

    private static func member(_ value: JSONValue, _ name: String) -> JSONValue? {
        if case .object(let object) = value { object[name] } else { nil }
    }

    private static func list(_ value: JSONValue, _ name: String) -> [JSONValue] {
        if case .array(let elements)? = member(value, name) { elements } else { [] }
    }

    private static func holds(_ condition: JSONValue, _ claims: JSONObject) -> Bool {
        if member(condition, "anyOf") != nil { return list(condition, "anyOf").contains { holds($0, claims) } }
        if member(condition, "allOf") != nil { return list(condition, "allOf").allSatisfy { holds($0, claims) } }
        guard case .object(let object) = condition, case .string(let name)? = object["claim"] else { return false }
        if case .string(let word)? = object["condition"], let wanted = object["value"] { return holds(name, word, wanted, claims) }
        guard let (word, wanted) = object.first(where: { $0.key != "claim" }) else { return false }
        return holds(name, word, wanted, claims)
    }

    private static func holds(_ name: String, _ word: String, _ wanted: JSONValue, _ claims: JSONObject) -> Bool {
        var found: JSONValue? = .object(claims)
        for part in name.utf8.split(separator: 0x2E) { found = found.flatMap { member($0, String(decoding: part, as: UTF8.self)) } }
        if found == .null { found = nil }
        if word == "exists" { return (found != nil) == (wanted == true || wanted == "true") }
        guard let found, let text = text(found) else { return false }
        switch word {
        case "equals": return Array(text.utf8) == Array((Self.text(wanted) ?? "").utf8)
        case "notEquals": return Array(text.utf8) != Array((Self.text(wanted) ?? "").utf8)
        default: break
        }
        guard isNumber(found), isNumber(wanted), let left = PlainNumber(text), let right = PlainNumber(Self.text(wanted) ?? "") else {
            return false
        }
        switch word {
        case "less": return left.isLess(than: right)
        case "lessOrEquals": return !right.isLess(than: left)
        case "greater": return right.isLess(than: left)
        case "greaterOrEquals": return !left.isLess(than: right)
        default: return false
        }
    }

    private static func isNumber(_ value: JSONValue) -> Bool {
        switch value {
        case .integer, .real, .string: true
        default: false
        }
    }

    /// Numbers without exponent and without zeros that say nothing.
    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): "\(number)"
        case .real(let number): PlainNumber("\(number)")?.text
        default: nil
        }
    }
}

/// A decimal number as the digits before and behind its point.
private struct PlainNumber {
    private let isNegative: Bool
    private let whole: [UInt8]
    private let fraction: [UInt8]

    init?(_ text: String) {
        guard text.utf8.count <= 400, let match = text.wholeMatch(of: /(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+\-]?[0-9]{1,6}))?/),
            let exponent = Int(match.4.map { $0.hasPrefix("+") ? $0.dropFirst() : $0 } ?? "0"), abs(exponent) <= 4096
        else { return nil }
        let behind = match.3.map { Array($0.utf8) } ?? []
        let digits = Array(match.2.utf8) + behind
        // Where the point is among the digits, with zeros on both sides to put it there.
        let point = match.2.utf8.count + exponent
        let padded =
            [UInt8](repeating: 0x30, count: max(0, -point)) + digits + [UInt8](repeating: 0x30, count: max(0, point - digits.count))
        let place = max(0, point)
        whole = Array(padded[..<place].drop { $0 == 0x30 })
        var fraction = Array(padded[place...])
        while fraction.last == 0x30 { fraction.removeLast() }
        self.fraction = fraction
        isNegative = !match.1.isEmpty && !(whole.isEmpty && fraction.isEmpty)
    }

    var text: String {
        (isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole.text) + (fraction.isEmpty ? "" : "." + fraction.text)
    }

    func isLess(than other: PlainNumber) -> Bool {
        guard isNegative == other.isNegative else { return isNegative }
        let (left, right) = isNegative ? (other, self) : (self, other)
        if left.whole.count != right.whole.count { return left.whole.count < right.whole.count }
        if left.whole != right.whole { return left.whole.lexicographicallyPrecedes(right.whole) }
        return left.fraction.lexicographicallyPrecedes(right.fraction)
    }
}
