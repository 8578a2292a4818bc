internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import InputReading
internal import KeyProvider
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

struct UnwrapCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "unwrap", abstract: "Open an annotation packet of an encrypted image, as the sidecar does it.",
        discussion: """
            Reads the packet (its JSON, or that in base64, as 'wrap' writes it and as an image's annotation has it), has the key that it \
            names released to this machine and opens it. What is in it is shown nowhere unless --output or --print says so. Exit status 1 \
            means that verifier or key store said no.
            """
    ).examples("unwrap wrapped --output secret", "unwrap - --print < wrapped")

    @Argument(help: ArgumentHelp("The annotation packet; - for standard input.", valueName: "file")) var packet: String
    @Option(name: .shortAndLong, help: ArgumentHelp("Write what is in it to this new file of mode 0600.", valueName: "file")) var output:
        String?
    @Flag(help: "Print what is in it to standard output.") var print = false
    @Flag(help: "Replace the file when it exists.") var overwrite = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        if print, json { throw ValidationError("--print prints the content and nothing else, so it excludes --json") }
    }

    func run(_ registry: ProviderRegistry) async throws {
        let bytes = try Self.packet(InputFile.bytes(packet, limit: 1 << 18), InputFile.name(packet))
        if let output { try SecretFile.mustBeWritable(output, replaces: overwrite) }
        let configuration = try options.load(registry)
        let composition = try Composition(configuration, registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        let engine = composition.engine
        if engine.provenance == .fixture { Console.note("note: fixture evidence, which proves nothing about this machine") }
        let provider = try composition.keyProvider(configuration.keyProvider)
        let content = try await provider.open(bytes, in: engine.makeContext(id: "unwrap"))
        if let output { try SecretFile.write(content, to: output, replaces: overwrite) }
        if print {
            Console.write(content)
        } else if json {
            let result: JSONValue = [
                "bytes": .integer(Int64(content.count)), "file": output.map { .string($0) } ?? .null,
                "evidence": .string(engine.provenance.rawValue),
            ]
            Console.json(result)
        } else {
            Console.line("opened: \(content.count) bytes" + (output.map { " to \($0), mode 0600" } ?? ""))
            if output == nil { Console.note("the packet was opened and forgotten; --output FILE keeps what is in it") }
        }
    }

    /// JSON as it is, or out of its base64.
    private static func packet(_ bytes: [UInt8], _ name: String) throws -> [UInt8] {
        let packet = Base64.decodeWrapped(bytes) ?? bytes
        do { _ = try AnnotationPacket(parsing: packet) } catch {
            throw CommandFailure(
                .impossible, "\(name): \(error.description)", nextStep: "give the annotation as 'wrap' or an image has it")
        }
        return packet
    }
}
