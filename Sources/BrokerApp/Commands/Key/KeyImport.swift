internal import ReleasePolicy
internal import ArgumentParser
internal import AzureKeyRelease
internal import BrokerCore
internal import BrokerEngine
internal import InputReading
internal import HTTPTransport
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

#if PolicyTools
    internal import PolicyTools
#endif

struct KeyImport: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import a releasable key, with the configuration of the original's importkey or without a file.",
        discussion: """
            Reads importkeyconfig.json unchanged and takes the original's options; --kty, --name, --store and --policy do without a file. \
            What 'policy lint' calls an error in the release policy stops the import. Prints the key's identifier and its release policy, \
            never the key; \
            -out and --private-key-file write what they name to new files of mode 0600. After the import the key is read back: exit \
            status 0 means that the \
            store keeps it exportable and under this very policy.
            """
    ).examples("key import -c importkeyconfig.json -kp key.pem", "key import -c importkeyconfig.json --policy policy.json")

    @Option(name: [.customShort("c"), .customLong("import-config")], help: ArgumentHelp("importkeyconfig.json.", valueName: "file"))
    var importConfig: String?

    @Option(help: ArgumentHelp("Release policy; takes the place of the file's claims.", valueName: "file")) var policy: String?

    @Option(help: ArgumentHelp("Without -c: RSA-HSM, EC-HSM or, at a Managed HSM, oct-HSM.", valueName: "type")) var kty: String?

    @Option(help: ArgumentHelp("Without -c: the key's name.", valueName: "name")) var name: String?

    @Option(help: ArgumentHelp("Without -c: the key vault or Managed HSM.", valueName: "host")) var store: String?

    @Option(
        help: ArgumentHelp("Without -c: an operation that the key is for, for example encrypt. May be repeated.", valueName: "operation"))
    var keyOps: [String] = []

    @Option(
        name: [.customLong("kh", withSingleDash: true), .customLong("key-hex")],
        help: ArgumentHelp(
            "oct key: a file whose bytes are the key; - for standard input, bytes or hexadecimal text; or hexadecimal text, which other "
                + "users can see.",
            valueName: "file|hex")) var keyHex: String?

    @Option(
        help: ArgumentHelp(
            "What a file of -kh is: raw, or text in hex or base64 (default: raw, where it is no such text).", valueName: "form"))
    var keyForm: KeySource.Form?

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
    @OptionGroup var access: AccessTokenOption
    #if PolicyTools
        @OptionGroup var gate: PolicyGate
    #endif
    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        guard [2048, 3072, 4096].contains(rsaBits) else { throw ValidationError("--rsa-bits is 2048, 3072 or 4096") }
        guard EllipticCurve(rawValue: curve) != nil else { throw ValidationError("--curve is P-256, P-384 or P-521") }
        guard keyHex == nil || keyPEM == nil else { throw ValidationError("-kh and -kp exclude each other") }
        let withoutFile = [kty, name, store]
        if importConfig != nil {
            guard withoutFile.allSatisfy({ $0 == nil }), keyOps.isEmpty else {
                throw ValidationError("--kty, --name, --store and --key-ops are for an import without -c")
            }
        } else if withoutFile.contains(nil) || policy == nil {
            throw ValidationError("give -c FILE, or --kty, --name, --store and --policy")
        }
        guard !useIdentity || access.file == nil else { throw ValidationError("-a and --access-token-file exclude each other") }
        guard [importConfig, keyHex, keyPEM, policy, access.file].filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("only one input can be standard input")
        }
    }

    func run(_ registry: ProviderRegistry) async throws {
        let plan = try configuration()
        for name in plan.unknown { Console.note("note: \(importConfig ?? ""): \(name) means nothing here") }
        if out { try SecretFile.mustBeWritable(symmetricKeyFile, replaces: overwrite) }
        if let privateKeyFile { try SecretFile.mustBeWritable(privateKeyFile, replaces: overwrite) }
        var options = options
        if let client = plan.clientID { options.set.append("identity.client-id=\(client)") }
        let composition = try Composition(options.load(registry), registry: registry, logger: LoggingSetup.quiet())
        defer { composition.shutdown() }
        try KeyStoreOption.check(plan.store, composition)

        // Before anything is made or written: whether the store would listen at all.
        let manager = try KeyManager(
            store: plan.store, apiVersion: plan.apiVersion, bearer: useIdentity ? nil : try access.token(else: plan.bearer),
            composition.host)
        let context = composition.engine.makeContext(id: "key-import")
        try await manager.examineToken(in: context)
        let source = KeySource(plan: plan, hex: keyHex, form: keyForm, pem: keyPEM, rsaBits: rsaBits, curve: curve)
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

        let kept = try await manager.importKey(plan.key, consume material, operations: plan.operations, policy: plan.policy, in: context)
        report(kept, salt: salt)
    }

    private func configuration() throws -> ImportConfiguration {
        let given = try policy.map { try PolicyFile.releasePolicy($0) }
        let plan: ImportConfiguration
        if let importConfig {
            do {
                plan = try ImportConfiguration(
                    TextForm.plain(InputFile.bytes(importConfig, limit: ImportConfiguration.maximumBytes)), policy: given?.policy)
            } catch let error as ImportConfiguration.Invalid {
                throw CommandFailure(.configuration, "\(importConfig): \(error.description)")
            }
        } else {
            plan = try Self.configuration(kty ?? "", name ?? "", store ?? "", keyOps, given?.policy)
        }
        #if PolicyTools
            try gate.check(given?.text ?? plan.policy.serialized(style: .vault))
        #endif
        return plan
    }

    private static func configuration(_ kty: String, _ name: String, _ store: String, _ operations: [String], _ policy: ReleasePolicy?)
        throws -> ImportConfiguration
    {
        guard let type = ImportConfiguration.KeyType.allCases.first(where: { $0.rawValue.lowercased() == kty.lowercased() }) else {
            throw CommandFailure(.usage, "--kty is \(ImportConfiguration.KeyType.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let key = KeyName(name), key.version == nil else {
            throw CommandFailure(.usage, "--name: a key's name has 1 to 127 letters, digits and '-'")
        }
        guard let policy else { throw CommandFailure(.usage, "--policy is missing") }
        do throws(Endpoint.Invalid) {
            return ImportConfiguration(
                key: key, type: type, operations: operations.isEmpty ? nil : operations, store: try Endpoint(store), policy: policy)
        } catch { throw CommandFailure(.usage, "--store: \(error.description)") }
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
