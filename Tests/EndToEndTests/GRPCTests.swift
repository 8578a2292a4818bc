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
            "deadline": "DEADLINE_EXCEEDED", "no such method": "UNIMPLEMENTED", "denied": "PERMISSION_DENIED releaseDenied",
        ]
        var codes = seen["codes"] as? [String: Any] ?? [:]
        #expect(codes.removeValue(forKey: "far too long") as? Bool == true)
        #expect(codes as? [String: String] == expected)
        #expect(seen["reflection"] as? String == (reflection ? "OK" : "UNIMPLEMENTED"))
        if reflection {
            #expect((seen["services"] as? [String])?.contains("keyprovider.KeyProviderService") == true)
            #expect(seen["described"] as? String == "key_provider.KeyProviderGetReportInput")
        }
    }

    @Test(
        "every method over TCP, TLS with a client certificate and a unix socket, beside REST, and a drain",
        .enabled(if: python != nil, "the packages of Tests/run.sh are not installed for GRPC_TEST_PYTHON")) func everyMethod() throws
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
        #expect(plain.program.output.contains("method=UnWrapKey") && plain.program.output.contains("code=keyNotFound"))

        let file = { (name: String) in "\(scratch.path)/\(name)" }
        let secure = try azure.serve([
            "key-stores.use=akv", "server.grpc=localhost:0", "grpc.tls-certificate=\(file("server.pem"))",
            "grpc.tls-key=\(file("server.key"))", "grpc.tls-client-ca=\(file("ca.pem"))",
        ])
        let tls = "localhost:" + (try secure.program.wait(for: /address=localhost:(\d+)[^\n]*interface=grpc/))
        check(try call([tls] + arguments + ["--tls", file("ca.pem"), file("client.pem"), file("client.key")]), reflection: false)
        // Nobody, and somebody of another authority, are turned away in the handshake; and the server lives.
        #expect(try call([tls] + arguments + ["--tls", file("ca.pem")])["connected"] as? Bool == false)
        #expect(try call([tls] + arguments + ["--tls", file("ca.pem"), file("o.pem"), file("o.key")])["connected"] as? Bool == false)
        check(try call([tls] + arguments + ["--tls", file("ca.pem"), file("client.pem"), file("client.key")]), reflection: false)
        #expect(secure.program.stop() == 0)
    }
}
