internal import ArgumentParser
public import BrokerCore
internal import CProcessShims
internal import Glibc
internal import StrictJSON

/// The program without its list of providers: `serve` is the sidecar, the other commands are its tools.
///
/// A program with a provider of its own is a list and one call:
///
///     await BrokerApp(evidence: [snpEvidence, mine], verifiers: [maaVerifier], keyStores: [keyVaultPremium]).main()
public struct BrokerApp: Sendable {
    private let evidence: [ProviderFactory<any EvidenceProvider>]
    private let verifiers: [ProviderFactory<any Verifier>]
    private let keyStores: [ProviderFactory<any KeyStore>]

    public init(
        evidence: [ProviderFactory<any EvidenceProvider>], verifiers: [ProviderFactory<any Verifier>],
        keyStores: [ProviderFactory<any KeyStore>]
    ) {
        self.evidence = evidence
        self.verifiers = verifiers
        self.keyStores = keyStores
    }

    /// Runs what the process's command line asks for and ends the process with its exit status.
    public func main() async -> Never {
        // First of all: nothing may be opened under the number of a standard stream.
        let closed = broker_open_standard_descriptors()
        guard closed == 0 else {
            // Said where standard error is not among the closed ones.
            Console.error(
                CommandFailure(
                    .configuration, "descriptor 0, 1 or 2 is closed and /dev/null cannot be opened: \(String(cString: strerror(closed)))",
                    nextStep: "give the process a /dev with null in it, or open standard input, output and error"))
            exit(ExitStatus.configuration.rawValue)
        }
        broker_memory_configure()
        // Keys pass through this process: no core file, no look into its memory by others of the same user.
        _ = broker_process_harden()
        // A peer that goes away must cost a write, not the process.
        signal(SIGPIPE, SIG_IGN)
        var arguments: [String] = []
        do {
            let all = ProgramArguments.current()
            arguments = OriginalArguments.translated(try ProgramArguments.checked(all), program: all.first ?? "")
            try await run(arguments)
        } catch { Self.end(error, arguments) }
        exit(ExitStatus.done.rawValue)
    }

    private func run(_ arguments: [String]) async throws {
        let registry = try ProviderRegistry(evidence: evidence, verifiers: verifiers, keyStores: keyStores)
        var command = try RootCommand.parseAsRoot(arguments)
        do {
            if let command = command as? any ProviderCommand {
                try await command.run(registry)
            } else if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as BrokerError { throw CommandFailure(error) }
    }

    /// Says why the command failed: on standard error, and with `--json` as a document on standard output, whatever it is that failed.
    private static func end(_ error: any Error, _ arguments: [String]) -> Never {
        let failure: CommandFailure
        if let known = error as? CommandFailure {
            failure = known
            Console.error(known)
        } else if let broker = error as? BrokerError {
            failure = CommandFailure(broker)
            Console.error(failure)
        } else if let answered = error as? ExitCode {
            // The document was printed, with its failure in it.
            exit(answered.rawValue)
        } else if RootCommand.exitCode(for: error) == .validationFailure {
            Console.note(RootCommand.fullMessage(for: error))
            failure = CommandFailure(
                .usage, RootCommand.message(for: error), nextStep: "'\(RootCommand.path(of: arguments)) --help' says what it takes")
        } else if RootCommand.exitCode(for: error) == .success {
            RootCommand.exit(withError: error)
        } else {
            failure = CommandFailure(.impossible, "\(error)")
            Console.error(failure)
        }
        if arguments.prefix(while: { $0 != "--" }).contains("--json") { Console.json([:], failure: failure) }
        exit(failure.status.rawValue)
    }
}

/// A command that needs to know which providers this program has.
protocol ProviderCommand: ParsableCommand { func run(_ registry: ProviderRegistry) async throws }

struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attestation-broker",
        abstract: "Proves a confidential machine to a verifier and releases keys that only this machine can open.",
        discussion: """
            Exit status: 0 done; 1 the answer is no (evidence rejected, release denied); 2 it could not be done (network, device, file); \
            64 usage; 78 configuration.
            """, version: ProgramVersion.report, subcommands: subcommands)

    /// The words of a command line that name a command, with the program's name in front.
    static func path(of arguments: [String]) -> String {
        var command: any ParsableCommand.Type = RootCommand.self
        var words = ["attestation-broker"]
        for argument in arguments {
            guard let found = command.configuration.subcommands.first(where: { $0.configuration.commandName == argument }) else { break }
            command = found
            words.append(argument)
        }
        return words.joined(separator: " ")
    }

    private static var subcommands: [any ParsableCommand.Type] {
        var commands: [any ParsableCommand.Type] = [ServeCommand.self]
        #if Simulators && FixtureEvidence
            commands += [DemoCommand.self, SimulateCommand.self]
        #endif
        commands += [EvidenceCommand.self, TokenCommand.self]
        #if PolicyTools
            commands.append(PolicyCommand.self)
        #endif
        return commands + [
            PluginsCommand.self, ConfigCommand.self, DoctorCommand.self, HealthcheckCommand.self, KeyCommand.self, WrapCommand.self,
            UnwrapCommand.self, KeyProviderCommand.self, AuditCommand.self, CallersCommand.self,
        ]
    }
}
