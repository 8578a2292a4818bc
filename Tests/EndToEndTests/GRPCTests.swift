import Foundation
import Testing

/// The gRPC interface, called by Python's gRPC library with the broker's own .proto files.
@Suite(.serialized) struct GRPCTests {
    private static let python: URL? = {
        guard let path = ProcessInfo.processInfo.environment["GRPC_TEST_PYTHON"] else { return nil }
        let executable = URL(filePath: path)
        let modules = "grpc, grpc_tools, grpc_reflection"
        return (try? Program.run(["-c", "import \(modules)"], executable: executable).status) == 0 ? executable : nil
    }()

    /// A certificate authority, and a server's and a client's certificate of it.
    private static func certificates(_ scratch: Scratch) throws {
        let script = """
            set -e; cd "$1"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2
            for name in server client; do
              openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
              printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > ext
              openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext -out $name.pem -days 2
            done
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -out o.pem -subj /CN=other -days 2
            """
        let made = try Program.run(["-c", script, "sh", scratch.path], executable: URL(filePath: "/bin/sh"))
        #expect(made.status == 0, "\(made.errors)")
    }

    private func call(_ arguments: [String]) throws -> [String: Any] {
        let clients = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Clients/grpc_client.py")
        let protocols = Program.packageRoot.appending(path: "Sources/BrokerGRPC/Protocol")
        let result = try Program.run(
            [clients.path, protocols.path] + arguments, environment: ["NO_PROXY": "*", "no_proxy": "*"],
            executable: try #require(Self.python))
        #expect(result.status == 0, "\(result.errors)")
        return result.object
    }

    /// Everything but reflection is the same on every listener.
    private func check(_ seen: [String: Any], reflection: Bool) {
        #expect(seen["current"] as? String == "round trip" && seen["original"] as? String == "round trip", "\(seen)")
        #expect(seen["hello"] as? String == "Hello there")
        #expect(seen["report_data"] as? String == "0102ff00")
        #expect(seen["attestation"] as? [Int] == [16, 3, 1184])
        #expect((seen["health"] as? [Any])?.map { "\($0)" } == ["1", "1", "NOT_FOUND keyNotFound"])
        let expected = [
            "empty": "INVALID_ARGUMENT invalidRequest", "not json": "INVALID_ARGUMENT invalidRequest",
            "wrong op": "INVALID_ARGUMENT invalidRequest", "deep": "INVALID_ARGUMENT invalidRequest",
            "unknown type": "INVALID_ARGUMENT invalidRequest", "foreign store": "FAILED_PRECONDITION noProvider",
            "no such key": "NOT_FOUND keyNotFound", "file as key": "INVALID_ARGUMENT invalidRequest", "too long": "RESOURCE_EXHAUSTED",
            "far too long": "RESOURCE_EXHAUSTED",
            "deadline": "DEADLINE_EXCEEDED", "no such method": "UNIMPLEMENTED", "denied": "PERMISSION_DENIED releaseDenied",
        ]
        #expect(seen["codes"] as? [String: String] == expected)
        #expect(seen["reflection"] as? String == (reflection ? "OK" : "UNIMPLEMENTED"))
        if reflection {
            #expect((seen["services"] as? [String])?.contains("keyprovider.KeyProviderService") == true)
            #expect(seen["described"] as? String == "key_provider.KeyProviderGetReportInput")
        }
    }

    @Test(
        "every method over TCP, TLS with a client certificate and a unix socket, beside REST, and a drain",
        .enabled(if: python != nil, isMissing)) func everyMethod() throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let denied = [["claim": "x-ms-sevsnpvm-hostdata", "equals": String(repeating: "00", count: 32)]]
        let key = try SampleKeys.rsa()
        try azure.importKey("image-key", at: LocalAzure.vault, key, policy: LocalAzure.policy())
        try azure.importKey("denied-key", at: LocalAzure.vault, key, policy: LocalAzure.policy(denied))
        let scratch = azure.scratch
        try Self.certificates(scratch)
        let socket = "\(scratch.path)/g.sock"
        let listening = /address=127\.0\.0\.1:(\d+)[^\n]*interface=grpc/
        let arguments = ["image-key", "--denied", "denied-key"]

        let plain = try azure.serve([
            "key-stores.use=akv", "server.grpc=127.0.0.1:0", "server.grpc-unix=\(socket)", "server.unix-mode=0600", "grpc.reflection=true",
        ])
        let port = try plain.program.wait(for: listening)
        try plain.program.wait(for: "unix:\(socket)")
        check(try call(["127.0.0.1:\(port)"] + arguments), reflection: true)
        check(try call(["unix:\(socket)"] + arguments), reflection: true)
        let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try plain.release("image-key").status == 200)
        #expect(plain.program.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: socket))
        #expect(
            plain.program.output.contains("route=/keyprovider.KeyProviderService/UnWrapKey")
                && plain.program.output.contains("code=keyNotFound"))

        let file = { (name: String) in "\(scratch.path)/\(name)" }
        let secure = try azure.serve([
            "key-stores.use=akv", "server.grpc=localhost:0", "server.tls.certificate=\(file("server.pem"))",
            "server.tls.key=\(file("server.key"))", "server.tls.client-ca=\(file("ca.pem"))", "server.tls.listeners=grpc",
        ])
        let tls = "localhost:" + (try secure.program.wait(for: /address=localhost:(\d+)[^\n]*interface=grpc/))
        check(try call([tls] + arguments + ["--tls", file("ca.pem"), file("client.pem"), file("client.key")]), reflection: false)
        // Nobody, and somebody of another authority, are turned away in the handshake; and the server lives.
        #expect(try call([tls] + arguments + ["--tls", file("ca.pem")])["connected"] as? Bool == false)
        #expect(try call([tls] + arguments + ["--tls", file("ca.pem"), file("o.pem"), file("o.key")])["connected"] as? Bool == false)
        check(try call([tls] + arguments + ["--tls", file("ca.pem"), file("client.pem"), file("client.key")]), reflection: false)
        #expect(secure.program.stop() == 0)
    }

    /// A broker that serves both interfaces over TCP, with a key that opens images, and what they listen on.
    private static func served(_ azure: LocalAzure, _ settings: [String] = []) throws -> (broker: Broker, address: String) {
        try azure.importKey("image-key", at: LocalAzure.vault, try SampleKeys.rsa(), policy: LocalAzure.policy())
        let broker = try azure.serve(["key-stores.use=akv", "server.grpc=127.0.0.1:0"] + settings)
        return (broker, "127.0.0.1:" + (try broker.program.wait(for: /address=127\.0\.0\.1:(\d+)[^\n]*interface=grpc/)))
    }

    private static let isMissing: Comment = "the packages of Tests/run.sh are not installed for GRPC_TEST_PYTHON"

    @Test("keys of every size and kind open packets of every kind, by both names", .enabled(if: python != nil, isMissing))
    func packets() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let kek = Data((0..<32).map { _ in UInt8.random(in: 0...255) })
        try azure.importKey(
            "image-kek", at: LocalAzure.managedHSM, ["kty": "oct-HSM", "k": kek.base64URL, "key_size": 256], policy: LocalAzure.policy())
        for bits in [3072, 4096] {
            try azure.importKey("image-\(bits)", at: LocalAzure.vault, try SampleKeys.rsa(bits: bits), policy: LocalAzure.policy())
        }
        let uri = "kbs:///default/image-kek/1"
        let (broker, address) = try Self.served(
            azure,
            ["key-stores.use=akv,mhsm", "key-provider.keys=\(uri)=https://\(LocalAzure.managedHSM)/keys/image-kek"])
        defer { broker.program.stop() }
        let secret = try azure.scratch.write("secret", Data(0..<193)).path
        let file = try azure.scratch.write("kek", kek).path
        var files: [String] = []
        for (name, more) in [
            ("v1", ["--packet-version", "1"]), ("v2", ["--packet-version", "2"]), ("ctr", ["--cipher", "A256CTR"]),
        ] {
            let made = try Program.run(["wrap", "-infile", secret, "--kid", uri, "--symmetric-key", file] + more)
            #expect(made.status == 0, "\(made.errors)")
            files.append(try azure.scratch.write(name, made.output).path)
        }
        let keys = "image-key,image-3072,image-4096"
        let seen = try call([address, keys, "--do", "packets", "--packets"] + files)
        #expect(seen.count == 12)
        let types = [
            "v1": "A256GCM", "v2": "A256GCM", "ctr": "A256CTR", "image-key": "RSA-OAEP-256+A256GCM", "image-3072": "rsa_3072",
            "image-4096": "rsa_4096",
        ]
        for (name, type) in types {
            for service in ["current", "original"] {
                let found = seen["\(service) \(name)"] as? [Any]
                #expect(found?.first as? String == type && found?.last as? Bool == true, "\(service) \(name)")
            }
        }
    }

    @Test("each of a hundred malformed inputs has a proper status, and the process lives", .enabled(if: python != nil, isMissing))
    func malformed() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let (broker, address) = try Self.served(azure)
        let seen = try call([address, "image-key", "--do", "malformed"])
        let codes = seen["codes"] as? [String: String] ?? [:]
        #expect(codes.count >= 100 && seen["lives"] as? Bool == true)
        let special = [
            "kid of nobody": "NOT_FOUND keyNotFound", "wrap: key of nobody": "NOT_FOUND keyNotFound",
            "store of somebody else": "FAILED_PRECONDITION noProvider", "store that looks alike": "FAILED_PRECONDITION noProvider",
            "authority of somebody else": "FAILED_PRECONDITION noProvider", "deadline of zero": "DEADLINE_EXCEEDED",
            "method of the other service": "UNIMPLEMENTED", "too long": "RESOURCE_EXHAUSTED", "far too long": "RESOURCE_EXHAUSTED",
            // Made for another key, or damaged: only opening them shows it.
            "data cut": "INTERNAL unwrapFailed", "data of a byte": "INTERNAL unwrapFailed", "data of 255 bytes": "INTERNAL unwrapFailed",
            "data of 257 bytes": "INTERNAL unwrapFailed", "iv another": "INTERNAL unwrapFailed",
            "key wrapped anew": "INTERNAL unwrapFailed",
        ]
        let transport = ["field cut", "length of ten bytes", "no protobuf", "group that does not end"]
        let texts = ["report data not UTF-8", "name not UTF-8"]
        for (name, code) in codes.sorted(by: { $0.key < $1.key }) {
            if transport.contains(name) || texts.contains(name) {
                let proper = ["INVALID_ARGUMENT", "INTERNAL"]
                #expect(proper.contains { code.hasPrefix($0) }, "\(name): \(code)")
            } else {
                #expect(code == special[name] ?? "INVALID_ARGUMENT invalidRequest", "\(name)")
            }
        }
        #expect(broker.program.stop() == 0)
    }

    @Test("64 clients of both interfaces at once are all served, and SIGTERM ends both", .enabled(if: python != nil, isMissing))
    func together() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let (broker, address) = try Self.served(azure)
        let seen = try call([address, "image-key", "--do", "load", "--rest", "127.0.0.1:\(broker.port)", "--calls", "10"])
        #expect(seen["errors"] as? [String] == [] && seen["rest"] as? Int == 320 && seen["grpc"] as? Int == 320, "\(seen)")
        #expect(broker.program.stop() == 0)
        #expect(broker.program.output.contains("stopped"))
    }

    @Test("clients that go away in the middle of a call leave no descriptor and no task", .enabled(if: python != nil, isMissing))
    func vanishing() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let (broker, address) = try Self.served(azure, ["server.metrics=127.0.0.1:0"])
        let metrics = try broker.program.wait(for: /url=(http:[^\s\]]+)/)
        // It returns when nothing is left; the watchdog of the program ends it if that never happens.
        let watch = ["--process", "\(broker.program.identifier)", "--metrics", metrics]
        #expect(try call([address, "image-key", "--do", "vanish", "--clients", "100"] + watch)["vanished"] as? Int == 100)
        #expect(try call([address, "image-key", "--do", "malformed"])["lives"] as? Bool == true)
        #expect(broker.program.stop() == 0)
    }

    @Test("rules, audit and metrics are those of REST, by peer and by certificate", .enabled(if: python != nil, isMissing))
    func callers() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let scratch = azure.scratch
        try Self.certificates(scratch)
        try azure.importKey("image-key", at: LocalAzure.vault, try SampleKeys.rsa(), policy: LocalAzure.policy())
        try azure.importKey("other-key", at: LocalAzure.vault, try SampleKeys.rsa(), policy: LocalAzure.policy())
        let (socket, audit) = ("\(scratch.path)/g.sock", "\(scratch.path)/audit")
        let rules: [[String: Any]] = [
            ["uid": Int(getuid()), "keys": ["image-*"]], ["subject": "CN=client", "keys": ["image-*"], "operations": ["wrap-key"]],
        ]
        let file = { (name: String) in "\(scratch.path)/\(name)" }
        let broker = try azure.serve([
            "key-stores.use=akv", "server.grpc=localhost:0", "server.grpc-unix=\(socket)", "audit.file=\(audit)",
            "server.metrics=127.0.0.1:0", "server.tls.certificate=\(file("server.pem"))", "server.tls.key=\(file("server.key"))",
            "server.tls.client-ca=\(file("ca.pem"))", "server.tls.listeners=grpc",
            "callers.rules=\(String(decoding: try JSONSerialization.data(withJSONObject: rules), as: UTF8.self))",
        ])
        let tls = "localhost:" + (try broker.program.wait(for: /address=localhost:(\d+)[^\n]*interface=grpc/))
        try broker.program.wait(for: "address=unix:")
        let client = ["--tls", file("ca.pem"), file("client.pem"), file("client.key")]
        let server = ["--tls", file("ca.pem"), file("server.pem"), file("server.key")]
        let steps: [(target: [String], codes: [String: String])] = [
            (["unix:\(socket)", "image-key"], ["wrap": "OK", "unwrap": "OK", "report": "PERMISSION_DENIED callerRefused"]),
            (["unix:\(socket)", "other-key"], ["wrap": "PERMISSION_DENIED callerRefused", "unwrap": "PERMISSION_DENIED callerRefused"]),
            ([tls, "image-key"] + client, ["wrap": "OK", "unwrap": "PERMISSION_DENIED callerRefused"]),
            ([tls, "image-key"] + server, ["wrap": "PERMISSION_DENIED callerRefused", "unwrap": "PERMISSION_DENIED callerRefused"]),
        ]
        for (target, codes) in steps {
            let seen = try call(target + ["--do", "ask"])["codes"] as? [String: String] ?? [:]
            for (name, code) in codes { #expect(seen[name] == code, "\(target): \(name)") }
        }
        let lines = try String(contentsOfFile: audit, encoding: .utf8).split(separator: "\n").compactMap {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }.filter { $0["operation"] != nil }
        func line(_ operation: String, _ outcome: String, _ caller: (String, String)) -> Bool {
            lines.contains { line in
                let found = (line["caller"] as? [String: Any])?[caller.0].map { "\($0)" }
                return line["operation"] as? String == operation && line["outcome"] as? String == outcome && found == caller.1
            }
        }
        let uid = ("uid", "\(getuid())")
        #expect(line("release", "ok", uid) && line("wrap-key", "ok", uid) && line("attest-raw", "failed", uid))
        #expect(line("wrap-key", "ok", ("subject", "CN=client")) && line("release", "failed", ("subject", "CN=client")))
        #expect(line("wrap-key", "failed", ("subject", "CN=server")))
        #expect(lines.contains { $0["route"] as? String == "/keyprovider.KeyProviderService/UnWrapKey" })
        let metrics = try broker.program.wait(for: /url=(http:[^\s\]]+)/)
        let page = try Program.run(["-sS", "--noproxy", "*", metrics], executable: URL(filePath: "/usr/bin/curl")).text
        for pattern in [
            #"operation="release",outcome="served""#, #"operation="wrap-key",outcome="refused",code="callerRefused""#,
            #"method="/keyprovider.KeyProviderService/UnWrapKey",code="callerRefused""#,
        ] {
            #expect(page.contains(pattern), "\(pattern)")
        }
        #expect(broker.program.stop() == 0)
    }
}
