internal import BrokerCore
internal import PlainText
internal import StrictJSON

/// The layers laid over each other: what is set, by whom, and everything that is wrong with it.
struct ConfigurationLayers {
    struct Value: Sendable {
        let raw: RawSetting
        let source: ConfigurationSource
    }

    let catalogue: SettingsCatalogue
    private(set) var values: [String: Value] = [:]
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []
    /// Settings about which there is a complaint, so that no other is derived from them.
    private(set) var broken: Set<String> = []
    /// Whether the file could be read as JSON; without it nothing can be said to be missing.
    private(set) var isComplete = true

    init(_ catalogue: SettingsCatalogue) { self.catalogue = catalogue }

    mutating func complain(_ path: String, _ source: ConfigurationSource, _ message: String) {
        problems.append(ConfigurationProblem(path: path, source: source, message: message))
        broken.insert(path)
    }

    mutating func warn(_ text: String) { warnings.append(text) }

    private mutating func set(_ entry: SettingsCatalogue.Entry, _ raw: RawSetting, _ source: ConfigurationSource) {
        if let complaint = entry.declaration.complaint(raw) {
            complain(entry.path, source, complaint)
        } else {
            values[entry.path] = Value(raw: raw, source: source)
        }
    }

    // MARK: Defaults

    /// A default that cannot be used, such as a provider that was left out of this build, and that nobody replaced.
    mutating func checkDefaults() {
        for entry in catalogue.entries where values[entry.path] == nil && !broken.contains(entry.path) {
            if let raw = entry.declaration.defaultSetting, let complaint = entry.declaration.complaint(raw) {
                complain(entry.path, .builtIn, complaint)
            }
        }
    }

    // MARK: File

    mutating func apply(_ file: ConfigurationFile) {
        let source = ConfigurationSource.file(file.name)
        if file.isWorldWritable { warn("\(source): every user of this machine can change it; remove that permission") }
        do {
            let limits = JSONLimits(maximumBytes: ConfigurationFile.limit, maximumDepth: 16, maximumValues: 1 << 14)
            apply(try JSONCursor.parse(written: file.bytes, limits: limits).object(), in: "", source)
        } catch {
            isComplete = false
            complain("", source, error.description)
        }
    }

    private mutating func apply(_ object: JSONObject, in block: String, _ source: ConfigurationSource) {
        for (name, value) in object where !name.hasPrefix(SettingsCatalogue.commentMark) {
            let path = block.isEmpty ? name : "\(block).\(name)"
            if name.utf8.contains(UInt8(ascii: ".")) {
                let known = catalogue[path] == nil ? "unknown setting" : "write it as nested objects, one for each '.'"
                complain(VisibleText.line(path), source, known)
            } else if let entry = catalogue[path] {
                set(entry, RawSetting(value), source)
            } else if catalogue.isBlock(path) {
                if case .object(let members) = value {
                    apply(members, in: path, source)
                } else {
                    complain(path, source, "expected an object with settings, found \(value.kindName)")
                }
            } else {
                complainAboutUnknown(name, value, in: block, source)
            }
        }
    }

    private mutating func complainAboutUnknown(_ name: String, _ value: JSONValue, in block: String, _ source: ConfigurationSource) {
        let path = block.isEmpty ? name : "\(block).\(name)"
        var message: String?
        if case .object = value, let role = ProviderRole(rawValue: block) {
            let known = catalogue.providers.filter { $0.role == role }.map(\.name)
            message = ProviderChoice.complaint(name, role, known)
        }
        // A comparison with every name is not spent on more problems than are reported.
        if problems.count > ConfigurationProblems.limit { message = "unknown setting" }
        complain(VisibleText.line(path), source, message ?? catalogue.unknownSetting(path))
    }

    // MARK: Original sidecar

    mutating func apply(_ original: OriginalSidecarInputs) {
        let translation = original.translated()
        for problem in translation.problems { complain(problem.path, problem.source, problem.message) }
        for warning in translation.warnings { warn(warning) }
        for setting in translation.settings {
            guard let entry = catalogue[setting.path] else {
                warn("\(setting.source): this build has no setting \(setting.path); ignored")
                continue
            }
            if let earlier = values[setting.path], earlier.raw != setting.value {
                warn("\(setting.source) replaces \(setting.path) of \(earlier.source)")
            }
            set(entry, setting.value, setting.source)
        }
    }

    // MARK: Environment and options

    /// Variables of the commands: where the configuration is, and an access token for `key`.
    private static let noSettings: Set<String> = ["BROKER_CONFIG", "BROKER_ACCESS_TOKEN"]

    mutating func apply(environment: [String: String]) {
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("BROKER_") && !Self.noSettings.contains(name) {
            let source = ConfigurationSource.environment(name)
            let entries = catalogue.entries(forVariable: name)
            switch entries.count {
            case 0 where ServiceLink.isOne(name: name, value: text): continue
            case 0: complain("", source, catalogue.unknownVariable(name))
            case 1: set(entries[0], .text(text), source)
            default: complain("", source, "stands for \(entries.map(\.path).joined(separator: " and ")); use the file instead")
            }
        }
    }

    mutating func apply(_ overrides: [SettingOverride]) {
        for override in overrides {
            let source = ConfigurationSource.option(override.option)
            if let entry = catalogue[override.path] {
                if entry.declaration.isSecret {
                    warn("\(entry.path) (\(source)): every user of this machine can read a secret on a command line")
                }
                set(entry, .text(override.text), source)
            } else if catalogue.isBlock(override.path) {
                let names = catalogue.names(in: override.path).joined(separator: ", ")
                complain(override.path, source, "not a setting but a block; name a setting in it: \(names)")
            } else {
                complain(VisibleText.line(override.path), source, catalogue.unknownSetting(override.path))
            }
        }
    }
}

/// Variables that Kubernetes and Docker put into every container for a service called `broker…`. They are nobody's settings.
enum ServiceLink {
    static func isOne(name: String, value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT") { return true }
        if name.contains("_SERVICE_PORT_") { return true }
        return ["tcp://", "udp://", "sctp://"].contains(where: value.hasPrefix) && name.contains("_PORT")
            || ["_TCP_PROTO", "_TCP_PORT", "_TCP_ADDR", "_UDP_PROTO", "_UDP_PORT", "_UDP_ADDR", "_SCTP_PROTO", "_SCTP_PORT", "_SCTP_ADDR"]
                .contains(where: name.hasSuffix) && name.contains("_PORT_")
    }
}

extension RawSetting {
    /// A JSON value as a setting sees it.
    init(_ value: JSONValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .integer(let number): self = .integer(number)
        case .boolean(let flag): self = .boolean(flag)
        case .real: self = .other(kind: "a number with a fraction or exponent")
        case .null: self = .other(kind: "null")
        case .object: self = .document(json: Self.json(value), kind: "an object")
        case .array(let elements):
            var texts: [String] = []
            for element in elements {
                guard case .string(let text) = element else {
                    self = .document(json: Self.json(value), kind: "a list with \(element.kindName) in it")
                    return
                }
                texts.append(text)
            }
            self = .list(texts)
        }
    }

    private static func json(_ value: JSONValue) -> String { String(decoding: value.serialized(), as: UTF8.self) }

    /// As an operator would write it.
    var text: String {
        switch self {
        case .string(let text), .text(let text): text
        case .integer(let number): String(number)
        case .boolean(let flag): flag ? "true" : "false"
        case .list(let texts): texts.joined(separator: ",")
        case .document(let json, _): json
        case .other(let kind): kind
        }
    }
}
