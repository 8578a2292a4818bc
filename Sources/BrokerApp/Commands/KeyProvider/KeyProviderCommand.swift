internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import Glibc
internal import InputReading
internal import KeyProvider
internal import PlainText
internal import SecureMemory
internal import StrictJSON

struct KeyProviderCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "key-provider",
        abstract: "Answer one request of the ocicrypt key-provider protocol on standard input and output.",
        discussion: """
            For container tools that start a program instead of calling a service ('cmd' in OCICRYPT_KEYPROVIDER_CONFIG). The request says \
            whether a key is wrapped or unwrapped. 'key-provider config' writes the file that such tools read.
            """, subcommands: [KeyProviderConfigCommand.self]
    ).examples("key-provider --config broker.json < request.json", "key-provider config > ocicrypt.json")

    @Flag(help: "Print a failure as JSON.") var json = false
    @OptionGroup var options: ConfigurationOptions

    func run(_ registry: ProviderRegistry) async throws {
        let configuration = try options.load(registry)
        let request = try InputFile.secret("-", limit: KeyProviderRequest.maximumBytes)
        let composition = try Composition(configuration, registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        let provider = try composition.keyProvider(configuration.keyProvider)
        let answer = try await provider.answer(request, in: composition.engine.makeContext(id: "key-provider"))
        Console.write(answer)
    }
}

struct KeyProviderConfigCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Print what OCICRYPT_KEYPROVIDER_CONFIG has to name for this configuration.",
        discussion: """
            Container tools then know the broker under the name that key-provider.name gives it. They call its gRPC interface where \
            server.grpc or server.grpc-unix is set, and start the program otherwise.
            """
    ).examples("key-provider config --config broker.json > ocicrypt.json", "key-provider config --start-program")

    @Flag(help: "Let tools start this program, also where a gRPC interface is configured.") var startProgram = false
    @Flag(help: "Print JSON, which is printed anyway.") var json = false
    @OptionGroup var options: ConfigurationOptions

    func run(_ registry: ProviderRegistry) async throws {
        let configuration = try options.load(registry)
        var attributes: [(String, JSONValue)] = []
        if !startProgram, let place = configuration.grpc.places.first {
            switch place {
            case .tcp(let address):
                guard address.port > 0 else {
                    throw CommandFailure(
                        .configuration, "server.grpc has port 0, so nobody knows which port it will be", nextStep: "give it a port")
                }
                attributes.append(("grpc", .string(address.description)))
                if let tls = configuration.grpc.tls { attributes.append(("grpc-tls", Self.tls(tls))) }
            case .unix(let path): attributes.append(("grpc", .string("unix://\(path)")))
            }
        } else {
            attributes.append(("cmd", ["path": .string(try Self.program()), "args": .array(arguments.map { .string($0) })]))
        }
        let providers = JSONObject([(configuration.keyProvider.name, .object(JSONObject(attributes)))])
        Console.json(["key-providers": .object(providers)])
    }

    /// The authority and the certificate are the client's own; these are places for them.
    private static func tls(_ tls: TLSFiles) -> JSONValue {
        var members: [(String, JSONValue)] = [("root-ca-file", .string(tls.certificate))]
        if tls.clientAuthorities != nil { members += [("cert-file", "CLIENT-CERTIFICATE.pem"), ("key-file", "CLIENT-KEY.pem")] }
        return .object(JSONObject(members))
    }

    /// The same configuration for the program that a tool starts.
    private var arguments: [String] {
        var arguments = ["key-provider"]
        if let file = options.config ?? ProcessEnvironment.all["BROKER_CONFIG"], !file.isEmpty {
            let path = realpath(file, nil)
            defer { free(path) }
            arguments += ["--config", path.map { String(cString: $0) } ?? file]
        }
        for setting in options.set { arguments += ["--set", setting] }
        return arguments
    }

    private static func program() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw CommandFailure(.impossible, "/proc/self/exe: \(String(cString: strerror(errno)))") }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
