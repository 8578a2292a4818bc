import Foundation
import Testing

/// Metrics of a real run, read by somebody else's parsers; the dashboard and the alerts asked of it; spans at a collector.
///
/// `python3 -m venv ENV && ENV/bin/pip install prometheus-client kubernetes-validate pyyaml`, then
/// `OPERATIONS_TEST_PYTHON=ENV/bin/python`; and
/// Debian's `prometheus`.
@Suite(.serialized) struct ObservabilityTests {
    static let python: URL? = python(with: "prometheus_client, kubernetes_validate, yaml")

    private static func python(with modules: String) -> URL? {
        let name = ProcessInfo.processInfo.environment["OPERATIONS_TEST_PYTHON"] ?? "/usr/bin/python3"
        let test = try? Program.run(["-c", "import \(modules)"], executable: URL(filePath: name))
        return test?.status == 0 ? URL(filePath: name) : nil
    }

    private static let promtool = installed("promtool")
    private static let prometheus = installed("prometheus")

    private static func installed(_ name: String) -> URL? {
        let file = URL(filePath: "/usr/bin/\(name)")
        return FileManager.default.isExecutableFile(atPath: file.path) ? file : nil
    }

    /// A broker that served and refused a little of everything, and where its metrics are.
    final class MixedRun {
        let azure: LocalAzure
        let broker: Broker
        let port: Int

        init(_ settings: [String] = [], environment: [String: String] = [:]) throws {
            azure = try LocalAzure(["--fault", "maa.attest=503*1"])
            let jwk = ["kty": "oct-HSM", "k": Data(repeating: 7, count: 32).base64URL]
            #expect(try azure.importKey("k", at: LocalAzure.managedHSM, jwk, policy: LocalAzure.policy()).status == 200)
            let never = LocalAzure.policy([["claim": "x-ms-sevsnpvm-hostdata", "equals": "00"]])
            #expect(try azure.importKey("denied", at: LocalAzure.managedHSM, jwk, policy: never).status == 200)
            broker = try azure.serve(["key-stores.use=mhsm", "server.metrics=0"] + settings, environment: environment)
            port = Int(try broker.program.wait(for: /url=http:\/\/127\.0\.0\.1:(\d+)\/metrics/)) ?? 0
            for _ in 0..<3 { #expect(try broker.release("k", at: LocalAzure.managedHSM).status == 200) }
            #expect(try broker.release("denied", at: LocalAzure.managedHSM).code == "releaseDenied")
            #expect(try broker.release("missing", at: LocalAzure.managedHSM).code == "keyNotFound")
            #expect(try broker.post("/attest/maa", ["runtime_data": "aGk="]).status == 200)
            #expect(try broker.post("/attest/raw", ["runtime_data": "aGk="]).status == 200)
            #expect(try broker.post("/attest/raw", ["runtime_data": "!"]).status == 400)
            #expect(try broker.get("/readyz").status == 200)
        }

        func page(accept: String = "application/openmetrics-text; version=1.0.0") throws -> String {
            let result = try Program.run(
                ["-s", "--noproxy", "*", "-H", "Accept: \(accept)", "http://127.0.0.1:\(port)/metrics"],
                executable: URL(filePath: "/usr/bin/curl"))
            return result.text
        }

        /// The value of a sample, by its name and the labels that are written so.
        static func value(_ page: String, _ sample: String) -> Double? {
            page.split(separator: "\n").first { $0.hasPrefix(sample + " ") }.flatMap { Double($0.dropFirst(sample.count + 1)) }
        }
    }

