internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import CurlTransport
internal import HTTPTransport
internal import PlainText
internal import StrictJSON
internal import Waiting

/// For exec probes: an image without curl asks the sidecar in it.
struct HealthcheckCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Ask the running sidecar whether it is alive, or ready. Exit status 1 when it is not.",
        discussion: "Finds it by the same configuration: server.http, else server.unix. Prints nothing when all is well, unless asked to."
    ).examples("healthcheck", "healthcheck --ready --verbose")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Ask whether it could release a key, not just whether it answers.") var ready = false
    @Flag(help: "Print what it answered, and its metrics where server.metrics is set.") var verbose = false
    @Flag(help: "Print its metrics; server.metrics must be set.") var metrics = false
    @Option(help: ArgumentHelp("Seconds to wait for an answer.", valueName: "seconds")) var timeout = 5.0
    @Flag(help: "Print JSON.") var json = false

    func run(_ registry: ProviderRegistry) async throws {
        guard timeout > 0, timeout <= 600 else { throw CommandFailure(.usage, "--timeout is above 0 and at most 600 seconds") }
        let configuration = try options.load(registry)
        let transport = try Self.transport(configuration)
        defer { transport.shutdown() }
        let deadline = Deadline.after(.milliseconds(Int64(timeout * 1000)))
        let target = try Self.target(of: configuration.server)
        let metricsTarget = try metricsTarget(configuration)
        let answer = try await Self.ask(transport, target, ready ? "/readyz" : "/livez", deadline, of: "the sidecar")
        var page: String?
        if let metricsTarget { page = try await Self.figures(transport, metricsTarget, deadline) }
        let document = try? JSONCursor.parse(answer.body, limits: JSONLimits(maximumBytes: Self.maximumBytes, maximumDepth: 8))
        let reasons = (try? document?.array("reasons").map { try $0.string() }) ?? []
        let failure = answer.status == 200 ? nil : Self.failure(answer.status, target, reasons, isReadiness: ready)
        if json {
            var members: [(String, JSONValue)] = [
                ("address", .string(target.description)), ("alive", true), ("status", .integer(Int64(answer.status))),
            ]
            if ready { members += [("ready", .boolean(failure == nil)), ("reasons", .array(reasons.map { .string($0) }))] }
            if let page { members.append(("metrics", .string(page))) }
            Console.json(.object(JSONObject(members)), failure: failure)
        } else {
            if verbose {
                Console.line("\(target) answered \(answer.status): \(VisibleText.line(String(decoding: answer.body, as: UTF8.self)))")
            }
            if let page { Console.write(page) }
        }
        if let failure {
            Console.error(failure)
            try Console.end(failure)
        }
    }

    private static let maximumBytes = 4 << 20

    /// A readiness answer names what stands in the way.
    private static func failure(_ status: Int, _ target: HTTPRequest.Target, _ reasons: [String], isReadiness: Bool) -> CommandFailure {
        let words = reasons.isEmpty ? "" : ": " + reasons.map { VisibleText.line($0) }.joined(separator: "; ")
        return CommandFailure(
            .refused,
            isReadiness ? "the sidecar at \(target) is not ready (\(status))\(words)" : "the sidecar at \(target) answered \(status)",
            nextStep: isReadiness ? "'attestation-broker doctor' says which link of a release is broken" : "look into its log")
    }

    /// Where the metrics are, if they are wanted.
    private func metricsTarget(_ configuration: BrokerConfiguration) throws -> HTTPRequest.Target? {
        guard metrics || verbose else { return nil }
        if let address = configuration.metrics { return try Self.reachable(address, "server.metrics") }
        guard metrics else { return nil }
        throw CommandFailure(
            .configuration, "there are no metrics to print: server.metrics is not set", nextStep: "set server.metrics=9464")
    }

    private static func figures(_ transport: CurlTransport, _ target: HTTPRequest.Target, _ deadline: Deadline) async throws -> String {
        let answer = try await ask(transport, target, "/metrics", deadline, of: "server.metrics")
        guard answer.status == 200 else { throw CommandFailure(.impossible, "server.metrics at \(target) answered \(answer.status)") }
        return String(decoding: answer.body, as: UTF8.self)
    }

    private static func target(of server: HTTPFrontEndOptions) throws -> HTTPRequest.Target {
        if let address = server.http { return try reachable(address, "server.http") }
        if let path = server.unix { return .unix(path: path) }
        throw CommandFailure(.configuration, "the configuration has neither server.http nor server.unix")
    }

    /// Whoever listens on all addresses is asked on loopback.
    private static func reachable(_ address: HostAndPort, _ setting: String) throws -> HTTPRequest.Target {
        guard address.port != 0 else {
            throw CommandFailure(.configuration, "\(setting) has port 0: which one the system chose is not known here")
        }
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][address.host] ?? address.host
        return .metadata(host: host, port: address.port)
    }

    private static func transport(_ configuration: BrokerConfiguration) throws -> CurlTransport {
        do {
            let trust = SharedTrustStore(configuration.tls.trust)
            return try CurlTransport(.init(trust: trust.store, userAgent: "attestation-broker/\(ProgramVersion.text)", proxy: .none))
        } catch { throw CommandFailure(.impossible, "no connection can be made: \(error)") }
    }

    private static func ask(
        _ transport: CurlTransport, _ target: HTTPRequest.Target, _ path: String, _ deadline: Deadline, of name: String
    ) async throws -> HTTPResponse {
        do {
            return try await transport.send(
                HTTPRequest(.get, target, path: path, deadline: deadline, maximumResponseBytes: maximumBytes))
        } catch {
            throw CommandFailure(
                .impossible, "\(name) at \(target) does not answer: \(error)",
                nextStep: "is it running, and with this configuration?")
        }
    }
}
