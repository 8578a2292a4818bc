internal import ReleasePolicy
internal import ArgumentParser
internal import AzureKeyRelease
internal import BrokerCore
internal import BrokerEngine
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

#if PolicyTools
    internal import PolicyTools
#endif

struct KeyImport: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import a releasable key, with the configuration of the original's importkey.",
        discussion: """
            Reads importkeyconfig.json unchanged and takes the original's options. Prints the key's identifier and its release policy, \
            never the key; \
            -out and --private-key-file write what they name to new files of mode 0600. After the import the key is read back: exit \
            status 0 means that the \
            store keeps it exportable and under this very policy.
            """
    ).examples("key import -c importkeyconfig.json -kp key.pem")

    @Option(name: [.customShort("c"), .customLong("import-config")], help: ArgumentHelp("importkeyconfig.json.", valueName: "file"))
    var importConfig: String

    @Option(
        name: [.customLong("kh", withSingleDash: true), .customLong("key-hex")],
        help: ArgumentHelp(
            "oct key: a file whose bytes are the key; - for standard input, bytes or hexadecimal text; or hexadecimal text, which other "
                + "users can see.",
            valueName: "file|hex")) var keyHex: String?

    @Option(
        name: [.customLong("kp", withSingleDash: true), .customLong("key-pem")],
        help: ArgumentHelp("RSA or EC private key in PEM (PKCS#8, PKCS#1 or SEC1, not encrypted).", valueName: "file")) var keyPEM: String?

    @Flag(
        name: [.customShort("a"), .customLong("use-identity")],
        help: "Use the managed or workload identity of this machine, also where the file has a bearer_token.") var useIdentity = false

    @Flag(
        name: [.customLong("out", withSingleDash: true), .customLong("write-symmetric-key")],
        help: "Write the symmetric key, or the one derived from the RSA key, to --symmetric-key-file.") var out = false

    @Option(help: ArgumentHelp("Where -out writes.", valueName: "file")) var symmetricKeyFile = "keyfile.bin"

    @Option(help: ArgumentHelp("Write a generated RSA or EC key here, in PEM.", valueName: "file")) var privateKeyFile: String?

    @Option(help: "Bits of a generated RSA key: 2048, 3072 or 4096.") var rsaBits = 2048

    @Option(help: "Curve of a generated EC key: P-256, P-384 or P-521.") var curve = "P-256"

    @Flag(help: "Replace files that exist.") var overwrite = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        guard [2048, 3072, 4096].contains(rsaBits) else { throw ValidationError("--rsa-bits is 2048, 3072 or 4096") }
        guard EllipticCurve(rawValue: curve) != nil else { throw ValidationError("--curve is P-256, P-384 or P-521") }
        guard keyHex == nil || keyPEM == nil else { throw ValidationError("-kh and -kp exclude each other") }
    }

    func run(_ registry: ProviderRegistry) async throws {
        let plan = try configuration()
        for name in plan.unknown { Console.note("note: \(importConfig): \(name) means nothing here") }
        if out { try SecretFile.mustBeWritable(symmetricKeyFile, replaces: overwrite) }
        if let privateKeyFile { try SecretFile.mustBeWritable(privateKeyFile, replaces: overwrite) }
        var options = options
        if let client = plan.clientID { options.set.append("identity.client-id=\(client)") }
        let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        try KeyStoreOption.check(plan.store, composition)

        let source = KeySource(plan: plan, hex: keyHex, pem: keyPEM, rsaBits: rsaBits, curve: curve)
        if source.isOnCommandLine {
            Console.note(
                "warning: -kh with the key itself: every user of this machine can read it in the list of processes; -kh FILE and -kh - "
                    + "cannot be read there"
            )
        }
        let material = try source.material()
        // Before anything is imported: what cannot be written down must not exist in the store alone.
        var salt: [UInt8]?
        if out { salt = try source.writeSymmetric(of: material, to: symmetricKeyFile, replaces: overwrite) }
        if let privateKeyFile { try source.writePrivate(material, to: privateKeyFile, replaces: overwrite) }

        let manager = try KeyManager(
            store: plan.store, apiVersion: plan.apiVersion, bearer: useIdentity ? nil : plan.bearer, composition.host)
        let context = composition.engine.makeContext(id: "key-import")
        let kept = try await manager.importKey(plan.key, consume material, operations: plan.operations, policy: plan.policy, in: context)
        report(kept, salt: salt)
    }

    private func configuration() throws -> ImportConfiguration {
        do { return try ImportConfiguration(InputFile.bytes(importConfig, limit: ImportConfiguration.maximumBytes)) } catch let error
            as ImportConfiguration.Invalid
        { throw CommandFailure(.configuration, "\(importConfig): \(error.description)") }
    }

    private func report(_ key: KeyDescription, salt: [UInt8]?) {
        let policy = key.policyText.map { String(decoding: $0, as: UTF8.self) } ?? ""
        if json {
            var members: [(String, JSONValue)] = [
                ("kid", .string(key.keyID)), ("kty", .string(key.type)),
                ("release_policy", key.policyText.flatMap { try? JSONValue.parse($0) } ?? .null),
            ]
            if let salt { members.append(("salt", .string(Hex.encode(salt)))) }
            Console.json(JSONValue.object(JSONObject(members)))
        } else {
            Console.line("imported \(key.keyID) (\(key.type)), exportable under")
            Console.line(policy)
            if let salt { Console.line("salt of the derived key: \(Hex.encode(salt))") }
        }
        if out { Console.note("wrote the symmetric key to \(symmetricKeyFile), mode 0600") }
        if let privateKeyFile { Console.note("wrote the private key to \(privateKeyFile), mode 0600") }
        #if PolicyTools
            guard let text = key.policyText, let document = try? PolicyDocument(text) else { return }
            for finding in PolicyLinter(isImmutable: key.isImmutable).check(document) { Console.note("policy: \(finding.message)") }
        #endif
    }
}
