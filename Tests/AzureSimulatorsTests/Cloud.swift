import Waiting
import AzureSimulators
import CurlTransport
import Glibc
import HTTPTransport
import OpenSSLCrypto
import Logging
import SecureMemory
import StrictJSON
import Synchronization
import Testing

/// Running simulators and a client that reaches them under their Azure names, as a test needs them.
struct Cloud: Sendable {
    static let attestation = "sharedeus2.eus2.attest.azure.net"
    static let vault = "contoso.vault.azure.net"
    static let managedHSM = "contoso.managedhsm.azure.net"
    static let vaultAudience = "https://vault.azure.net"
    static let managedHSMAudience = "https://managedhsm.azure.net"
    /// A moment within the life of every certificate of the recorded evidence.
    static let now: Int64 = 1_790_000_000

    let simulators: AzureSimulators
    let ports: SimulatorPorts
    let transport: CurlTransport
    let caFile: String

    /// Runs `body` against fresh simulators and stops them afterwards.
    static func run(_ configure: (inout SimulatorConfiguration) -> Void = { _ in }, _ body: @Sendable (Cloud) async throws -> Void)
        async throws
    {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var configuration = SimulatorConfiguration()
        configuration.caFile = directory.path + "/ca.pem"
        configuration.clock = { now }
        configuration.logger.logLevel = .critical
        configuration.makeSignerKey = { () throws(CryptoError) in try SignerKeys.next() }
        configure(&configuration)
        let caFile = configuration.caFile ?? ""
        try await AzureSimulators.withRunning(configuration) { simulators, ports in
            let trust = try TrustStore(files: [caFile], directories: [], includesSystemDefaults: false)
            let transport = try CurlTransport(
                CurlTransport.Options(
                    trust: { trust }, connectTo: [try ConnectOverride("::127.0.0.1:\(ports.tls)")], userAgent: "simulator-tests",
                    proxy: .none))
            defer { transport.shutdown() }
            try await body(Cloud(simulators: simulators, ports: ports, transport: transport, caFile: caFile))
        }
    }

    /// Sends a request to a simulated host.
    func send(
        _ method: HTTPRequest.Method, _ host: String, _ path: String, json: JSONValue? = nil, body: [UInt8]? = nil, bearer: String? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws -> Answer {
        var headers = headers
        if json != nil { headers.append(("Content-Type", "application/json")) }
        let response = try await transport.send(
            HTTPRequest(
                method, .service(try Endpoint(host)), path: path, headers: headers, bearer: bearer.map { Redacted($0) },
                body: json?.serialized() ?? body, deadline: .after(.seconds(600))))
        return Answer(response)
    }

    /// Sends a request to the metadata services.
    func metadata(_ path: String, headers: [(name: String, value: String)] = [("Metadata", "true")]) async throws -> Answer {
        Answer(
            try await transport.send(
                HTTPRequest(
                    .get, .metadata(host: "127.0.0.1", port: ports.metadata), path: path, headers: headers, deadline: .after(.seconds(600)))
            )
        )
    }

    /// A bearer token for the store with that host name.
    func bearer(_ host: String = vault) throws -> String {
        try simulators.accessToken(audience: "https://" + String(host.drop { $0 != "." }.dropFirst()))
    }
}

/// RSA keys for the signers of all simulators in this process: those of one start differ, and each start would take a second for its own.
enum SignerKeys {
    private static let keys: [Result<PrivateKey, CryptoError>] = (0..<8).map { _ in
        Result { () throws(CryptoError) in try PrivateKey.generateRSA(bits: 2048) }
    }
    private static let count = Atomic(0)

    static func next() throws(CryptoError) -> PrivateKey {
        try keys[count.wrappingAdd(1, ordering: .relaxed).newValue % keys.count].get()
    }
}

/// One answer, read as JSON where it is.
struct Answer: Sendable {
    let status: Int
    let response: HTTPResponse

    init(_ response: HTTPResponse) {
        status = response.status
        self.response = response
    }

    var json: JSONCursor { get throws { try JSONCursor.parse(response.body) } }

    func header(_ name: String) -> String? { response.header(name) }

    /// `error.code`, empty where the body is no error.
    var code: String { (try? json.member("error").string("code")) ?? "" }
    var message: String { (try? json.member("error").string("message")) ?? "" }
    var explanation: String { header("x-simulator-explanation") ?? "" }
}

/// A directory that is removed again.
struct TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/simulator-tests-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        path = try #require(made)
    }

    func remove() { Self.remove(path) }

    private static func remove(_ path: String) {
        guard unlink(path) != 0, let directory = opendir(path) else { return }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { field in String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        closedir(directory)
        for name in names { remove(path + "/" + name) }
        rmdir(path)
    }
}
