internal import BrokerConfiguration
internal import BrokerCore
internal import HTTPTransport
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON

extension FuzzTarget {
    /// A configuration file: every complaint is a line with its place, and no secret of the file is in one.
    static let configuration = FuzzTarget("configuration", seeds: ConfigurationTarget.seeds, run: ConfigurationTarget.run)
    /// `NAME=VALUE` in lines: the environment, and with a leading `+` options.
    static let environment = FuzzTarget("environment", maximumBytes: 1024, seeds: EnvironmentTarget.seeds, run: EnvironmentTarget.run)
    static let products = FuzzTarget("products", seeds: ProductsTarget.seeds, run: ProductsTarget.run)
    static let evidenceBundle = FuzzTarget("evidence-bundle", seeds: BundleTarget.seeds, run: BundleTarget.run)
}

/// Providers with the names of the built-in ones, which nobody makes.
private enum NamedProviders {
    static let registry = Result { () throws -> ProviderRegistry in
        let error = BrokerError(.internal, at: .startup, "not made")
        let evidence = SettingsSchema([
            SettingKey<Bool>("cache", default: true, help: "Keep").declaration,
            SettingKey<Int>("vmpl", default: 0, in: 0...3, help: "Level").declaration,
        ])
        let service = SettingsSchema([
            SettingKey<Endpoint>("endpoint", help: "Host").declaration,
            SettingKey<Duration>("timeout", default: .seconds(10), help: "Bound").declaration,
            SettingKey<[String]>("additional-endpoints", default: [], help: "More").declaration,
            SettingKey<String>("test-credential", secret: true, help: "Secret").declaration,
        ])
        return try ProviderRegistry(
            evidence: ["snp", "fixture"].map { name in
                ProviderFactory(name: name, summary: name, schema: evidence) { _, _ throws(BrokerError) in throw error }
            },
            verifiers: ["maa", "local"].map { name in
                ProviderFactory(name: name, summary: name, schema: service) { _, _ throws(BrokerError) in throw error }
            },
            keyStores: ["akv", "mhsm"].map { name in
                ProviderFactory(name: name, summary: name, schema: service) { _, _ throws(BrokerError) in throw error }
            })
    }

    static let secret = "canary-5f3c9a"

    /// The configuration, or nil with complaints that were looked at.
    static func load(_ inputs: ConfigurationInputs) throws -> BrokerConfiguration? {
        do throws(ConfigurationProblems) { return try BrokerConfiguration.load(inputs, registry: try registry.getTyped()) } catch {
            try require(!error.problems.isEmpty, "refused without a problem")
            for problem in error.problems {
                let text = problem.description
                try require(text.isOneLine && text.utf8.count < 4000, "the problem \(text)")
                try require(!text.contains(secret), "a secret is in a problem")
            }
            return nil
        }
    }
}

extension Result where Success == ProviderRegistry {
    fileprivate func getTyped() throws(ConfigurationProblems) -> ProviderRegistry {
        do { return try get() } catch {
            throw ConfigurationProblems([ConfigurationProblem(path: "", source: .builtIn, message: "the registry: \(error)")])
        }
    }
}

private enum ConfigurationTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        [
            #"{"server":{"http":"127.0.0.1:8080","body-limit":1048576,"profile":"precise"},"evidence":{"use":"snp","snp":{"vmpl":1}}}"#,
            #"{"verifier":{"use":"maa","maa":{"endpoint":"sharedeus.eus.attest.azure.net","timeout":"5s"}},"log":{"level":"debug"}}"#,
            #"{"key-stores":{"use":["akv","mhsm"],"akv":{"test-credential":"canary-5f3c9a"}},"cloud":"china"}"#,
            #"{"release-session":{"max-age":"0s"},"wrapping-keys":{"size":3072,"pool":2},"tls":{"connect-to":["a.b:443:127.0.0.1:1"]}}"#,
            #"{"callers":{"rules":[{"name":"a","uid":[1000],"keys":["db-*"],"operations":["release"],"rate":"10/s"}],"rate":"50/s"}}"#,
            "{}",
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let file = ConfigurationFile(name: "broker.json", bytes: input)
        guard let configuration = try NamedProviders.load(ConfigurationInputs(file: file)) else { return false }
        for setting in configuration.effective {
            try require(!setting.description.contains(NamedProviders.secret), "a secret is shown")
            try require(setting.description.isOneLine, "a setting breaks its line")
        }
        let server = configuration.server
        let limit = planted(server.bodyLimit, instead: input.contains { $0 <= 0x20 } ? 0 : server.bodyLimit)
        try require(limit >= 1024 && server.connectionLimit >= 1, "limits of the server")
        try require(configuration.wrappingKeys.pool <= 16 && !configuration.keyStores.isEmpty, "limits of the keys")
        // Read twice it is the same: nothing depends on the order of a table.
        let again = try NamedProviders.load(ConfigurationInputs(file: file))
        try require(again?.effective == configuration.effective, "read again it is another configuration")
        return true
    }
}

