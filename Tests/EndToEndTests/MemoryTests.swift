import Foundation
import Testing

/// What a look into a live process finds of the keys that passed through it.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: ProcessMemory.isReadable, "only root may read a hardened process"))
struct MemoryTests {
    /// A secret number in every form in which it may lie about: pieces of it in both byte orders, of its Base64 text and of its hexadecimal one.
    private struct Canary {
        let name: String
        let needles: [Data]

        init(_ name: String, _ bytes: Data) {
            self.name = name
            let text = Data(bytes.base64URL.utf8)
            let hex = Data(bytes.map { String(format: "%02x", $0) }.joined().utf8)
            needles = [bytes, Data(bytes.reversed()), text, hex].flatMap { form in
                stride(from: 0, through: form.count - 16, by: 16).map { Data(form.dropFirst($0).prefix(16)) }
            }
        }

        func places(in memory: ProcessMemory) -> [String] { needles.flatMap { memory.places(of: $0) } }
    }

    private static func number(_ member: Any?) -> Data {
        let text = (member as? String ?? "").replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)) ?? Data()
    }

    /// The places of the first look that finds none, or of the last one: what is wiped when its time is over takes its time on a busy machine.
    private static func remaining(_ process: Int32, _ places: (ProcessMemory) -> [String]) throws -> [String] {
        var found: [String] = []
        for _ in 0..<20 {
            found = places(try ProcessMemory(process))
            if found.isEmpty { break }
        }
        return found
    }

    @Test("C4: after the answer nothing of a released key lies in the broker's memory") func releasedKeys() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let keys = [("oct", SampleKeys.oct(32)), ("ec", try SampleKeys.ec("P-384")), ("rsa", try SampleKeys.rsa())]
        var canaries: [Canary] = []
        for (name, jwk) in keys {
            #expect(try azure.importKey(name, at: LocalAzure.managedHSM, jwk, policy: LocalAzure.policy()).status == 200)
            for member in ["k", "d", "p", "q", "dp", "dq", "qi"] where jwk[member] != nil {
                canaries.append(Canary("\(member) of \(name)", Self.number(jwk[member])))
            }
        }
        #expect(canaries.count == 8)
        let marker = "memory-canary-\(UUID().uuidString)"
        let broker = try azure.serve(["key-stores.use=mhsm"], environment: ["MARKER": marker])
        let process = broker.program.identifier
        // The search finds what is there, so silence below means something.
        #expect(try !ProcessMemory(process).places(of: Data(marker.utf8)).isEmpty)
        for (name, jwk) in keys + keys {
            let release = try broker.release(name)
            #expect(release.status == 200, "\(release.answer)")
            for member in ["k", "d", "qi"] where jwk[member] != nil { #expect(release.key?[member] as? String == jwk[member] as? String) }
            // Of every key, since the next one may only have overwritten the last.
            let places = try Self.remaining(process) { memory in
                canaries.flatMap { canary in canary.places(in: memory).map { "\(canary.name): \($0)" } }
            }
            #expect(places.isEmpty, "after \(name): \(places.prefix(4))")
        }
        #expect(broker.program.stop() == 0)
    }

    @Test("C7: the wrapping key of a release session is wiped when its time is over, though nobody asks for anything") func session() throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        #expect(try azure.importKey("k", at: LocalAzure.managedHSM, SampleKeys.oct(32), policy: LocalAzure.policy()).status == 200)
        for (age, lasts) in [("3600s", true), ("1s", false), ("0s", false)] {
            let broker = try azure.serve(["key-stores.use=mhsm", "release-session.max-age=\(age)"])
            let process = broker.program.identifier
            var memory = try ProcessMemory(process)
            var modulus: Data?
            // A token that nothing keeps may be overwritten before the look: then the next release's is as good.
            for _ in 0..<20 where modulus == nil {
                #expect(try broker.release("k").status == 200)
                memory = try ProcessMemory(process)
                modulus =
                    memory.tokenPayloads().lazy.compactMap { payload -> Data? in
                        let keys = (payload["x-ms-runtime"] as? [String: Any])?["keys"] as? [[String: Any]]
                        return keys?.first.map { Self.number($0["n"]) }
                    }.first
            }
            let number = try #require(modulus, "the token of no release is in memory, so that its key is not known")
            // While the session lasts its key is there, and the search finds it.
            if lasts {
                #expect(!memory.primes(of: number).isEmpty)
            } else {
                let places = try Self.remaining(process) { $0.primes(of: number) }
                #expect(places.isEmpty, "\(age): \(places.prefix(4))")
            }
            #expect(broker.program.stop() == 0)
        }
    }

    @Test("C6: while an import waits for its store, the key lies in the request and nowhere else") func stalledImport() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = try SilentStore(LocalAzure.managedHSM, scratch)
        defer { store.stop() }
        let key = Data((0..<32).map { _ in UInt8.random(in: 0...255) })
        let keyFile = try scratch.write("key.bin", key).path
        let bearer = "bearer-\(UUID().uuidString)"
        let config = try scratch.write(
            "import.json",
            try JSONSerialization.data(
                withJSONObject: [
                    "key": [
                        "kid": "k", "kty": "oct-HSM", "authority": ["endpoint": LocalAzure.authority],
                        "mhsm": ["endpoint": LocalAzure.managedHSM, "bearer_token": bearer],
                    ], "claims": [LocalAzure.sound],
                ] as [String: Any])
        ).path
        let program = try RunningProgram([
            "key", "import", "-c", config, "-kh", keyFile, "--set", "tls.ca-file=\(store.certificate)", "--set",
            "tls.connect-to=::127.0.0.1:\(store.port)",
        ])
        defer { program.stop(SIGKILL) }
        #expect(try store.request().contains("PUT /keys/k?"))
        let memory = try ProcessMemory(program.identifier)
        // The body that is under way lies in secret memory, and in two buffers that libcurl has of it and overwrites when it gives them back.
        let text = Data(key.base64URL.utf8)
        #expect(!memory.places(of: text).isEmpty)
        #expect(memory.places(of: text, onlyDumped: true).count <= 2)
        let hex = Data(key.map { String(format: "%02x", $0) }.joined().utf8)
        for form in [key, Data(key.reversed()), hex] { #expect(memory.places(of: form) == []) }
    }

    @Test("C5: no core file, and nobody but root may look, although the broker runs as another user") func hardened() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: scratch.path)
        let copy = try scratch.install(Program.executable, as: "broker")
        let broker = try Broker(
            ["--reuid=65532", "--regid=65532", "--clear-groups", copy.path, "serve", "--set", "server.http=127.0.0.1:0"],
            executable: URL(filePath: "/usr/bin/setpriv"))
        let directory = "/proc/\(broker.program.identifier)"
        let status = try String(contentsOfFile: directory + "/status", encoding: .utf8)
        #expect(status.contains(/Uid:\t65532\t65532/))
        for file in ["mem", "maps", "environ"] {
            let owner = try FileManager.default.attributesOfItem(atPath: "\(directory)/\(file)")[.ownerAccountID] as? Int
            #expect(owner == 0, "\(file)")
        }
        let limits = try String(contentsOfFile: directory + "/limits", encoding: .utf8)
        #expect(limits.contains(/Max core file size +0 +0/), "\(limits)")
        #expect(broker.program.stop() == 0)
    }
}

