package import BrokerCore
internal import PlainText
package import StrictJSON

/// Documentation made from the declarations, so that it cannot say anything else than what the program does.
package struct SettingsReference: Sendable {
    let catalogue: SettingsCatalogue

    package init(_ registry: ProviderRegistry) { catalogue = SettingsCatalogue(registry) }

    // MARK: Markdown

    /// A table of all providers: kind, name, summary.
    package func providersMarkdown() -> String {
        Self.table(["Kind", "Name", "What it does"], catalogue.providers.map { [$0.role.title, "`\($0.name)`", $0.summary] })
    }

    /// A heading and a table of settings for each block of the broker and each provider, in the order of the file.
    package func settingsMarkdown(headingLevel: Int = 3) -> String {
        let mark = String(repeating: "#", count: max(1, headingLevel))
        var sections: [String] = []
        for block in [""] + catalogue.blocks {
            let prefix = block.isEmpty ? "" : block + "."
            let entries = catalogue.entries.filter { entry in
                entry.path.hasPrefix(prefix) && !entry.path.dropFirst(prefix.count).contains(".")
            }
            if entries.isEmpty { continue }
            let heading = block.isEmpty ? "Top level" : "`\(block)`"
            sections.append("\(mark) \(heading)\n\n" + Self.settingsTable(entries.map(\.declaration)))
        }
        return sections.joined(separator: "\n")
    }

    /// The table of one schema: setting, type, default, description.
    package static func settingsTable(_ declarations: [SettingDeclaration]) -> String {
        table(
            ["Setting", "Type", "Default", "Description"],
            declarations.map { declaration in
                [
                    "`\(declaration.name)`", declaration.type, defaultText(declaration, quote: "`"),
                    declaration.help + (declaration.isSecret ? " (secret)" : ""),
                ]
            })
    }

    static func defaultText(_ declaration: SettingDeclaration, quote: String) -> String {
        guard let text = declaration.defaultText else { return declaration.isRequired ? "required" : "none" }
        if declaration.isSecret { return "<secret>" }
        return text.isEmpty ? "empty" : quote + text + quote
    }

    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        let rule = header.map { _ in "---" }
        return ([header, rule] + rows).map { cells in
            "| " + cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") }.joined(separator: " | ") + " |\n"
        }.joined()
    }

    // MARK: plugins list

    /// One line for each provider; `inUse` names the blocks that are chosen, such as `verifier.maa`.
    package func listText(inUse: Set<String> = []) -> String {
        let rows = catalogue.providers.map { provider in
            [provider.role.title, provider.name, inUse.contains(provider.path) ? "in use" : "", provider.summary]
        }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return (cells + [row[3]]).joined(separator: "  ") + "\n"
        }.joined()
    }

    /// The same for machines: `[{"kind", "name", "block", "summary", "in_use"}]`.
    package func listJSON(inUse: Set<String> = []) -> JSONValue {
        .array(
            catalogue.providers.map { provider in
                [
                    "kind": .string(provider.role.title), "name": .string(provider.name), "block": .string(provider.path),
                    "summary": .string(provider.summary), "in_use": .boolean(inUse.contains(provider.path)),
                ]
            })
    }

    // MARK: plugins show

    /// What the provider or providers of that name accept; `nil` where none is built in.
    package func showText(_ name: String) -> String? {
        let found = catalogue.providers.filter { $0.name == name }
        guard !found.isEmpty else { return nil }
        return found.map(showText).joined(separator: "\n")
    }

    /// The provider name nearest to one that is not built in.
    package func suggestion(forProvider name: String) -> String? { NearestName.nearest(to: name, among: catalogue.providers.map(\.name)) }

    private func showText(_ provider: ProviderSummary) -> String {
        var text = "\(provider.role.title) \(provider.name): \(provider.summary)\n"
        let entries = catalogue.entries.filter { $0.provider?.path == provider.path }
        if entries.isEmpty { return text + "It has no settings.\n" }
        text += "Settings of \(provider.path):\n"
        for entry in entries {
            let declaration = entry.declaration
            text += "\n  \(declaration.name)\(declaration.isSecret ? " (secret)" : "")\n"
            text += "      \(declaration.help)\n"
            text += "      \(declaration.type); default: \(Self.defaultText(declaration, quote: "")); \(entry.variable)\n"
        }
        return text
    }

    /// The same for machines; `nil` where none is built in.
    package func showJSON(_ name: String) -> JSONValue? {
        let found = catalogue.providers.filter { $0.name == name }
        guard !found.isEmpty else { return nil }
        return .array(found.map(showJSON))
    }

    private func showJSON(_ provider: ProviderSummary) -> JSONValue {
        let settings = catalogue.entries.filter { $0.provider?.path == provider.path }.map(\.json)
        return [
            "kind": .string(provider.role.title), "name": .string(provider.name), "block": .string(provider.path),
            "summary": .string(provider.summary), "settings": .array(settings),
        ]
    }

    // MARK: Example

    /// A configuration file that names every setting: with its default, or, where it has none or is a secret, as a comment with its help.
    /// It can be used as it is.
    package func exampleJSON() -> JSONValue {
        var root = JSONObject()
        for entry in catalogue.entries {
            let declaration = entry.declaration
            var path = entry.path.split(separator: ".").map(String.init)
            if let value = declaration.defaultSetting, !declaration.isSecret {
                Self.set(JSONValue(value), at: path[...], in: &root)
            } else {
                path[path.count - 1] = "\(SettingsCatalogue.commentMark) \(declaration.name)"
                let kind = declaration.type + (declaration.isRequired ? ", required" : "") + (declaration.isSecret ? ", secret" : "")
                Self.set(.string("\(declaration.help) (\(kind))"), at: path[...], in: &root)
            }
        }
        return .object(root)
    }

    private static func set(_ value: JSONValue, at path: ArraySlice<String>, in object: inout JSONObject) {
        guard let name = path.first else { return }
        if path.count == 1 {
            object.set(name, value)
            return
        }
        var inner = JSONObject()
        if case .object(let existing) = object[name] { inner = existing }
        set(value, at: path.dropFirst(), in: &inner)
        object.set(name, .object(inner))
    }
}

extension JSONValue {
    /// A setting as it stands in a JSON file.
    init(_ setting: RawSetting) {
        switch setting {
        case .string(let text), .text(let text): self = .string(text)
        case .integer(let number): self = .integer(number)
        case .boolean(let flag): self = .boolean(flag)
        case .list(let texts): self = .array(texts.map(JSONValue.string))
        case .document(let json, _): self = (try? JSONValue.parse(Array(json.utf8))) ?? .null
        case .other: self = .null
        }
    }
}

extension EffectiveSetting {
    /// `{"path", "value", "source"}` for `config check --json`.
    package var json: JSONValue {
        ["path": .string(path), "value": value.map(JSONValue.string) ?? .null, "source": .string(source.description)]
    }
}

extension ConfigurationProblem {
    /// `{"path", "source", "message"}` for `config check --json`.
    package var json: JSONValue { ["path": .string(path), "source": .string(source.description), "message": .string(message)] }
}
