#if PolicyTools
    internal import ArgumentParser
    internal import AzureKeyRelease
    internal import AzureServices
    internal import BrokerCore
    internal import BrokerEngine
    internal import PolicyTools
    internal import ReleasePolicy
    internal import StrictJSON

    struct KeyPolicyCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "policy", abstract: "Show the release policy of a key, or give it another one.",
            subcommands: [Show.self, Set.self])

        /// The key of both commands, with its store and how it is asked.
        struct Subject: ParsableArguments {
            @Argument(help: "The key's NAME or identifier, without a version: the policy belongs to all of them.") var name: String
            @OptionGroup var store: KeyStoreOption
            @OptionGroup var access: AccessTokenOption
            @OptionGroup var options: ConfigurationOptions

            func with<Result>(
                _ registry: ProviderRegistry, _ body: (KeyManager, KeyName, RequestContext) async throws -> Result
            ) async throws -> Result {
                let key = try KeyArgument(name)
                guard key.name.version == nil else { throw CommandFailure(.usage, "a release policy belongs to the key; name no version") }
                let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
                defer { composition.shutdown() }
                let context = composition.engine.makeContext(id: "key-policy")
                let manager = try await access.manager(try store.endpoint(composition, named: key.store), composition, in: context)
                return try await body(manager, key.name, context)
            }
        }

        struct Show: ProviderCommand {
            static let configuration = CommandConfiguration(
                commandName: "show", abstract: "Print the release policy of a key, in a form that 'key policy set' takes."
            ).examples("key policy show my-key --store contoso.vault.azure.net")

            @OptionGroup var subject: Subject
            @Flag(help: "Print JSON with what else is known.") var json = false

            func run(_ registry: ProviderRegistry) async throws {
                let key = try await subject.with(registry) { manager, name, context in try await manager.key(name, in: context) }
                guard let text = key.policyText, let policy = try? JSONValue.parse(text) else {
                    throw CommandFailure(.refused, "\(key.keyID) is \(KeyTerms(key).verdict)")
                }
                if json {
                    let result: JSONValue = [
                        "kid": .string(key.keyID), "immutable": .boolean(key.isImmutable), "verdict": .string(KeyTerms(key).verdict),
                        "release_policy": policy,
                    ]
                    Console.json(result)
                } else {
                    Console.writeBytes(policy.serialized(pretty: true) + [UInt8(ascii: "\n")])
                    if key.isImmutable { Console.note("note: this policy is immutable: it can never be changed") }
                    Console.note("note: \(KeyTerms(key).verdict)")
                }
            }
        }

        struct Set: ProviderCommand {
            static let configuration = CommandConfiguration(
                commandName: "set", abstract: "Give a key another release policy, and show what changes.",
                discussion: """
                    What 'policy lint' calls an error stops it. A policy that means the same as the present one is not sent. After the \
                    change the key is read back: exit status 0 means that the store keeps this very policy.
                    """
            ).examples("key policy set my-key policy.json --dry-run")

            @OptionGroup var subject: Subject
            @Argument(help: ArgumentHelp("The new policy; - for standard input.", valueName: "file")) var file: String
            @Flag(help: "Show what would change, and change nothing.") var dryRun = false
            @OptionGroup var gate: PolicyGate
            @Flag(help: "Print JSON.") var json = false

            func run(_ registry: ProviderRegistry) async throws {
                let (policy, text) = try PolicyFile.releasePolicy(file)
                try gate.check(text)
                try await subject.with(registry) { manager, name, context in
                    let key = try await manager.key(name, in: context)
                    guard key.isExportable else { throw CommandFailure(.refused, "\(key.keyID) is \(KeyTerms(key).verdict)") }
                    let difference = key.policy.map { PolicyDifference($0, policy) }
                    guard difference?.areEqual != true else { return report(key, difference, isChanged: false) }
                    guard !key.isImmutable else {
                        throw CommandFailure(
                            .refused,
                            "the release policy of \(key.keyID) is immutable: it can never be changed, so the store was not asked",
                            nextSteps: KnownFailure.named("akv-skr-1020")?.nextSteps ?? [])
                    }
                    guard !dryRun else { return report(key, difference, isChanged: false) }
                    report(try await manager.setPolicy(policy, of: name, in: context), difference, isChanged: true)
                }
            }

            private func report(_ key: KeyDescription, _ difference: PolicyDifference?, isChanged: Bool) {
                if json {
                    let result: JSONValue = [
                        "kid": .string(key.keyID), "changed": .boolean(isChanged), "dry_run": .boolean(dryRun),
                        "difference": difference?.json ?? .null,
                    ]
                    Console.json(result)
                    return
                }
                for line in difference?.lines ?? ["the present policy is not one that this program understands"] { Console.line(line) }
                if isChanged { Console.line("changed: the store keeps this policy for \(key.keyID)") }
                if dryRun { Console.note("dry run: nothing was changed") }
            }
        }
    }
#endif