/// A key store that reads a request and never answers, by python3's own TLS. Ended by the test.
final class SilentStore {
    let port: Int
    let certificate: String
    private let program: RunningProgram

    init(_ host: String, _ scratch: Scratch) throws {
        let key = scratch.directory.appending(path: "store.key").path
        certificate = scratch.directory.appending(path: "store.pem").path
        let made = try Program.run(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                "-days",
                "2", "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)",
            ], executable: URL(filePath: "/usr/bin/openssl"))
        guard made.status == 0 else { throw RunningProgram.Ended(output: made.errors) }
        let script = """
            import re, socket, ssl, sys
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[1], sys.argv[2])
            listener = socket.create_server(("127.0.0.1", 0))
            print("port=%d" % listener.getsockname()[1], flush=True)
            connection = context.wrap_socket(listener.accept()[0], server_side=True)
            received = b""
            while True:
                received += connection.recv(65536)
                head, end, body = received.partition(b"\\r\\n\\r\\n")
                length = re.search(rb"(?i)content-length: *(\\d+)", head)
                if end and length and len(body) >= int(length.group(1)): break
            print("request=%s" % head.split(b"\\r\\n")[0].decode(), flush=True)
            connection.recv(1)
            """
        program = try RunningProgram(["-c", script, certificate, key], executable: URL(filePath: "/usr/bin/python3"))
        port = Int(try program.wait(for: /port=(\d+)\n/)) ?? 0
    }

    /// The first line of the request, once all of it was read.
    func request() throws -> String { try program.wait(for: /request=(.*)\n/) }

    func stop() { program.stop(SIGKILL) }
}
