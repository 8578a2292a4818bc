internal import BrokerCore
internal import BrokerEngine
internal import PlainText
internal import StrictJSON

/// The setting of rules about callers: a list of objects, in a file as JSON, in a variable as its text (Callers.md, "Rules").
struct AccessRulesSetting: SettingValue {
    let rules: AccessRules
    private let json: String

    static let none = AccessRulesSetting(rules: AccessRules(), json: "[]")

    static var settingType: String { "list of rules" }
    var settingText: String { json }
    var rawSetting: RawSetting { rules.rules.isEmpty ? .list([]) : .document(json: json, kind: "a list") }

    static func decode(_ raw: RawSetting) -> Result<AccessRulesSetting, SettingComplaint> {
        switch raw {
        case .list([]), .text(""): return .success(.none)
        case .document(let json, _), .text(let json): return decode(json: json)
        default: return .failure(SettingComplaint("expected a list of rules, found \(raw.kind)"))
        }
    }

    private static func decode(json: String) -> Result<AccessRulesSetting, SettingComplaint> {
        let elements: [JSONCursor]
        do throws(JSONError) {
            elements = try JSONCursor.parse(Array(json.utf8), limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 4)).array()
        } catch { return .failure(SettingComplaint("expected a list of rules: \(error)")) }
        var reader = RuleReader()
        let rules = elements.map { reader.rule($0) }
        guard reader.complaints.isEmpty else { return .failure(SettingComplaint(reader.complaints.joined(separator: "; "))) }
        return .success(AccessRulesSetting(rules: AccessRules(rules), json: json))
    }
}

/// Reads rules and collects everything that is wrong with them, each with its place.
private struct RuleReader {
    private(set) var complaints: [String] = []

    private static let members: [String] = [
        "name", "action", "uid", "gid", "executable", "cgroup", "address", "subject", "bearer", "keys", "stores", "operations", "rate",
    ]
    /// Names of several operations at once.
    private static let families: [String: Set<RequestRecord.Operation>] = [
        "attest": [.attestToken, .attestCombined, .attestRaw, .attestVerdict]
    ]

    mutating func rule(_ cursor: JSONCursor) -> AccessRule {
        var rule = AccessRule()
        let members: [(name: String, value: JSONCursor)]
        do throws(JSONError) { members = try cursor.members() } catch {
            complain(error)
            return rule
        }
        for (name, value) in members where !name.hasPrefix(SettingsCatalogue.commentMark) { read(name, value, into: &rule) }
        let attests = rule.operations.filter { !$0.namesKey }
        if !attests.isEmpty, !rule.keys.isEmpty || !rule.stores.isEmpty {
            complain(
                cursor.invalid(
                    "an attestation has no key and no store: whoever may have data attested can open every key; make it a rule of its own"))
        }
        return rule
    }

    private mutating func read(_ name: String, _ value: JSONCursor, into rule: inout AccessRule) {
        switch name {
        case "name": rule.name = text(value)
        case "action":
            if let action = choice(value, AccessRule.Action.allCases.map(\.rawValue)) { rule.action = .init(rawValue: action) ?? .deny }
        case "uid": rule.uids = Set(list(value) { reader, value in reader.number(value) })
        case "gid": rule.gids = Set(list(value) { reader, value in reader.number(value) })
        case "executable": rule.executables = list(value) { reader, value in reader.pattern(value, ignoringCase: false) }
        case "cgroup": rule.cgroups = list(value) { reader, value in reader.pattern(value, ignoringCase: false) }
        case "subject": rule.subjects = list(value) { reader, value in reader.pattern(value, ignoringCase: false) }
        case "keys": rule.keys = list(value) { reader, value in reader.pattern(value, ignoringCase: true) }
        case "stores": rule.stores = list(value) { reader, value in reader.pattern(value, ignoringCase: true) }
        case "bearer": rule.bearers = Set(list(value) { reader, value in reader.text(value) })
        case "address": rule.addresses = list(value) { reader, value in reader.address(value) }
        case "operations": rule.operations = Set(list(value) { reader, value in reader.operations(value) }.flatMap(\.self))
        case "rate": rule.rate = rate(value)
        default:
            let nearest = NearestName.nearest(to: name, among: Self.members)
            complain(value.invalid("unknown member" + (nearest.map { "; did you mean \($0)?" } ?? "")))
        }
    }

