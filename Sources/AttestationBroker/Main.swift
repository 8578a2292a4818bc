import ArgumentParser
import BrokerConfiguration
import BrokerCore
import BrokerHTTP
import CProcessMemory
import CurlTransport
import Glibc

/// The program: `serve` is the sidecar, the other commands are its tools.
@main
struct AttestationBroker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attestation-broker",
        abstract: "Proves a confidential machine to a verifier and releases keys that only this machine can open.",
        discussion: """
            Exit status: 0 done; 1 the answer is no (evidence rejected, release denied); 2 it could not be done (network, device, file); \
            64 usage; 78 configuration.
            """,
        version: ProgramVersion.text,
        subcommands: subcommands)

    private static var subcommands: [any ParsableCommand.Type] {
        var commands: [any ParsableCommand.Type] = [ServeCommand.self]
        #if Simulators && FixtureEvidence
            commands += [DemoCommand.self, SimulateCommand.self]
        #endif
        #if Bench
            commands.append(BenchCommand.self)
        #endif
        return commands + [
            EvidenceCommand.self, TokenCommand.self, PolicyCommand.self, PluginsCommand.self, ConfigCommand.self,
            DoctorCommand.self,
            KeyCommand.self, WrapCommand.self,
        ]
    }

    static func main() async {
        broker_memory_configure()
        // A peer that goes away must cost a write, not the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            let arguments = OriginalArguments.translated(Array(CommandLine.arguments.dropFirst()))
            if arguments.first == "serve", let plain = ConfigurationArguments(plain: arguments.dropFirst()) {
                prepare()
                return try await ServeCommand.run(plain)
            }
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            Console.error(failure)
            Glibc.exit(failure.status.rawValue)
        } catch let error as BrokerError {
            let failure = CommandFailure(error)
            Console.error(failure)
            Glibc.exit(failure.status.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}

extension AttestationBroker {
    /// Makes what a start needs, on a core that is idle while the configuration is read, in the order in which it is wanted. The settings' declarations are made once.
    private static func prepare() {
        _ = BackgroundThread.start {
            broker_memory_prepare()
            _ = (try? builtInProviders()).map(SettingsCatalogue.init)
            CurlTransport.prepare()
            HTTPFrontEnd.prepare()
        }
    }
}

enum ProgramVersion {
    static let text = "0.1.0"
}
