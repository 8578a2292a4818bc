import Foundation

/// One JSON document at every path, by python3's own HTTP server. Ended by the test.
final class DocumentServer {
    let port: Int
    private let process = Process()
    private let pipe = Pipe()
    private let scratch: Scratch

    /// `port` 0 picks a free one.
    init(_ document: Data, port: Int = 0) throws {
        scratch = try Scratch()
        let file = try scratch.write("document.json", document)
        let script = """
            import http.server, sys
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    content = open(sys.argv[1], "rb").read()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                def log_message(self, *arguments): pass
            server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, file.path, "\(port)"]
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        try? pipe.fileHandleForWriting.close()
        let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        self.port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    func stop() {
        kill(process.processIdentifier, SIGKILL)
        // The end of its output is the end of the process.
        _ = try? pipe.fileHandleForReading.readToEnd()
        scratch.remove()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}
