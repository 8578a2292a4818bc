import Foundation
import OpenSSLCrypto
import SNPFixture

/// `simulate` and `serve` as two processes, and `curl` as the client of both.
final class LocalAzure {
    static let vault = "contoso.vault.azure.net"
    static let managedHSM = "contoso.managedhsm.azure.net"
    static let authority = "sharedeus2.eus2.attest.azure.net"

    let scratch: Scratch
    /// Where the fixture authority is.
    let fixture: URL
    private let simulators: RunningProgram
    let tlsPort: Int
    let metadataPort: Int
    let caFile: String
    /// What `simulate` tells clients to set.
    let environment: [String: String]
    let configuration: [String: Any]

    /// `options` go to `simulate`; `prepare` gives more of them, when the fixture authority is in its directory.
    init(_ options: [String] = [], prepare: (Scratch, _ fixture: URL) throws -> [String] = { _, _ in [] }) throws {
        scratch = try Scratch()
        // The fixture authority is the slow part, so test runs share one; it is only ever trusted by test simulators.
        let directory = scratch.directory.appending(path: "azure")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path)
        fixture = directory.appending(path: "fixture")
        try SharedFixture.copy(to: fixture)
        let more = try prepare(scratch, fixture)
        simulators = try RunningProgram(
            ["simulate", "--directory", directory.path, "--port", "0", "--metadata-port", "0", "--json"] + options + more)
        let line = try simulators.wait(for: /(\{.*"tls_port".*\})\n/)
        let ports = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        tlsPort = ports["tls_port"] as? Int ?? 0
        metadataPort = ports["metadata_port"] as? Int ?? 0
        caFile = ports["ca_file"] as? String ?? ""
        environment = ports["environment"] as? [String: String] ?? [:]
        let file = try Data(contentsOf: URL(filePath: ports["configuration"] as? String ?? ""))
        configuration = try JSONSerialization.jsonObject(with: file) as? [String: Any] ?? [:]
    }

    /// Starts a broker with the configuration that `simulate` wrote, changed by `--set` options.
    func serve(_ settings: [String] = [], environment: [String: String] = [:]) throws -> Broker {
        let file = try scratch.write("broker.json", try JSONSerialization.data(withJSONObject: configuration))
        let options = (["server.http=127.0.0.1:0"] + settings).flatMap { ["--set", $0] }
        return try Broker(["serve", "--config", file.path] + options, environment: environment)
    }

    /// Sends a request to a simulated service as a user's curl does; returns status and body.
    func curl(_ arguments: [String], body: Any? = nil) throws -> (status: Int, object: [String: Any]) {
        try Curl.run(["--cacert", caFile, "--connect-to", "::127.0.0.1:\(tlsPort)"] + arguments, body: body)
    }

    func token(_ audience: String) throws -> String {
        let url = "http://127.0.0.1:\(metadataPort)/metadata/identity/oauth2/token"
        let answer = try Curl.run(["-H", "Metadata: true", "\(url)?api-version=2018-02-01&resource=\(audience)"])
        return answer.object["access_token"] as? String ?? ""
    }

    /// Imports a key as the key's owner would.
    @discardableResult func importKey(
        _ name: String, at host: String, _ jwk: [String: Any], policy: [String: Any]?, exportable: Bool = true
    ) throws -> (status: Int, object: [String: Any]) {
        let audience = "https://" + host.split(separator: ".").dropFirst().joined(separator: ".")
        var body: [String: Any] = ["key": jwk, "hsm": true, "attributes": ["exportable": exportable]]
        if let policy {
            let data = try JSONSerialization.data(withJSONObject: policy)
            body["release_policy"] = ["contentType": "application/json; charset=utf-8", "data": data.base64URL, "immutable": false]
        }
        return try curl(
            [
                "-X", "PUT", "-H", "Authorization: Bearer \(try token(audience))", "-H", "Content-Type: application/json",
                "https://\(host)/keys/\(name)?api-version=7.4",
            ], body: body)
    }

    /// Host data of the fixture's own security policy.
    static let hostData = Hex.encode(DigestAlgorithm.sha256.digest(SamplePolicy.bytes))

    /// Claims that the fixture guest has and that lint finds no error in.
    static let sound = [
        ["claim": "x-ms-attestation-type", "equals": "sevsnpvm"], ["claim": "x-ms-sevsnpvm-is-debuggable", "equals": "false"],
        ["claim": "x-ms-sevsnpvm-hostdata", "equals": hostData],
    ]

    /// A policy that the fixture guest satisfies, with clauses added.
    static func policy(_ clauses: [[String: String]] = [], authority: String = LocalAzure.authority) -> [String: Any] {
        [
            "version": "1.0.0",
            "anyOf": [
                [
                    "authority": "https://\(authority)",
                    "allOf": [
                        ["claim": "x-ms-attestation-type", "equals": "sevsnpvm"],
                        ["claim": "x-ms-sevsnpvm-is-debuggable", "equals": "false"],
                    ] + clauses,
                ]
            ],
        ]
    }

    /// How often a route was asked for so far; needs the option `--verbose`.
    func requests(_ route: String) -> Int {
        simulators.readAvailable()
        return simulators.output.split(separator: "\n").count { $0.contains("answered") && $0.contains("route=\(route) ") }
    }

    /// How many requests were answered so far; needs the option `--verbose`.
    var answered: Int {
        simulators.readAvailable()
        return simulators.output.split(separator: "\n").count { $0.contains("answered") }
    }

    func stop() {
        simulators.stop()
        scratch.remove()
    }

    deinit { stop() }
}

