import Foundation
import Testing

/// `Tests/Conformance/conformance.py`: two sidecars, the same requests.
@Suite(.serialized) struct ConformanceTests {
    private static func compare(_ first: String, _ second: String, _ more: [String] = []) throws -> Program.Result {
        let script = Program.packageRoot.appending(path: "Tests/Conformance/conformance.py").path
        let keys = ["--key", "rsa", "--key", "oct@\(LocalAzure.managedHSM)"]
        return try Program.run([script, first, second, "--json"] + keys + more, executable: URL(filePath: "/usr/bin/python3"))
    }

    @Test("a broker answers as itself, and a planted difference is found and shows no secret") func differences() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        try azure.importKey("rsa", at: LocalAzure.vault, try SampleKeys.rsa(), policy: LocalAzure.policy())
        try azure.importKey("oct", at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: LocalAzure.policy())
        let broker = try azure.serve()
        defer { broker.program.stop() }
        let url = "http://127.0.0.1:\(broker.port)"
        let same = try Self.compare(url, url)
        #expect(same.status == 0, "\(same.text) \(same.errors)")
        let requests = try #require(same.object["requests"] as? [[String: Any]])
        #expect(requests.count { $0["status"] as? Int == 200 } >= 5, "evidence, token and both keys: \(same.text)")

        // A sidecar that drops `key_ops`, changes a secret member, and answers one error with another status.
        let planted = try RunningProgram(["-u", "-c", Self.planted, url], executable: URL(filePath: "/usr/bin/python3"))
        // A child of this process inherits blocked signals, and Python leaves them so.
        defer { planted.stop(SIGKILL) }
        let other = "http://127.0.0.1:\(try planted.wait(for: /port (\d+)\n/))"
        let found = try Self.compare(url, other)
        #expect(found.status == 1, "\(found.text) \(found.errors)")
        let lines = try #require(found.object["requests"] as? [[String: Any]]).flatMap { $0["differences"] as? [String] ?? [] }
        #expect(lines.contains { $0.hasPrefix("key.d is another value") }, "\(lines)")
        #expect(lines.contains("key.key_ops is missing in the second"), "\(lines)")
        #expect(lines.contains { $0.hasPrefix("status is ") && $0.hasSuffix("in the second 418") }, "\(lines)")
        #expect(!found.text.contains("planted-secret"))
        #expect(try Self.compare(url, "http://127.0.0.1:1").status == 2)
    }

    private static let planted = """
        import http.server, json, sys, urllib.error, urllib.request
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = urllib.request.Request(sys.argv[1] + self.path, body if self.command == "POST" else None,
                    {"Content-Type": "application/json"}, method=self.command)
                try:
                    with urllib.request.urlopen(request) as answer: status, text = answer.status, answer.read()
                except urllib.error.HTTPError as error: status, text = error.code, error.read()
                if self.path == "/key/release" and status == 200:
                    document = json.loads(text)
                    key = json.loads(document["key"])
                    key.pop("key_ops", None)
                    if "d" in key: key["d"] = "planted-secret"
                    document["key"] = json.dumps(key)
                    text = json.dumps(document).encode()
                if self.path == "/no/such/path": status = 418
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            do_GET = do_POST = answer
            def log_message(self, *arguments): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print("port", server.server_address[1])
        server.serve_forever()
        """
}
