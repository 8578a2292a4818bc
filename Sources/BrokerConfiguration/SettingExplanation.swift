internal import BrokerCore
package import StrictJSON

/// What `config explain` says of a setting, or of all settings of a block.
extension SettingsReference {
    /// The settings that a path, a block's path or a variable means; empty where there is none.
    private func entries(_ name: String) -> [SettingsCatalogue.Entry] {
        if let entry = catalogue[name] { return [entry] }
        let named = catalogue.entries(forVariable: name)
        return named.isEmpty ? catalogue.entries.filter { $0.path.hasPrefix(name + ".") } : named
    }

    /// `nil` where nothing has that name.
    package func explainText(_ name: String) -> String? {
        let found = entries(name)
        return found.isEmpty ? nil : found.map(Self.text).joined(separator: "\n")
    }

    /// The same for machines.
    package func explainJSON(_ name: String) -> JSONValue? {
        let found = entries(name)
        return found.isEmpty ? nil : ["settings": .array(found.map(\.json))]
    }

    /// Why there is no such setting, and which one may be meant.
    package func unknownSetting(_ name: String) -> String {
        name.hasPrefix("BROKER_") ? catalogue.unknownVariable(name) : catalogue.unknownSetting(name)
    }

    private static func text(_ entry: SettingsCatalogue.Entry) -> String {
        let declaration = entry.declaration
        let value = declaration.defaultText.flatMap { $0.isEmpty || declaration.isSecret ? nil : $0 } ?? "…"
        let names = entry.path.split(separator: ".")
        let nested = names.reversed().reduce(String(decoding: example(declaration).serialized(), as: UTF8.self)) { "{\"\($1)\": \($0)}" }
        return """
            \(entry.path)\(declaration.isSecret ? " (secret)" : "")
                \(declaration.help)
                \(declaration.type); default: \(defaultText(declaration, quote: ""))
                file         \(nested)
                environment  \(entry.variable)=\(value)
                option       --set \(entry.path)=\(value)

            """
    }

    private static func example(_ declaration: SettingDeclaration) -> JSONValue {
        guard let value = declaration.defaultSetting, !declaration.isSecret else { return "…" }
        return JSONValue(value)
    }
}

extension SettingsCatalogue.Entry {
    /// `{"name", "path", "variable", "type", "default", "required", "secret", "help"}`.
    var json: JSONValue {
        let shown = declaration.isSecret ? nil : declaration.defaultSetting
        return [
            "name": .string(declaration.name), "path": .string(path), "variable": .string(variable), "type": .string(declaration.type),
            "default": shown.map(JSONValue.init) ?? .null, "required": .boolean(declaration.isRequired),
            "secret": .boolean(declaration.isSecret), "help": .string(declaration.help),
        ]
    }
}