private enum EnvironmentTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        [
            "BROKER_LOG_LEVEL=debug\nBROKER_SERVER_HTTP=127.0.0.1:1\nPort=8080", "SkrSideCarArgs=eyJjZXJ0Y2FjaGUiOnt9fQ==\nLogLevel=info",
            "+log.level=warning\n+key-stores.use=akv,mhsm\nSSL_CERT_FILE=/x\nUVM_SECURITY_CONTEXT_DIR=/y",
            "LogFile=/tmp/x\n+server.unix=/run/x.sock",
            "BROKER_KEY_STORES_AKV_TEST_CREDENTIAL=canary-5f3c9a",
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        var environment: [String: String] = [:]
        var options: [SettingOverride] = []
        for line in input.text.split(separator: "\n") {
            if line.hasPrefix("+") {
                if let option = SettingOverride(assignment: String(line.dropFirst())) { options.append(option) }
            } else if let equals = line.firstIndex(of: "=") {
                environment[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
        }
        let found = try NamedProviders.load(ConfigurationInputs(environment: environment, overrides: options))
        let isTaken = planted(found != nil, instead: found != nil || environment["Port"] != nil)
        let port = environment["Port"].flatMap { Int($0) } ?? 1
        try require(!isTaken || (1...65535).contains(port), "port \(port) is taken")
        return isTaken
    }
}

private enum ProductsTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        [
            #"{"products":[{"name":"Verona","processors":[{"family":"0x1A","models":["0x60",111]}],"chip-id-bytes":8,"#
                + #""tcb":["fmc","bl","tee","snp","reserved","reserved","reserved","ucode"]}]}"#,
            #"{"products":[{"name":"Milan","deny":true}],"floors":[{"name":"own","rows":[{"processors":[{"family":25,"models":1}],"#
                + #""minimum":{"snp":24},"platform-bits":"0x20"}]}]}"#,
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let table: ProductTable
        do throws(ProductFile.Failure) { table = try ProductFile.apply(input) } catch {
            try require(error.description.isOneLine && error.description.utf8.count < 4000, "the refusal \(error.description)")
            return false
        }
        let names = table.entries.map(\.product.rawValue)
        try require(
            Set(names).count
                == planted(
                    names.count, instead: !names.allSatisfy(["Milan", "Genoa", "Turin", "Venice", "Verona"].contains) ? 0 : names.count),
            "a product is there twice")
        for entry in table.entries {
            try require(entry.product.layout.slots.count == 8 && [8, 64].contains(entry.product.chipIDByteCount), "a product's layout")
            let components = TCBVersion(raw: 0x0102_0304_0506_0708).components(for: entry.product)
            let again = TCBVersion(components, for: entry.product).components(for: entry.product)
            try require(components == again, "a TCB of \(entry.product.rawValue) is another when it is put together again")
        }
        return true
    }
}

private enum BundleTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        var bundle = EvidenceBundle(created: 1_750_000_000, nonce: "00")
        bundle.report = [1, 2, 3]
        bundle.certificates = [[0x30, 0x00]]
        let first = bundle.serialized()
        bundle.securityPolicy = Array("package policy".utf8)
        bundle.token = "a.b.c"
        return [first, bundle.serialized()]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        guard let (bundle, checks) = try? EvidenceBundle.read(input) else { return false }
        try require(checks.allSatisfy { $0.detail.isOneLine }, "a detail breaks its line")
        let (isSound, isSame) = (checks.allSatisfy(\.ok), bundle.serialized() == input)
        try require(
            !planted(isSound, instead: isSound || bundle.created.utf8.count != 20) || isSame, "another text has the digests of the bundle")
        let again = try EvidenceBundle.read(bundle.serialized())
        try require(again.bundle.report == bundle.report && again.bundle.token == bundle.token, "written again it is another")
        return true
    }
}
