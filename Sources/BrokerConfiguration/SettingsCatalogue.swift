package import BrokerCore
internal import PlainText

/// Every setting of this program: the broker's own and those of the providers that are built in.
package struct SettingsCatalogue: Sendable {
    /// One setting and where it is.
    package struct Entry: Sendable {
        /// `verifier.maa.timeout`.
        package let path: String
        package let declaration: SettingDeclaration
        /// The provider that it belongs to; `nil` for the broker's own.
        package let provider: ProviderSummary?

        /// `BROKER_VERIFIER_MAA_TIMEOUT`.
        package var variable: String { SettingsCatalogue.variable(for: path) }
    }

    /// In the order in which they are documented.
    package let entries: [Entry]
    package let providers: [ProviderSummary]
    /// Paths of objects that hold settings: `server`, `verifier`, `verifier.maa`.
    let blocks: [String]
    let choice: ProviderChoice
    private let positions: [String: Int]
    private let variables: [String: [Int]]

    package init(_ registry: ProviderRegistry) {
        let providers = registry.summaries
        let choice = ProviderChoice(providers)
        var entries: [Entry] = []
        var blocks: [String] = []

        func declare(_ block: String, _ declarations: [SettingDeclaration], _ provider: ProviderSummary? = nil) {
            if !block.isEmpty { blocks.append(block) }
            for declaration in declarations {
                let path = block.isEmpty ? declaration.name : "\(block).\(declaration.name)"
                entries.append(Entry(path: path, declaration: declaration, provider: provider))
            }
        }
        func declareProviders(_ role: ProviderRole, use: SettingDeclaration, _ others: [SettingDeclaration] = []) {
            declare(role.block, [use] + others)
            for provider in providers where provider.role == role { declare(provider.path, provider.schema.declarations, provider) }
        }
        declare("server", BrokerSettings.server.schema.declarations)
        declare("server.tls", BrokerSettings.serverTLS.schema.declarations)
        declare("grpc", BrokerSettings.grpc.schema.declarations)
        declare("key-provider", BrokerSettings.keyProvider.schema.declarations)
        declare("callers", BrokerSettings.callers.schema.declarations)
        declareProviders(.evidence, use: choice.evidence.declaration, BrokerSettings.evidence.schema.declarations)
        declareProviders(.verifier, use: choice.verifiers.declaration, BrokerSettings.verifiers.schema.declarations)
        declareProviders(.keyStore, use: choice.keyStores.declaration)
        declare("identity", BrokerSettings.identity.schema.declarations)
        declare("tls", BrokerSettings.tls.schema.declarations)
        declare("", [BrokerSettings.cloud.declaration])
        declare("wrapping-keys", BrokerSettings.wrappingKeys.schema.declarations)
        declare("release-session", BrokerSettings.releaseSession.schema.declarations)
        declare("log", BrokerSettings.log.schema.declarations)
        declare("audit", BrokerSettings.audit.schema.declarations)
        declare("trace", BrokerSettings.trace.schema.declarations)

        var positions: [String: Int] = [:]
        var variables: [String: [Int]] = [:]
        for (position, entry) in entries.enumerated() {
            positions[entry.path] = position
            variables[entry.variable, default: []].append(position)
        }
        self.entries = entries
        self.providers = providers
        self.blocks = blocks
        self.choice = choice
        self.positions = positions
        self.variables = variables
    }

    /// The setting at that path.
    package subscript(path: String) -> Entry? { positions[path].map { entries[$0] } }

    /// The settings that a variable stands for: one, or none, or several where two names differ only in `.` and `-`.
    func entries(forVariable name: String) -> [Entry] { (variables[name] ?? []).map { entries[$0] } }

    /// Path in upper case with `_` for `.` and `-`, after `BROKER_`.
    static func variable(for path: String) -> String {
        "BROKER_" + path.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    /// A member of the file whose name begins so is a comment, which JSON itself does not have.
    static let commentMark = "//"

    func isBlock(_ path: String) -> Bool { blocks.contains(path) }

    /// Names of the settings and blocks directly inside a block; the top level is "".
    func names(in block: String) -> [String] {
        let prefix = block.isEmpty ? "" : block + "."
        return (entries.map(\.path) + blocks).filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count) }.filter {
            !$0.contains(".")
        }.map(String.init)
    }

    // MARK: Suggestions

    /// `unknown setting; did you mean evidence.snp.interface?`
    func unknownSetting(_ path: String) -> String {
        if let suggestion = suggestion(for: path) { return "unknown setting; did you mean \(suggestion)?" }
        let block = parent(of: path)
        let names = names(in: block)
        guard !names.isEmpty, names.count <= 16 else { return "unknown setting" }
        return "unknown setting; known here: \(names.joined(separator: ", "))"
    }

    /// The same for a variable of the environment.
    func unknownVariable(_ name: String) -> String {
        let nearest = NearestName.nearest(to: name, among: entries.map(\.variable))
        return "no setting has this variable" + (nearest.map { "; did you mean \($0)?" } ?? "")
    }

    private func suggestion(for path: String) -> String? {
        let block = parent(of: path)
        let name = block.isEmpty ? path : String(path.dropFirst(block.count + 1))
        if block.isEmpty || isBlock(block), let near = NearestName.nearest(to: name, among: names(in: block)) {
            return block.isEmpty ? near : "\(block).\(near)"
        }
        // The right name in the wrong place is more likely than another name.
        for ending in [path, name] {
            let elsewhere = entries.map(\.path).filter { $0.hasSuffix("." + ending) }
            if elsewhere.count == 1 { return elsewhere.first }
        }
        return NearestName.nearest(to: path, among: entries.map(\.path) + blocks.filter { !path.hasPrefix($0 + ".") })
    }

    private func parent(of path: String) -> String { path.lastIndex(of: ".").map { String(path[..<$0]) } ?? "" }
}
