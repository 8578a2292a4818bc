/// Settings that belong together: a structure whose properties are ``SettingKey``s, each declared there and listed nowhere else.
public protocol SettingsGroup: Sendable {}

extension SettingsGroup {
    /// The declarations of all properties, in their order.
    public var schema: SettingsSchema {
        SettingsSchema(Mirror(reflecting: self).children.compactMap { ($0.value as? any DeclaredSetting)?.declaration })
    }
}

/// A ``SettingKey`` of any type.
private protocol DeclaredSetting { var declaration: SettingDeclaration { get } }

extension SettingKey: DeclaredSetting {}

/// The settings that one provider accepts.
public struct SettingsSchema: Sendable {
    /// In the order in which they are documented.
    public let declarations: [SettingDeclaration]

    public init(_ declarations: [SettingDeclaration]) { self.declarations = declarations }

    /// No settings at all.
    public static let empty = SettingsSchema([])

    /// The declaration of that name.
    public subscript(name: String) -> SettingDeclaration? { declarations.first { $0.name == name } }
}

/// The values of one block of the configuration, already checked against its schema.
public struct Settings: Sendable {
    /// Where the block is, for messages: `verifier.maa`.
    public let path: String
    private let values: [String: RawSetting]

    public init(path: String, values: [String: RawSetting] = [:]) {
        self.path = path
        self.values = values
    }

    /// The value, or the declared default; without either the setting is missing and the configuration wrong.
    public func callAsFunction<Value>(_ key: SettingKey<Value>) throws(BrokerError) -> Value {
        guard let value = try optional(key) else {
            throw BrokerError(.misconfigured, at: .startup, "\(path).\(key.name): required, but not set")
        }
        return value
    }

    /// The value, or the declared default, or `nil`.
    public func optional<Value>(_ key: SettingKey<Value>) throws(BrokerError) -> Value? {
        guard let raw = values[key.name] else { return key.defaultValue }
        switch Value.decode(raw) {
        case .success(let value):
            if let complaint = key.check(value) { throw BrokerError(.misconfigured, at: .startup, "\(path).\(key.name): \(complaint)") }
            return value
        case .failure(let complaint): throw BrokerError(.misconfigured, at: .startup, "\(path).\(key.name): \(complaint)")
        }
    }
}
