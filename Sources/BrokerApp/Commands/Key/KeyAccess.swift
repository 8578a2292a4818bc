internal import ArgumentParser
internal import AzureKeyRelease
internal import BrokerCore
internal import BrokerEngine
internal import Glibc
internal import HTTPTransport
internal import SecureMemory
internal import StrictJSON

/// A key on the command line: NAME, NAME/VERSION, or the URL that a store shows.
struct KeyArgument {
    let name: KeyName
    /// The store that a URL names.
    let store: Endpoint?

    init(_ text: String) throws {
        let reference = KeyReference(identifier: text)
        guard let name = reference?.name ?? KeyName(text) else {
            throw CommandFailure(
                .usage, "a key's name is NAME or NAME/VERSION, the version 32 hexadecimal digits, or its https:// identifier")
        }
        self.name = name
        store = reference?.store
    }
}

/// The key store of a command.
struct KeyStoreOption: ParsableArguments {
    @Option(help: ArgumentHelp("The key vault or Managed HSM (default: the first configured one with an endpoint).", valueName: "host"))
    var store: String?

    /// `named` is the store that the key's identifier names.
    func endpoint(_ composition: Composition, named: Endpoint? = nil) throws -> Endpoint {
        if let store {
            let endpoint: Endpoint
            do { endpoint = try Endpoint(store) } catch { throw CommandFailure(.usage, "--store: \(error.description)") }
            guard named == nil || named == endpoint else {
                throw CommandFailure(.usage, "the key's identifier names another store than --store: \(named?.description ?? "")")
            }
            try Self.check(endpoint, composition)
            return endpoint
        }
        if let named {
            try Self.check(named, composition)
            return named
        }
        for store in composition.keyStores { if let endpoint = store.provider.defaultEndpoint { return endpoint } }
        throw CommandFailure(
            .usage, "no key store is named",
            nextStep: "say --store contoso.vault.azure.net, or set key-stores.akv.endpoint or key-stores.mhsm.endpoint")
    }

    /// An access token goes to no host that the configuration would not send one to.
    static func check(_ endpoint: Endpoint, _ composition: Composition) throws {
        guard composition.keyStores.contains(where: { $0.provider.claims(endpoint) }) else {
            let names = composition.keyStores.map { "'\($0.name)'" }.joined(separator: ", ")
            throw CommandFailure(
                .usage, "none of the configured key stores (\(names)) answers for \(endpoint); nothing was sent there",
                nextStep: "set the cloud, or key-stores.akv.endpoint or key-stores.mhsm.endpoint, if it is meant")
        }
    }
}

/// With whose access token a key store is asked: the option's, else the variable's, else the import file's, else the configured identity's.
struct AccessTokenOption: ParsableArguments {
    @Option(
        name: .customLong("access-token-file"),
        help: ArgumentHelp(
            "Ask with the access token in this file, - for standard input, instead of BROKER_ACCESS_TOKEN or the configured identity.",
            valueName: "file")) var file: String?

    /// `nil` stands for the configured identity.
    func token(else other: Redacted<String>? = nil) throws -> Redacted<String>? {
        if let file { return try Self.token(InputFile.bytes(file, limit: 1 << 16), from: file == "-" ? "standard input" : file) }
        if let text = ProcessEnvironment.all["BROKER_ACCESS_TOKEN"], !text.isEmpty {
            return try Self.token(Array(text.utf8), from: "BROKER_ACCESS_TOKEN")
        }
        return other
    }

    /// The store's manager with this token, after a look at the token.
    func manager(_ store: Endpoint, _ composition: Composition, in context: RequestContext) async throws -> KeyManager {
        let manager = try KeyManager(store: store, bearer: try token(), composition.host)
        try await manager.examineToken(in: context)
        return manager
    }

    /// The text alone, behind `Bearer`, or in what the Azure CLI prints as JSON. Nothing of it is repeated.
    private static func token(_ bytes: [UInt8], from source: String) throws -> Redacted<String> {
        var text = String(decoding: bytes, as: UTF8.self)
        if let answer = try? JSONCursor.parse(bytes),
            let token = (try? answer.optionalString("accessToken")) ?? (try? answer.optionalString("access_token"))
        {
            text = token
        }
        var words = text.split(whereSeparator: \.isWhitespace)
        if words.first?.lowercased() == "bearer" { words.removeFirst() }
        guard words.count == 1, let token = words.first, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw CommandFailure(
                .impossible, "\(source) holds no access token",
                nextStep: "'az account get-access-token --resource https://vault.azure.net --query accessToken --output tsv' prints one")
        }
        return Redacted(String(token))
    }
}
