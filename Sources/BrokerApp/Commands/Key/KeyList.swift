internal import ArgumentParser
internal import AzureKeyRelease
internal import BrokerCore
internal import BrokerEngine
internal import StrictJSON

struct KeyList: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys of a store and say which are releasable, and on what terms.",
        discussion: "A store's own list does not have the terms, so each key is read; that takes the permissions list and get."
    ).examples("key list --store contoso.vault.azure.net")

    @OptionGroup var store: KeyStoreOption
    @OptionGroup var access: AccessTokenOption
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.") var json = false

    func run(_ registry: ProviderRegistry) async throws {
        let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        func context() -> RequestContext { composition.engine.makeContext(id: "key-list") }
        let manager = try await access.manager(try store.endpoint(composition), composition, in: context())
        var entries: [(name: String, terms: Result<KeyTerms, BrokerError>)] = []
        for name in try await manager.names(in: context()) {
            guard let key = KeyName(name) else { continue }
            do throws(BrokerError) { entries.append((name, .success(KeyTerms(try await manager.key(key, in: context()))))) } catch {
                entries.append((name, .failure(error)))
            }
        }
        if json {
            let list = entries.map { name, terms -> JSONValue in
                switch terms {
                case .success(let terms): terms.json
                case .failure(let error): ["name": .string(name), "error": .string(error.message)]
                }
            }
            Console.json(JSONValue.array(list))
            return
        }
        let width = entries.map(\.name.count).max() ?? 0
        for (name, terms) in entries {
            let padded = name + String(repeating: " ", count: width - name.count)
            switch terms {
            case .success(let terms): Console.line("\(padded)  \(terms.line)")
            case .failure(let error): Console.line("\(padded)  cannot be read: \(error.message)")
            }
        }
        var said: Set<String> = []
        for case .failure(let error) in entries.map(\.terms) {
            guard let details = error.details, said.insert(details.cause).inserted else { continue }
            Console.note("why: \(details.summary)")
            for step in details.nextSteps { Console.note("  next: \(step)") }
        }
        if entries.isEmpty { Console.note("\(manager.store) has no keys") }
    }
}

struct KeyShow: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a key: whether it is releasable, to whom, and until when."
    ).examples("key show my-key")

    @Argument(help: "The key's NAME, NAME/VERSION or identifier.") var name: String
    @OptionGroup var store: KeyStoreOption
    @OptionGroup var access: AccessTokenOption
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print JSON.") var json = false

    func run(_ registry: ProviderRegistry) async throws {
        let key = try KeyArgument(name)
        let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        let context = composition.engine.makeContext(id: "key-show")
        let manager = try await access.manager(try store.endpoint(composition, named: key.store), composition, in: context)
        let terms = KeyTerms(try await manager.key(key.name, in: context))
        if json {
            Console.json(terms.json)
        } else {
            for line in terms.lines { Console.line(line) }
        }
    }
}