    private mutating func complain(_ error: JSONError) { complaints.append(error.description) }

    /// One value, or a list of at least one: an empty one would hold for nobody, or for everybody.
    private mutating func list<Value>(_ value: JSONCursor, _ read: (inout RuleReader, JSONCursor) -> Value?) -> [Value] {
        guard case .array = value.value, let elements = try? value.array() else { return [read(&self, value)].compactMap(\.self) }
        if elements.isEmpty { complain(value.invalid("an empty list; leave the member out where the rule holds for all")) }
        return elements.compactMap { read(&self, $0) }
    }

    private mutating func number(_ value: JSONCursor) -> UInt32? {
        do throws(JSONError) {
            guard let number = UInt32(exactly: try value.integer()) else { throw value.invalid("expected 0 to 4294967295") }
            return number
        } catch {
            complain(error)
            return nil
        }
    }

    private mutating func text(_ value: JSONCursor) -> String? {
        do throws(JSONError) {
            let text = try value.string()
            guard !text.isEmpty, text.utf8.count <= 512, text.unicodeScalars.allSatisfy(\.isVisible) else {
                throw value.invalid("expected 1 to 512 visible characters")
            }
            return text
        } catch {
            complain(error)
            return nil
        }
    }

    private mutating func pattern(_ value: JSONCursor, ignoringCase: Bool) -> Glob? {
        text(value).map { Glob($0, ignoringCase: ignoringCase) }
    }

    private mutating func address(_ value: JSONCursor) -> AddressRange? {
        guard let text = text(value) else { return nil }
        guard let range = AddressRange(text) else {
            complain(value.invalid("expected an IP address or range such as 10.0.0.0/8"))
            return nil
        }
        return range
    }

    private mutating func operations(_ value: JSONCursor) -> Set<RequestRecord.Operation>? {
        let names = Self.families.keys.sorted() + RequestRecord.Operation.allCases.map(\.rawValue)
        guard let name = choice(value, names) else { return nil }
        if let family = Self.families[name] { return family }
        return RequestRecord.Operation(rawValue: name).map { Set([$0]) }
    }

    private mutating func rate(_ value: JSONCursor) -> Rate? {
        guard let text = text(value) else { return nil }
        guard let rate = Rate(text) else {
            complain(value.invalid(RateSetting.form))
            return nil
        }
        return rate
    }

    private mutating func choice(_ value: JSONCursor, _ names: [String]) -> String? {
        guard let text = text(value) else { return nil }
        guard names.contains(text) else {
            let nearest = NearestName.nearest(to: text, among: names).map { "; did you mean \($0)?" } ?? ""
            complain(value.invalid("expected \(names.joined(separator: ", "))\(nearest)"))
            return nil
        }
        return text
    }
}

/// The setting of a rate, where nothing means no limit.
struct RateSetting: SettingValue {
    let rate: Rate?

    static let form = "expected a rate such as 10/s, 100/m or 5000/h"
    static var settingType: String { "rate (10/s, 100/m, 5000/h), or nothing" }
    var settingText: String { rate?.description ?? "" }

    static func decode(_ raw: RawSetting) -> Result<RateSetting, SettingComplaint> {
        switch raw {
        case .string(""), .text(""): .success(RateSetting(rate: nil))
        case .string(let text), .text(let text):
            Rate(text).map { .success(RateSetting(rate: $0)) } ?? .failure(SettingComplaint("\(form), found other text"))
        default: .failure(SettingComplaint("\(form), found \(raw.kind)"))
        }
    }
}
