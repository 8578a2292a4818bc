internal import ArgumentParser
public import BrokerCore
internal import CProcessShims
internal import Glibc

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
        do {
            let registry = try ProviderRegistry(evidence: evidence, verifiers: verifiers, keyStores: keyStores)
            var command = try RootCommand.parseAsRoot(OriginalArguments.translated(ProgramArguments.checked(ProgramArguments.current())))
            if let command = command as? any ProviderCommand {
                try await command.run(registry)
            } else if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            Console.error(failure)
            exit(failure.status.rawValue)
        } catch let error as BrokerError {
            let failure = CommandFailure(error)
            Console.error(failure)
            exit(failure.status.rawValue)
        } catch { RootCommand.exit(withError: error) }
        exit(ExitStatus.done.rawValue)
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
            """, version: ProgramVersion.text, subcommands: subcommands)

    private static var subcommands: [any ParsableCommand.Type] {
        var commands: [any ParsableCommand.Type] = [ServeCommand.self]
        #if Simulators && FixtureEvidence
            commands += [DemoCommand.self, SimulateCommand.self]
        #endif
        commands += [EvidenceCommand.self, TokenCommand.self]
        #if PolicyTools
            commands.append(PolicyCommand.self)
        #endif
        return commands + [PluginsCommand.self, ConfigCommand.self, DoctorCommand.self, KeyCommand.self, WrapCommand.self]
    }
}

enum ProgramVersion { static let text = "0.1.0" }
