internal import ArgumentParser
internal import InputReading
internal import KeyProvider
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

extension ContentCipher: ExpressibleByArgument {}

struct WrapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wrap",
        abstract: "Encrypt data to a key that the sidecar can have released: the annotation of the key-provider protocol.",
        discussion: """
            With -keypath PATH it reads PATH-info.json ({"public_key_path","kms_endpoint","attester_endpoint"}), encrypts the file with \
            RSA-OAEP and SHA-256 to that public key and writes the annotation packet as base64, as the original's program does. The \
            packet's kid is the last component of PATH.

            With --kid and --public-key data of any length is wrapped; with --kid and --symmetric-key the packet is one of Confidential \
            Containers'.
            """
    ).examples(
        "wrap -infile secret -keypath keys/my-key -outfile wrapped",
        "wrap -infile secret --kid my-key --public-key key.pem",
        "wrap -infile s --kid kbs:///a/b/c --symmetric-key kek.bin")

    @Option(
        name: [.customLong("infile", withSingleDash: true), .customLong("infile")],
        help: ArgumentHelp("What to encrypt; - for standard input.", valueName: "file")) var infile: String

    @Option(
        name: [.customLong("keypath", withSingleDash: true), .customLong("keypath")],
        help: ArgumentHelp("Names the key: PATH-info.json says where its public half is.", valueName: "path")) var keypath: String?

    @Option(help: ArgumentHelp("Names the key otherwise: its NAME, or a resource URI (kbs:///…).", valueName: "name")) var kid: String?
    @Option(help: ArgumentHelp("The RSA key's public half in PEM.", valueName: "file")) var publicKey: String?
    @Option(help: ArgumentHelp("32 raw bytes of a symmetric key.", valueName: "file")) var symmetricKey: String?
    @Option(help: "How a symmetric key encrypts.") var cipher = ContentCipher.a256gcm
    @Option(help: ArgumentHelp("Version of a packet for a symmetric key: 1 or 2.", valueName: "number")) var packetVersion = 1
    @Option(help: ArgumentHelp("The key store that the packet names.", valueName: "host")) var kmsEndpoint: String?
    @Option(help: ArgumentHelp("The verifier that the packet names.", valueName: "host")) var attesterEndpoint: String?

    @Option(
        name: [.customLong("outfile", withSingleDash: true), .customLong("outfile")],
        help: ArgumentHelp("Where to write; standard output when not given.", valueName: "file")) var outfile: String?

    @Flag(help: "Print JSON: the annotation, or the file that has it.") var json = false

    func validate() throws {
        guard (keypath == nil) != (kid == nil) else { throw ValidationError("-keypath names the key, or --kid does") }
        if keypath != nil {
            guard publicKey == nil, symmetricKey == nil, kmsEndpoint == nil, attesterEndpoint == nil else {
                throw ValidationError("with -keypath the file PATH-info.json says everything else")
            }
        } else {
            guard (publicKey == nil) != (symmetricKey == nil) else { throw ValidationError("--kid wants --public-key or --symmetric-key") }
        }
        guard symmetricKey == nil || kmsEndpoint == nil && attesterEndpoint == nil else {
            throw ValidationError("a packet for a symmetric key names no endpoints")
        }
        guard (1...2).contains(packetVersion) else { throw ValidationError("--packet-version is 1 or 2") }
    }

    func run() throws {
        let packet = try packet()
        let text = Base64.encode(packet.serialized())
        if let outfile { try OutputFile.write(Array(text.utf8), to: outfile) }
        if json {
            Console.json([
                "kid": .string(packet.kid), "annotation": outfile == nil ? .string(text) : .null,
                "file": outfile.map { .string($0) } ?? .null,
            ])
        } else if outfile == nil {
            Console.line(text)
        }
    }

    private func packet() throws -> AnnotationPacket {
        if let kid {
            guard (1...AnnotationPacket.longestKeyID).contains(kid.utf8.count), kid.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw CommandFailure(.usage, "--kid is 1 to \(AnnotationPacket.longestKeyID) visible ASCII characters")
            }
            if let symmetricKey { return try symmetricPacket(kid, symmetricKey) }
            let information = Information(
                kid: kid, publicKeyPath: publicKey ?? "", kms: kmsEndpoint ?? "", attester: attesterEndpoint ?? "")
            return try packet(information, isOriginal: false)
        }
        return try packet(information(), isOriginal: true)
    }

    private func symmetricPacket(_ kid: String, _ path: String) throws -> AnnotationPacket {
        let key = try InputFile.secret(path, limit: 1024)
        let content = try InputFile.secret(infile, limit: KeyProviderRequest.maximumPayload)
        guard let packet = AnnotationPacket.wrap(content, to: key, cipher, kid: kid, version: packetVersion) else {
            throw CommandFailure(
                .impossible, "\(path) has \(key.count) bytes, and \(cipher.rawValue) takes a key of 32",
                nextStep: "give the key as raw bytes, not as text")
        }
        return packet
    }

    private func packet(_ information: Information, isOriginal: Bool) throws -> AnnotationPacket {
        let publicKey = try InputFile.readOne(information.publicKeyPath, as: PublicKeyInput.kind, limit: 256 * 1024)
        guard case .rsa(let bits) = publicKey.kind else { throw CommandFailure(.impossible, "\(information.publicKeyPath) is no RSA key") }
        let content = try InputFile.secret(infile, limit: isOriginal ? 1 << 20 : KeyProviderRequest.maximumPayload)
        let packet = AnnotationPacket.wrap(
            content, to: publicKey, kid: information.kid, keyStore: information.kms, authority: information.attester,
            inEnvelope: isOriginal ? false : nil)
        guard let packet else {
            let most = AnnotationPacket.longestBlockContent(bits: bits)
            throw CommandFailure(
                .impossible, "\(infile) has \(content.count) bytes; a \(bits)-bit key wraps at most \(most)",
                nextStep: "with --kid and --public-key instead of -keypath data of any length is wrapped")
        }
        return packet
    }

    private struct Information {
        let kid: String
        let publicKeyPath: String
        let kms: String
        let attester: String
    }

    private func information() throws -> Information {
        let keypath = keypath ?? ""
        let path = "\(keypath)-info.json"
        let kid = keypath.split(separator: "/").last.map(String.init) ?? ""
        guard (1...127).contains(kid.utf8.count) else {
            throw CommandFailure(.usage, "-keypath ends with the key's name, for example keys/testkey000")
        }
        do {
            let root = try JSONCursor.parse(written: TextForm.plain(InputFile.bytes(path, limit: 1 << 16)))
            return Information(
                kid: kid, publicKeyPath: try root.string("public_key_path"), kms: try root.optionalString("kms_endpoint") ?? "",
                attester: try root.optionalString("attester_endpoint") ?? "")
        } catch let error as JSONError { throw CommandFailure(.configuration, "\(path): \(error.description)") }
    }
}