/// A running broker with its bound port.
final class Broker {
    let program: RunningProgram
    let port: Int

    init(_ arguments: [String], environment: [String: String] = [:], executable: URL = Program.executable) throws {
        program = try RunningProgram(arguments, environment: environment, executable: executable)
        // Not that of gRPC.
        port = Int(try program.wait(for: /address=127\.0\.0\.1:(\d+)[^\n]*profile=/)) ?? 0
    }

    func get(_ path: String) throws -> (status: Int, object: [String: Any]) { try Curl.run(["http://127.0.0.1:\(port)\(path)"]) }

    func post(_ path: String, _ body: [String: Any]) throws -> (status: Int, object: [String: Any]) {
        try Curl.run(["-H", "Content-Type: application/json", "http://127.0.0.1:\(port)\(path)"], body: body)
    }

    /// The released JWK, or the status and code of the refusal.
    func release(_ name: String, at store: String? = nil, _ extra: [String: Any] = [:]) throws -> Release {
        var body: [String: Any] = ["kid": name]
        if let store { body["akv_endpoint"] = store }
        let answer = try post("/key/release", body.merging(extra) { $1 })
        let key = (answer.object["key"] as? String).flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        return Release(status: answer.status, key: key, answer: answer.object)
    }

    struct Release {
        let status: Int
        let key: [String: Any]?
        let answer: [String: Any]

        var code: String? { answer["code"] as? String }
        var stage: String? { answer["stage"] as? String }
        var error: String { answer["error"] as? String ?? "" }
    }
}

enum Curl {
    static func run(_ arguments: [String], body: Any? = nil) throws -> (status: Int, object: [String: Any]) {
        var all = ["-s", "-S", "--noproxy", "*", "--max-time", "60", "-w", "\n%{http_code}"] + arguments
        var input: Data?
        if let body {
            input = try JSONSerialization.data(withJSONObject: body)
            all += ["--data-binary", "@-"]
        }
        let result = try Program.run(all, input: input, executable: URL(filePath: "/usr/bin/curl"))
        let text = result.text
        let split = text.lastIndex(of: "\n") ?? text.startIndex
        let object = try? JSONSerialization.jsonObject(with: Data(text[..<split].utf8)) as? [String: Any]
        return (Int(text[split...].drop { $0 == "\n" }) ?? 0, object ?? [:])
    }
}

/// One fixture authority for all tests of this process: its two RSA-4096 keys take seconds to make.
enum SharedFixture {
    private static let directory: Result<URL, any Error> = Result {
        let scratch = try Scratch()
        let fixture = scratch.directory.appending(path: "fixture")
        let made = try Program.run([
            "evidence", "get", "--set", "evidence.use=fixture", "--set", "evidence.fixture.directory=\(fixture.path)",
            // On a machine that does much else they take longer than a request may.
            "--set", "server.request-timeout=10m",
        ])
        guard made.status == 0 else { throw RunningProgram.Ended(output: made.errors) }
        return fixture
    }

    static func copy(to destination: URL) throws { try FileManager.default.copyItem(at: try directory.get(), to: destination) }
}

extension Data {
    var base64URL: String { base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") }
}
