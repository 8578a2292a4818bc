import ArgumentParser
import Glibc
import StrictJSON

@main struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker-load", abstract: "Put load on this or any other sidecar with the same REST interface, and print its times.",
        discussion: """
            Without --kid and --body the request is a GET. Answers other than 2xx are counted, and their times kept apart. With --rate the time of a request \
            counts from the moment at which it was due, so that a server that stalls cannot hide it.
            Example: broker-load --url http://127.0.0.1:8080/key/release --kid demo-rsa --connections 8
            """)

    @Option(help: "http://HOST:PORT/PATH of the request.") var url: String

    @Option(help: "Connect to this unix socket instead of the URL's host.") var unix: String?

    @Option(help: "Name of the key to release; makes the body.") var kid: String?

    @Option(help: "maa_endpoint of the request, where the sidecar wants one.") var maaEndpoint: String?

    @Option(help: "akv_endpoint of the request, where the sidecar wants one.") var akvEndpoint: String?

    @Option(help: "JSON body of the request, instead of --kid.") var body: String?

    @Option(help: "Connections, each with one request at a time.") var connections = 1

    @Option(help: "Requests for each second over all connections; as fast as they are answered when not given.") var rate: Double?

    @Option(help: "Seconds that count.") var duration = 10.0

    @Option(help: "Stop after that many answers.") var requests: Int?

    @Option(help: "Seconds before the ones that count.") var warmUp = 1.0

    @Option(help: "Seconds after which an answer is given up.") var timeout = 30.0

    @Option(help: "Process id of the server: prints its CPU time for each answer and its resident memory.") var process: Int32?

    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...4096).contains(connections) else { throw ValidationError("--connections is 1 to 4096") }
        guard duration > 0, duration <= 3600, warmUp >= 0, warmUp <= 3600, timeout > 0, timeout <= 3600 else {
            throw ValidationError("--duration, --warm-up and --timeout are at most 3600 seconds")
        }
        if let rate, !(rate > 0 && rate <= 1_000_000) { throw ValidationError("--rate is above 0, at most 1000000") }
        if let requests, requests < 1 { throw ValidationError("--requests is at least 1") }
        if body != nil, kid != nil { throw ValidationError("--body and --kid exclude each other") }
        if kid == nil, maaEndpoint != nil || akvEndpoint != nil { throw ValidationError("--maa-endpoint and --akv-endpoint go with --kid") }
        _ = try address()
    }

    func run() async throws {
        let plan = try plan()
        let before = try usage()
        let report: LoadReport
        do { report = try await LoadGenerator.run(plan) } catch {
            Self.fail(2, "\(url) cannot be reached: \(error.description)", "check that the sidecar listens there: curl --verbose \(url)")
        }
        let after = try usage()
        let text = LoadText(report: report, before: before, after: after)
        print(json ? text.json : text.table)
        guard report.succeeded > 0 else { Self.fail(1, "no request succeeded", "try the request once with curl") }
    }

    private static func fail(_ status: Int32, _ message: String, _ nextStep: String) -> Never {
        let text = Array("broker-load: \(message)\n  next: \(nextStep)\n".utf8)
        _ = write(STDERR_FILENO, text, text.count)
        Glibc.exit(status)
    }

    private func usage() throws -> ProcessUsage? {
        guard let process else { return nil }
        guard let usage = ProcessUsage(process: process) else {
            Self.fail(2, "there is no process \(process)", "give the id of the server's process")
        }
        return usage
    }

    private func plan() throws -> LoadPlan {
        let (host, port, authority, path) = try address()
        var plan = LoadPlan(target: unix.map { .unix(path: $0) } ?? .tcp(host: host, port: port), path: path, authority: authority)
        if let body {
            plan.body = Array(body.utf8)
        } else if let kid {
            var members: [(String, JSONValue)] = [("kid", .string(kid))]
            if let maaEndpoint { members.append(("maa_endpoint", .string(maaEndpoint))) }
            if let akvEndpoint { members.append(("akv_endpoint", .string(akvEndpoint))) }
            plan.body = JSONValue.object(JSONObject(members)).serialized()
        }
        plan.method = plan.body.isEmpty ? "GET" : "POST"
        plan.connections = connections
        plan.rate = rate
        plan.requests = requests
        plan.duration = .seconds(duration)
        plan.warmUp = .seconds(warmUp)
        plan.timeout = .seconds(timeout)
        return plan
    }

    /// The URL's parts. Only plain HTTP, as sidecars speak it on loopback.
    private func address() throws -> (host: String, port: Int, authority: String, path: String) {
        let form = "--url is http://HOST:PORT/PATH"
        let prefix = "http://"
        guard url.hasPrefix(prefix), url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw ValidationError(form) }
        let rest = url.dropFirst(prefix.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = String(rest[..<slash])
        let path = slash == rest.endIndex ? "/" : String(rest[slash...])
        let colon = authority.lastIndex(of: ":")
        let isPort = colon.map { !authority[$0...].contains("]") } ?? false
        let host = isPort ? String(authority[..<(colon ?? authority.endIndex)]) : authority
        let port = isPort ? Int(authority[(colon.map(authority.index(after:)) ?? authority.endIndex)...]) : 80
        guard let port, (1...65535).contains(port), !host.isEmpty, !host.contains("@") else { throw ValidationError(form) }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        return (bare, port, authority, path)
    }
}
