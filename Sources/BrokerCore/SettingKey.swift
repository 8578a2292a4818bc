/// One setting of a provider or of the broker, declared once: the declaration decodes it, rejects what it does not allow, and documents it.
public struct SettingKey<Value: SettingValue>: Sendable {
    /// The declaration without its Swift type.
    public let declaration: SettingDeclaration
    /// What applies when nobody sets it; `nil` makes the setting required unless it is read with `optional`.
    public let defaultValue: Value?
    /// A further check of the decoded value; returns the complaint.
    let check: @Sendable (Value) -> String?

    /// `name` is in kebab-case, for example `api-version`. A provider that is in use cannot work without a setting that `isRequired`, so
    /// that its absence is found together with all other problems. A value that `isSecret` is never printed. `help` is one sentence for the
    /// operator.
    public init(
        _ name: String, default defaultValue: Value? = nil, required isRequired: Bool = false, secret isSecret: Bool = false, help: String,
        check: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        self.defaultValue = defaultValue
        self.check = check
        declaration = SettingDeclaration(
            name: name, type: Value.settingType, defaultText: defaultValue.map { $0.settingText },
            defaultSetting: defaultValue.map { $0.rawSetting }, help: help, isRequired: isRequired && defaultValue == nil,
            isSecret: isSecret,
            complaint: { raw in
                switch Value.decode(raw) {
                case .success(let value): check(value)
                case .failure(let complaint): complaint.description
                }
            })
    }

    /// Kebab-case name inside its block.
    public var name: String { declaration.name }
}

/// A declared setting as documentation and validation see it.
public struct SettingDeclaration: Sendable {
    public let name: String
    /// For people: `string`, `list of strings`, `duration`, `one of a, b`.
    public let type: String
    /// The default as an operator would write it; `nil` where there is none.
    public let defaultText: String?
    /// The default as it stands in a JSON file; `nil` where there is none.
    public let defaultSetting: RawSetting?
    public let help: String
    public let isRequired: Bool
    public let isSecret: Bool
    /// What is wrong with a given value, or `nil`.
    public let complaint: @Sendable (RawSetting) -> String?
}

/// A setting as it was written: in the JSON file, or as text in the environment or on the command line.
public enum RawSetting: Sendable, Equatable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case list([String])
    /// Text of an environment variable or option, whose type only the declaration knows.
    case text(String)
    /// An object, or a list of anything but strings, as JSON text; the kind is for complaints.
    case document(json: String, kind: String)
    /// Any other JSON value, by its kind: "null", "a number with a fraction".
    case other(kind: String)
}

/// A Swift type that a setting can have.
public protocol SettingValue: Sendable {
    static var settingType: String { get }
    /// The value as an operator would write it.
    var settingText: String { get }
    /// The value as it stands in a JSON file; by default a string with `settingText`.
    var rawSetting: RawSetting { get }
    static func decode(_ raw: RawSetting) -> Result<Self, SettingComplaint>
}

extension SettingValue { public var rawSetting: RawSetting { .string(settingText) } }

/// What is wrong with a written value, as the end of a sentence: "expected a duration such as 10s, found \"soon\"".
public struct SettingComplaint: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
