internal import ArgumentParser
internal import InputReading
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

struct WrapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wrap",
        abstract: "Encrypt data to a key that the sidecar can have released: the annotation of the key-provider protocol.",
        discussion: """
            Reads PATH-info.json ({"public_key_path","kms_endpoint","attester_endpoint"}), encrypts the file with RSA-OAEP and SHA-256 to \
            that public key and writes \
            the annotation packet as base64. The packet's kid is the last component of PATH.
            """
    ).examples("wrap -infile secret -keypath keys/my-key -outfile wrapped")

    @Option(
        name: [.customLong("infile", withSingleDash: true), .customLong("infile")],
        help: ArgumentHelp("What to encrypt; - for standard input.", valueName: "file")) var infile: String

    @Option(
        name: [.customLong("keypath", withSingleDash: true), .customLong("keypath")],
        help: ArgumentHelp("Names the key: PATH-info.json says where its public half is.", valueName: "path")) var keypath: String

    @Option(
        name: [.customLong("outfile", withSingleDash: true), .customLong("outfile")],
        help: ArgumentHelp("Where to write; standard output when not given.", valueName: "file")) var outfile: String?

    @Flag(help: "Print JSON: the annotation, or the file that has it.") var json = false

    func run() throws {
        let information = try information()
        let publicKey = try InputFile.readOne(information.publicKeyPath, as: PublicKeyInput.kind, limit: 256 * 1024)
        guard case .rsa(let bits) = publicKey.kind else { throw CommandFailure(.impossible, "\(information.publicKeyPath) is no RSA key") }
        // RFC 8017, section 7.1.1: two digests and two more bytes of each block are overhead.
        let most = bits / 8 - 66
        let content = try InputFile.secret(infile, limit: 1 << 20)
        guard let wrapped = content.withUnsafeBytes({ publicKey.encryptOAEP($0, digest: .sha256) }) else {
            throw CommandFailure(
                .impossible, "\(infile) has \(content.count) bytes; a \(bits)-bit key wraps at most \(most)",
                nextStep: "wrap a symmetric key, and encrypt the data with that")
        }
        var members: [(String, JSONValue)] = [
            ("kid", .string(information.kid)), ("wrapped_data", .string(Base64.encode(wrapped))), ("wrap_type", .string("rsa_\(bits)")),
        ]
        if !information.kms.isEmpty { members.append(("kms_endpoint", .string(information.kms))) }
        if !information.attester.isEmpty { members.append(("attester_endpoint", .string(information.attester))) }
        let packet = Base64.encode(JSONValue.object(JSONObject(members)).serialized())
        if let outfile { try OutputFile.write(Array(packet.utf8), to: outfile) }
        if json {
            Console.json([
                "kid": .string(information.kid), "annotation": outfile == nil ? .string(packet) : .null,
                "file": outfile.map { .string($0) } ?? .null,
            ])
        } else if outfile == nil {
            Console.line(packet)
        }
    }

    private struct Information {
        let kid: String
        let publicKeyPath: String
        let kms: String
        let attester: String
    }

    private func information() throws -> Information {
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