    @Test(
        "Prometheus' own parsers read the page, and find what happened in it",
        .enabled(if: python != nil, "OPERATIONS_TEST_PYTHON has no prometheus-client"))
    func parsers() throws {
        let run = try MixedRun()
        let page = try run.page()
        let script = """
            import sys
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
            families = list(text_string_to_metric_families(sys.stdin.read()))
            names = [family.name for family in families]
            assert len(names) == len(set(names)), names
            for family in families:
                assert family.documentation and family.type != "unknown", family
            print(len(families))
            """
        let parsed = try Program.run(["-c", script], input: Data(page.utf8), executable: try #require(Self.python))
        #expect(
            parsed.status == 0 && (Int(parsed.text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 20, "\(parsed.errors)\(page)")
        #expect(MixedRun.value(page, #"broker_upstream_requests_total{upstream="key_store",result="2xx"}"#) ?? 0 >= 3)
        #expect(MixedRun.value(page, #"broker_upstream_repeats_total{upstream="attestation",result="5xx"}"#) == 1)
        #expect(MixedRun.value(page, "broker_ready") == 1)
        // One of these never reached the engine: its body was no base64.
        #expect(MixedRun.value(page, #"broker_http_answers_total{route="/attest/raw",status="200"}"#) == 1)
        #expect(MixedRun.value(page, #"broker_http_answers_total{route="/attest/raw",status="400"}"#) == 1)
        #expect(MixedRun.value(page, "broker_access_token_expiry_timestamp_seconds") ?? 0 > Date.now.timeIntervalSince1970)
        #expect(page.contains(#"broker_build_info{version="0.1.0",evidence="fixture",sessions="on"} 1"#))
        for name in ["contoso", "denied", "missing", "attest.azure.net", "127.0.0.1"] {
            #expect(!page.contains(name), "\(name) is in a label")
        }
        let printed = try Program.run([
            "healthcheck", "--metrics", "--set", "server.http=127.0.0.1:\(run.broker.port)", "--set", "server.metrics=\(run.port)",
        ])
        #expect(printed.status == 0 && printed.text.contains("# TYPE broker_upstream_requests_total counter"), "\(printed.errors)")
        #expect(try Curl.run(["http://127.0.0.1:\(run.port)/"]).status == 404)
        #expect(try Curl.run(["-X", "POST", "http://127.0.0.1:\(run.port)/metrics"]).status == 404)
        #expect(run.broker.program.stop() == 0)
    }

    @Test("metrics and audit lines agree, count for count") func agreement() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = scratch.path + "/audit"
        let run = try MixedRun(["audit.file=\(file)"])
        for name in ["k", "missing", "denied", "k"] { _ = try run.broker.release(name, at: LocalAzure.managedHSM) }
        let page = try run.page()
        // Lines of refusals are written behind the answer; the end waits for them.
        #expect(run.broker.program.stop() == 0)
        var lines: [String: Int] = [:]
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
            let entry = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            guard let operation = entry["operation"] as? String else { continue }
            #expect(entry["omitted"] == nil)
            let labels = ["code", "stage", "store"].map { entry[$0] as? String ?? "none" }
            lines["\(operation) \(labels.joined(separator: " "))", default: 0] += 1
        }
        var counts: [String: Int] = [:]
        for line in page.split(separator: "\n") where line.hasPrefix("broker_requests_total{") {
            let labels = Dictionary(line.matches(of: /([a-z]+)="([^"]*)"/).map { (String($0.1), String($0.2)) }) { first, _ in first }
            let key = ["operation", "code", "stage", "store"].map { labels[$0] ?? "" }.joined(separator: " ")
            counts[key, default: 0] += Int(line.split(separator: " ").last ?? "") ?? 0
        }
        #expect(counts == lines && counts.values.reduce(0, +) == 11, "\(counts) \(lines)")
        let written = try #require(MixedRun.value(page, #"broker_audit_lines_total{result="written"}"#))
        #expect(written > 0 && MixedRun.value(page, #"broker_audit_lines_total{result="failed"}"#) == 0)
        #expect(MixedRun.value(page, "broker_audit_lag_seconds") ?? 0 > 0)
    }

