internal import BrokerCore
internal import Logging
internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// The environment variables and flags of the original sidecar (OriginalSidecar.md, "Start-up inputs"), translated into this program's
/// settings.
///
/// They count more than the configuration file and less than `BROKER_…` variables and options. An empty value is no value, as in the
/// original's start script.
package struct OriginalSidecarInputs: Sendable, Equatable {
    struct Input: Sendable, Equatable {
        let value: String
        /// The variable or flag, for messages.
        let name: String
    }

    /// A setting in this program's terms.
    struct Setting: Sendable, Equatable {
        let path: String
        let value: RawSetting
        let source: ConfigurationSource
    }

    /// What the inputs mean here.
    struct Translation: Sendable {
        var settings: [Setting] = []
        var problems: [ConfigurationProblem] = []
        var warnings: [String] = []
    }

    let arguments: Input?
    let port: Input?
    let logLevel: Input?
    let logFile: Input?
    let serverType: Input?
    /// `UVM_…`, each with the setting that it stands for.
    let platform: [(setting: String, input: Input)]

    /// Reads `SkrSideCarArgs`, `Port`, `LogLevel`, `LogFile` and `ServerType`; the values of the flags `-base64`, `-port`, `-loglevel`,
    /// `-logfile` and `-server_type` win over them.
    package init(
        environment: [String: String] = [:], base64: String? = nil, port: String? = nil, logLevel: String? = nil, logFile: String? = nil,
        serverType: String? = nil
    ) {
        func input(_ flag: String, _ value: String?, _ variable: String) -> Input? {
            if let value, !value.isEmpty { return Input(value: value, name: flag) }
            if let value = environment[variable], !value.isEmpty { return Input(value: value, name: variable) }
            return nil
        }
        arguments = input("-base64", base64, "SkrSideCarArgs")
        self.port = input("-port", port, "Port")
        self.logLevel = input("-loglevel", logLevel, "LogLevel")
        self.logFile = input("-logfile", logFile, "LogFile")
        self.serverType = input("-server_type", serverType, "ServerType")
        platform = Self.platformVariables.compactMap { variable, setting in
            guard let value = environment[variable], !value.isEmpty else { return nil }
            return ("evidence.snp.\(setting)", Input(value: value, name: variable))
        }
    }

    /// The security context of confidential ACI, and its older form (SecurityContext.md, "Directory" and "Older variables").
    private static let platformVariables = [
        ("UVM_SECURITY_CONTEXT_DIR", "security-context-directory"), ("UVM_SECURITY_POLICY", "security-policy"),
        ("UVM_HOST_AMD_CERTIFICATE", "host-certificates"), ("UVM_REFERENCE_INFO", "reference-info"),
    ]

    package static func == (left: OriginalSidecarInputs, right: OriginalSidecarInputs) -> Bool {
        left.arguments == right.arguments && left.port == right.port && left.logLevel == right.logLevel && left.logFile == right.logFile
            && left.serverType == right.serverType
            && left.platform.elementsEqual(right.platform) { $0.setting == $1.setting && $0.input == $1.input }
    }

    /// The same inputs as settings, in a fixed order.
    func translated() -> Translation {
        var result = Translation()
        translateListener(&result)
        translateLog(&result)
        for (setting, input) in platform { result.set(setting, input.value, input.name) }
        if let arguments { translate(arguments: arguments, &result) }
        return result
    }

    /// The original serves one of the two: HTTP on port 8080, gRPC on 50000, where nothing else is said.
    private func translateListener(_ result: inout Translation) {
        var setting = "server.http"
        switch serverType?.value.lowercased() {
        case nil, "http": break
        case "grpc": setting = "server.grpc"
        default: serverType.map { result.problem("server.grpc", $0, "expected http or grpc, found something else") }
        }
        if setting == "server.grpc", let serverType {
            result.set("server.http", "", serverType.name)
            if port == nil { result.set(setting, "127.0.0.1:50000", serverType.name) }
        }
        guard let port else { return }
        guard let number = HostAndPort.port(port.value), number > 0 else {
            result.problem(setting, port, "expected a port from 1 to 65535")
            return
        }
        result.set(setting, "127.0.0.1:\(number)", port.name)
    }

    private func translateLog(_ result: inout Translation) {
        if let logFile { result.set("log.file", logFile.value, logFile.name) }
        guard let logLevel else { return }
        // The names and spellings that logrus accepts, which does the original's logging.
        let level: Logger.Level? =
            switch logLevel.value.lowercased() {
            case "trace": .trace
            case "debug": .debug
            case "info": .info
            case "warn", "warning": .warning
            case "error": .error
            case "fatal", "panic": .critical
            default: nil
            }
        if let level {
            result.set("log.level", level.rawValue, logLevel.name)
        } else {
            result.problem("log.level", logLevel, "expected trace, debug, info, warning, error, fatal or panic")
        }
    }

    // MARK: SkrSideCarArgs

    private func translate(arguments: Input, _ result: inout Translation) {
        // Go's decoder skips line ends inside the text.
        let text = String(decoding: arguments.value.utf8.filter { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        guard let bytes = Base64.decode(text) else {
            result.problem("", arguments, "expected standard base64 of a JSON object")
            return
        }
        let root: JSONObject
        do { root = try JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: 1 << 16, maximumDepth: 8)).object() } catch {
            result.problem("", arguments, "the decoded text: \(error.description)")
            return
        }
        for (name, value) in root where value != .null {
            switch name {
            case "identity": translate("client_id", of: name, value, arguments, setting: "identity.client-id", &result)
            case "maaconfig": translate("user_agent", of: name, value, arguments, setting: "verifier.maa.user-agent", &result)
            case "certcache": translate(certificateCache: value, arguments, &result)
            default: result.warnings.append("\(arguments.name): '\(VisibleText.line(name))' is not known and was ignored")
            }
        }
    }

    private func translate(
        _ member: String, of block: String, _ value: JSONValue, _ input: Input, setting: String, _ result: inout Translation
    ) {
        guard case .object(let object) = value else {
            result.problem(setting, input, "\(block): expected an object, found \(value.kindName)")
            return
        }
        for (name, value) in object where value != .null {
            let path = "\(block).\(VisibleText.line(name))"
            guard name == member else {
                result.warnings.append("\(input.name): '\(path)' is not known and was ignored")
                continue
            }
            switch value {
            case .string(""): continue
            case .string(let text): result.set(setting, text, "\(input.name) \(path)")
            default: result.problem(setting, input, "\(path): expected a string, found \(value.kindName)")
            }
        }
    }
}

extension OriginalSidecarInputs.Translation {
    mutating func set(_ path: String, list: [String], _ name: String) {
        settings.append(.init(path: path, value: .list(list), source: .original(name)))
    }

    mutating func set(_ path: String, _ value: String, _ name: String) {
        settings.append(.init(path: path, value: .string(value), source: .original(name)))
    }

    mutating func problem(_ path: String, _ input: OriginalSidecarInputs.Input, _ message: String) {
        problems.append(ConfigurationProblem(path: path, source: .original(input.name), message: message))
    }
}
