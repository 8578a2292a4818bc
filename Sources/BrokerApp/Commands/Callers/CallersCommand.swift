internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import StrictJSON

struct CallersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "callers", abstract: "Say who may ask for what.", subcommands: [CallersExplain.self])
}

struct CallersExplain: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say which rule of callers.rules decides about a caller and what it asks for.",
        discussion: "Exit status 0 where it is allowed, 1 where it is not. What is not given is not known of the caller."
    ).examples("callers explain --uid 1000 --key db-primary", "callers explain --uid 1000 --operation attest-token")

    @Option(help: "The caller's user id, as the kernel says it of a Unix socket's peer.") var uid: UInt32?
    @Option(help: "Its group id.") var gid: UInt32?
    @Option(help: ArgumentHelp("The program that it runs.", valueName: "path")) var executable: String?
    @Option(help: ArgumentHelp("Its control group.", valueName: "path")) var cgroup: String?
    @Option(help: ArgumentHelp("Its IP address, for TCP.", valueName: "ip")) var address: String?
    @Option(help: ArgumentHelp("Subject of its client certificate.", valueName: "name")) var subject: String?
    @Option(help: ArgumentHelp("Name of its bearer token.", valueName: "name")) var bearer: String?
    @Option(help: ArgumentHelp("release, attest-token, attest-combined, attest-raw, attest-verdict or wrap-key.", valueName: "operation"))
    var operation = "release"
    @Option(help: ArgumentHelp("The key: NAME, NAME/VERSION or its URL.", valueName: "key")) var key: String?
    @Option(help: ArgumentHelp("The key store, by its configured name or its host.", valueName: "store")) var store: String?
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard let operation = RequestRecord.Operation(rawValue: operation) else {
            let names = RequestRecord.Operation.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--operation is one of \(names)")
        }
        guard operation.namesKey else {
            guard key == nil, store == nil else { throw ValidationError("an attestation has no --key and no --store") }
            return
        }
        guard key != nil else { throw ValidationError("--key is missing: which key is it about?") }
        if let address, AddressRange(address) == nil { throw ValidationError("--address is no IP address") }
    }

    func run(_ registry: ProviderRegistry) async throws {
        let configuration = try options.load(registry)
        let rules = configuration.callers.rules
        let question = try question(configuration)
        let verdict = rules.verdict(question)
        let words = words(verdict, rules)
        let failure = verdict.isAllowed ? nil : CommandFailure(.refused, words, nextStep: "see callers.rules in the configuration")
        if json {
            var document: JSONObject = ["allowed": .boolean(verdict.isAllowed), "rule": .null, "name": .null, "text": .string(words)]
            if case .decided(let index, _) = verdict {
                document.set("rule", .integer(Int64(index)))
                if let name = rules.rules[index].name { document.set("name", .string(name)) }
                if let rate = rules.rules[index].rate { document.set("rate", .string(rate.description)) }
            }
            Console.json(.object(document), failure: failure)
            return try Console.end(failure)
        }
        if let failure { throw failure }
        Console.line(words)
    }

    private func question(_ configuration: BrokerConfiguration) throws -> AccessQuestion {
        var caller = Caller(address == nil && subject == nil && bearer == nil ? .unix : .tcp)
        (caller.uid, caller.gid, caller.executable, caller.cgroup) = (uid, gid, executable, cgroup)
        (caller.address, caller.subject, caller.bearer) = (address, subject, bearer)
        let named = try key.map { try KeyArgument($0) }
        let host = named?.store?.host ?? store
        // The configured name where that is what was given, or where there is but one store.
        let names = configuration.keyStores.map(\.name)
        let name = names.first { $0 == store } ?? (store == nil && names.count == 1 ? names.first : nil)
        return AccessQuestion(
            caller: caller, operation: RequestRecord.Operation(rawValue: operation) ?? .release, key: named?.name, store: name,
            endpoint: host)
    }

    private func words(_ verdict: AccessRules.Verdict, _ rules: AccessRules) -> String {
        switch verdict {
        case .open: return "allowed: callers.rules is empty, so everybody may ask for everything"
        case .decided(let index, .allow):
            return "allowed by \(rules.name(index))" + (rules.rules[index].rate.map { ", at most \($0) of each caller" } ?? "")
        case .decided(let index, .deny): return "refused by \(rules.name(index))"
        case .unmentioned: return "refused: no rule of callers.rules is about this"
        }
    }
}