    /// Every expression of the dashboard and of the alerts, with the dashboard's variables filled in.
    private static func expressions() throws -> [String] {
        let samples = Program.packageRoot.appending(path: "samples/observability")
        let dashboard = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: samples.appending(path: "dashboard.json"))) as? [String: Any])
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        let shown = panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }.compactMap { $0["expr"] as? String }.map {
            $0.replacing("$__rate_interval", with: "1m").replacing("$job", with: ".*")
        }
        let script =
            "import json, sys, yaml; print(json.dumps([r['expr'] for g in yaml.safe_load(open(sys.argv[1]))['groups'] for r in g['rules']]))"
        let rules = try Program.run(
            ["-c", script, samples.appending(path: "alerts.yaml").path], executable: URL(filePath: "/usr/bin/python3"))
        let alerts = try #require(rules.json as? [String], "\(rules.errors)")
        #expect(panels.count > 10 && alerts.count > 6)
        return shown + alerts
    }

    @Test("every metric and label that the dashboard and the alerts ask for is in a real scrape") func queries() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let run = try MixedRun(["audit.file=\(scratch.path)/audit"])
        let page = try run.page()
        #expect(run.broker.program.stop() == 0)
        var labels: [String: Set<String>] = [:]
        for line in page.split(separator: "\n") where !line.hasPrefix("#") {
            let name = String(line.prefix { $0 != "{" && $0 != " " })
            labels[name, default: []].formUnion(line.matches(of: /([a-z_]+)="/).map { String($0.1) })
        }
        let ofScraper: Set<String> = ["job", "instance"]
        for expression in try Self.expressions() {
            let names = expression.matches(of: /\b(?:broker|process)_[a-z_]+/).map { String($0.0) }
            #expect(!names.isEmpty, "\(expression)")
            for name in names { #expect(labels[name] != nil, "\(name) is not in the scrape; \(expression)") }
            let known = names.reduce(into: ofScraper) { $0.formUnion(labels[$1] ?? []) }
            let selected = expression.matches(of: /([a-z_]+)(?:=~|!=|=)"/).map { String($0.1) }
            let grouped = expression.matches(of: /by \(([a-z_, ]+)\)/).flatMap { $0.1.split(separator: ",") }
            for label in selected + grouped.map({ $0.trimmingCharacters(in: .whitespaces) }) {
                #expect(known.contains(label), "\(label); \(expression)")
            }
        }
    }

    @Test(
        "promtool accepts the page and the alerts, and Prometheus answers every query of them from a real scrape",
        .enabled(if: promtool != nil && prometheus != nil, "Debian's prometheus is not installed")) func prometheusItself() async throws
    {
        let run = try MixedRun()
        let promtool = try #require(Self.promtool)
        let lint = try Program.run(["check", "metrics"], input: Data(try run.page(accept: "text/plain").utf8), executable: promtool)
        #expect(lint.status == 0, "\(lint.text)\(lint.errors)")
        let alerts = Program.packageRoot.appending(path: "samples/observability/alerts.yaml").path
        let rules = try Program.run(["check", "rules", alerts], executable: promtool)
        #expect(rules.status == 0, "\(rules.text)\(rules.errors)")
        let scratch = try Scratch()
        defer { scratch.remove() }
        let configuration = try scratch.write(
            "prometheus.yml",
            """
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: ["\(alerts)"]
            scrape_configs: [{ job_name: broker, static_configs: [{ targets: ["127.0.0.1:\(run.port)"] }] }]
            """)
        let port = try Self.freePort()
        let server = try RunningProgram(
            [
                "--config.file=\(configuration)", "--storage.tsdb.path=\(scratch.path)/data", "--web.listen-address=127.0.0.1:\(port)",
            ], executable: try #require(Self.prometheus))
        defer { server.stop() }
        func ask(_ query: String) throws -> [Any]? {
            let answer = try Curl.run(["--data-urlencode", "query=\(query)", "http://127.0.0.1:\(port)/api/v1/query"])
            guard answer.object["status"] as? String == "success" else { return nil }
            return (answer.object["data"] as? [String: Any])?["result"] as? [Any]
        }
        // Rates need two scrapes.
        while try ask("count_over_time(broker_ready[1m]) > 2")?.isEmpty != false { try await Task.sleep(for: .milliseconds(200)) }
        #expect(try run.broker.release("k", at: LocalAzure.managedHSM).status == 200)
        for expression in try Self.expressions() {
            let result = try ask(expression)
            #expect(result != nil, "\(expression)")
            // Comparisons are empty where nothing is wrong; whatever is shown has something to show.
            if !expression.contains(" > "), !expression.contains(" == ") { #expect(result?.isEmpty == false, "\(expression)") }
        }
        #expect(try ask("up == 1")?.count == 1)
        #expect(run.broker.program.stop() == 0)
    }

    /// Takes spans as a collector does, and prints each request's body in a line.
    private static let collector = """
        import http.server, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                print("span " + self.path + " " + body.decode(), flush=True)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()
            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        print("port=%d" % server.server_port, flush=True)
        server.serve_forever()
        """

    @Test("a caller's trace goes on at the services, and its spans come to the collector") func traces() throws {
        let collector = try RunningProgram(["-c", Self.collector], executable: URL(filePath: "/usr/bin/python3"))
        let port = try collector.wait(for: /port=(\d+)/)
        let run = try MixedRun(["trace.otlp-endpoint=http://127.0.0.1:\(port)"])
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let released = try Curl.run(
            [
                "-H", "traceparent: 00-\(trace)-00f067aa0ba902b7-01", "-H", "Content-Type: application/json",
                "http://127.0.0.1:\(run.broker.port)/key/release",
            ], body: ["kid": "k"])
        #expect(released.status == 200)
        #expect(run.broker.program.stop() == 0)
        collector.readAvailable()
        var spans: [[String: Any]] = []
        for line in collector.output.split(separator: "\n") where line.hasPrefix("span /v1/traces ") {
            let body = try JSONSerialization.jsonObject(with: Data(line.dropFirst("span /v1/traces ".count).utf8)) as? [String: Any]
            for resource in body?["resourceSpans"] as? [[String: Any]] ?? [] {
                for scope in resource["scopeSpans"] as? [[String: Any]] ?? [] { spans += scope["spans"] as? [[String: Any]] ?? [] }
            }
        }
        let own = spans.filter { $0["traceId"] as? String == trace }
        let server = try #require(own.first { $0["kind"] as? Int == 2 }, "\(spans)")
        #expect(server["name"] as? String == "release" && server["parentSpanId"] as? String == "00f067aa0ba902b7")
        #expect(server["status"] == nil)
        #expect(spans.contains { ($0["status"] as? [String: Any])?["message"] as? String == "releaseDenied" })
        let clients = own.filter { $0["kind"] as? Int == 3 }
        #expect(clients.contains { $0["name"] as? String == "POST key_store" })
        #expect(clients.allSatisfy { $0["parentSpanId"] as? String == server["spanId"] as? String })
        // Requests without a caller's trace have one each; what start-up asked has none.
        #expect(Set(spans.compactMap { $0["traceId"] as? String }).count >= 6)
        for name in ["contoso", "denied\"", "missing", "Bearer"] { #expect(!collector.output.contains(name), "\(name) is in a span") }
        // Python keeps the signal mask of the test's threads, in which SIGTERM is blocked.
        collector.stop(SIGKILL)
    }

    private static func freePort() throws -> Int {
        let script = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
        let result = try Program.run(["-c", script], executable: URL(filePath: "/usr/bin/python3"))
        return try #require(Int(result.text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
}
