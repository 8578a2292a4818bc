internal import ArgumentParser
internal import AzureKeyRelease
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import StrictJSON

struct KeyReleaseCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Release one key to this machine, as the sidecar does it.",
        discussion: """
            Collects evidence from the configured provider, gets a token, has the key released and opens it. The key itself is shown \
            nowhere unless --output or \
            --print-key says so. Exit status 1 means that verifier or key store said no.
            """
    ).examples("key release my-key --output key.jwk")

    @Argument(help: "The key's NAME, NAME/VERSION or identifier.") var name: String
    @OptionGroup var store: KeyStoreOption
    @OptionGroup var access: AccessTokenOption
    @Option(help: ArgumentHelp("The verifier's authority (default: the configured one).", valueName: "host")) var authority: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("Write the key as JWK to this new file of mode 0600.", valueName: "file")) var output:
        String?
    @Flag(help: "Print the key as JWK to standard output.") var printKey = false
    @Flag(help: "Replace the file when it exists.") var overwrite = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        if printKey, json { throw ValidationError("--print-key prints the key and nothing else, so it excludes --json") }
    }

    func run(_ registry: ProviderRegistry) async throws {
        let key = try KeyArgument(name)
        if let output { try SecretFile.mustBeWritable(output, replaces: overwrite) }
        let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        let engine = composition.engine
        if engine.provenance == .fixture { Console.note("note: fixture evidence, which proves nothing about this machine") }
        let context = engine.makeContext(id: "key-release")
        let manager = try await access.manager(try store.endpoint(composition, named: key.store), composition, in: context)
        let request = ReleaseRequest(
            key: key.name, store: manager.store, authority: try authority.map(Self.endpoint),
            caller: manager.bearer.map { .bearer($0) } ?? .broker)
        let released: ReleasedKey
        do throws(BrokerError) { released = try await engine.release(request, in: context) } catch {
            guard case .broker = request.caller, error.stage == .identity, error.upstream == nil else { throw error }
            throw manager.withoutToken(error)
        }
        if let output { try SecretFile.write(released.jwk, to: output, replaces: overwrite) }
        if printKey {
            Console.write(released.jwk)
            Console.line()
        } else if json {
            let result: JSONValue = [
                "kid": .string(released.keyID), "file": output.map { .string($0) } ?? .null,
                "evidence": .string(engine.provenance.rawValue),
            ]
            Console.json(result)
        } else {
            Console.line("released \(released.keyID)" + (output.map { " to \($0), mode 0600" } ?? ""))
            if output == nil { Console.note("the key was opened and forgotten; --output FILE keeps it") }
        }
    }

    private static func endpoint(_ text: String) throws -> Endpoint {
        do { return try Endpoint(text) } catch { throw CommandFailure(.usage, "--authority: \(error.description)") }
    }
}
