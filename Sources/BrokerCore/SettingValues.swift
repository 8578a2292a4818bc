public import HTTPTransport
internal import PlainText

extension RawSetting {
    /// "found …" for a complaint. Values are named by kind, because a misplaced secret must not reach a log.
    public var kind: String {
        switch self {
        case .string: "a string"
        case .integer: "a number"
        case .boolean: "a boolean"
        case .list: "a list"
        case .text: "text"
        case .document(_, let kind), .other(let kind): kind
        }
    }

    /// The text of a string or of untyped text.
    var stringValue: String? {
        switch self {
        case .string(let value), .text(let value): value
        default: nil
        }
    }
}

extension String: SettingValue {
    public static var settingType: String { "string" }
    public var settingText: String { self }
    public static func decode(_ raw: RawSetting) -> Result<String, SettingComplaint> {
        raw.stringValue.map(Result.success) ?? .failure(SettingComplaint("expected a string, found \(raw.kind)"))
    }
}

extension Bool: SettingValue {
    public static var settingType: String { "true or false" }
    public var settingText: String { self ? "true" : "false" }
    public var rawSetting: RawSetting { .boolean(self) }
    public static func decode(_ raw: RawSetting) -> Result<Bool, SettingComplaint> {
        switch raw {
        case .boolean(let value): .success(value)
        case .text("true"): .success(true)
        case .text("false"): .success(false)
        default: .failure(SettingComplaint("expected true or false, found \(raw.kind)"))
        }
    }
}

extension Int: SettingValue {
    public static var settingType: String { "whole number" }
    public var settingText: String { String(self) }
    public var rawSetting: RawSetting { .integer(Int64(self)) }
    public static func decode(_ raw: RawSetting) -> Result<Int, SettingComplaint> {
        switch raw {
        case .integer(let value): return .success(Int(value))
        case .text(let text):
            // "+5" is a number to Swift and to nobody else here.
            if text.utf8.first != UInt8(ascii: "+"), let value = Int(text) { return .success(value) }
            return .failure(SettingComplaint("expected a whole number, found other text"))
        default: return .failure(SettingComplaint("expected a whole number, found \(raw.kind)"))
        }
    }
}

extension [String]: SettingValue {
    public static var settingType: String { "list of strings" }
    public var settingText: String { joined(separator: ",") }
    public var rawSetting: RawSetting { .list(self) }
    /// A list, or one string for a list of one; in the environment and on the command line, values separated by commas.
    public static func decode(_ raw: RawSetting) -> Result<[String], SettingComplaint> {
        switch raw {
        case .list(let values): .success(values)
        case .string(let value): .success(value.isEmpty ? [] : [value])
        case .text(let text): .success(text.split(separator: ",").map { String(Substring($0.utf8.trimmed(" "))) })
        default: .failure(SettingComplaint("expected a list of strings, found \(raw.kind)"))
        }
    }
}

extension Duration: SettingValue {
    public static var settingType: String { "duration (500ms, 10s, 5m, 1h)" }
    public var settingText: String {
        let milliseconds = Int64(self / .milliseconds(1))
        if milliseconds % 3_600_000 == 0, milliseconds > 0 { return "\(milliseconds / 3_600_000)h" }
        if milliseconds % 60_000 == 0, milliseconds > 0 { return "\(milliseconds / 60_000)m" }
        if milliseconds % 1000 == 0 { return "\(milliseconds / 1000)s" }
        return "\(milliseconds)ms"
    }
    public static func decode(_ raw: RawSetting) -> Result<Duration, SettingComplaint> {
        let form = "a duration such as 500ms, 10s, 5m or 1h"
        guard let text = raw.stringValue else { return .failure(SettingComplaint("expected \(form), found \(raw.kind)")) }
        for (suffix, unit) in [("ms", Int64(1)), ("s", 1000), ("m", 60_000), ("h", 3_600_000)] where text.hasSuffix(suffix) {
            let digits = text.dropLast(suffix.count)
            guard digits.utf8.consists(of: .digits), let number = Int64(digits),
                number <= 1_000_000_000
            else { continue }
            return .success(.milliseconds(number * unit))
        }
        return .failure(SettingComplaint("expected \(form), found other text"))
    }
}

extension Endpoint: SettingValue {
    public static var settingType: String { "host name" }
    public var settingText: String { description }
    public static func decode(_ raw: RawSetting) -> Result<Endpoint, SettingComplaint> {
        guard let text = raw.stringValue else { return .failure(SettingComplaint("expected a host name, found \(raw.kind)")) }
        do { return .success(try Endpoint(text)) } catch { return .failure(SettingComplaint(error.description)) }
    }
}

/// A setting with a fixed set of values: any string enum whose cases are listed.
public protocol SettingChoice: SettingValue, CaseIterable, RawRepresentable where RawValue == String {}

extension SettingChoice {
    public static var settingType: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
    public var settingText: String { rawValue }
    public static func decode(_ raw: RawSetting) -> Result<Self, SettingComplaint> {
        if let text = raw.stringValue, let value = Self(rawValue: text) { return .success(value) }
        return .failure(SettingComplaint("expected \(settingType), found \(raw.stringValue == nil ? raw.kind : "something else")"))
    }
}

extension SettingKey where Value == Int {
    /// A whole number within a range, which the help names.
    public init(_ name: String, default defaultValue: Int, in range: ClosedRange<Int>, help: String) {
        self.init(
            name, default: defaultValue, help: "\(help) (\(range.lowerBound) to \(range.upperBound))",
            check: { range.contains($0) ? nil : "expected \(range.lowerBound) to \(range.upperBound), found \($0)" })
    }
}

extension SettingKey where Value == Duration {
    /// A duration within a range, which the help names.
    public init(_ name: String, default defaultValue: Duration, in range: ClosedRange<Duration>, help: String) {
        let bounds = "\(range.lowerBound.settingText) to \(range.upperBound.settingText)"
        self.init(
            name, default: defaultValue, help: "\(help) (\(bounds))",
            check: { range.contains($0) ? nil : "expected \(bounds), found \($0.settingText)" })
    }
}
