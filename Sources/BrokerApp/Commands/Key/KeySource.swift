internal import ArgumentParser
internal import AzureKeyRelease
internal import Glibc
internal import InputReading
internal import OpenSSLCrypto
internal import SecureMemory

/// Where the key of an import comes from: a file, the command line, or a generator.
struct KeySource {
    /// What the bytes of a file with a symmetric key are.
    enum Form: String, ExpressibleByArgument, CaseIterable { case raw, hex, base64 }

    let plan: ImportConfiguration
    let hex: String?
    let form: Form?
    let pem: String?
    let rsaBits: Int
    let curve: String

    func material() throws -> ImportMaterial {
        switch plan.type {
        case .oct:
            guard pem == nil else { throw CommandFailure(.usage, "-kp gives an RSA or EC key, and the key is to be oct-HSM") }
            return .symmetric(try symmetric())
        case .rsa, .ec:
            guard hex == nil else { throw CommandFailure(.usage, "-kh gives an oct key, and the key is to be \(plan.type.rawValue)") }
            return .pair(try pair())
        }
    }

    private func symmetric() throws -> SecretBytes {
        guard let hex else {
            return SecretBytes(capacity: 32) { output in
                var bytes = SecureRandom.bytes(32)
                defer { bytes.withUnsafeMutableBytes { wipe($0) } }
                output.copyBytes(from: bytes)
                return 32
            }
        }
        let secret = try given(hex)
        guard (1...ImportMaterial.maximumSymmetricBytes).contains(secret.count) else {
            throw CommandFailure(
                .usage, "an oct key has 1 to \(ImportMaterial.maximumSymmetricBytes) bytes, this one has \(secret.count)",
                nextStep: "an RSA or EC key is given with -kp, and kty is RSA-HSM or EC-HSM")
        }
        return secret
    }

    /// Whether `-kh` has the key itself, which every user of the machine can read in the list of processes.
    var isOnCommandLine: Bool { hex.map { $0 != "-" && access($0, F_OK) != 0 && Hex.decode($0) != nil } ?? false }

    private func given(_ text: String) throws -> SecretBytes {
        if text == "-" {
            let input = try InputFile.secret("-", limit: 4096)
            if form == nil, let secret = input.withUnsafeBytes({ SecretText.decoded($0, from: .hex) }) { return secret }
            return try read(consume input, "standard input")
        }
        if access(text, F_OK) == 0 { return try read(try InputFile.secret(text, limit: 4096), text) }
        let digits = SecretBytes(capacity: text.utf8.count) { output in
            output.copyBytes(from: text.utf8)
            return text.utf8.count
        }
        // The text may be a key with a typing mistake in it, so it is not repeated.
        guard let secret = digits.withUnsafeBytes({ SecretText.decoded($0, from: .hex) }) else {
            throw CommandFailure(.usage, "-kh is neither the name of a file nor hexadecimal text")
        }
        return secret
    }

    /// The key of a file. Text that stands for other bytes is a key of either reading, and the wrong one would be imported unnoticed.
    private func read(_ content: consuming SecretBytes, _ name: String) throws -> SecretBytes {
        if let form {
            guard let wanted = SecretText.Encoding(rawValue: form.rawValue) else { return content }
            guard let secret = content.withUnsafeBytes({ SecretText.decoded($0, from: wanted) }) else {
                throw CommandFailure(.impossible, "\(name) is no text in \(wanted)")
            }
            return secret
        }
        guard let encoding = content.withUnsafeBytes(SecretText.encoding) else { return content }
        let count = content.withUnsafeBytes { bytes -> Int in
            if let secret = SecretText.decoded(bytes, from: encoding) { secret.count } else { 0 }
        }
        throw CommandFailure(
            .impossible, "\(name) is text in \(encoding == .hex ? "hexadecimal" : "base64"), so it could be two keys",
            nextStep:
                "--key-form \(encoding.rawValue) takes the \(count) bytes that it stands for, --key-form raw the \(content.count) bytes "
                + "of the text itself")
    }

    private func pair() throws -> PrivateKey {
        guard let pem else {
            return plan.type == .rsa
                ? try PrivateKey.generateRSA(bits: rsaBits) : try PrivateKey.generateEC(EllipticCurve(rawValue: curve) ?? .p256)
        }
        let key: PrivateKey
        do { key = try PrivateKeyInput.read(InputFile.secret(pem, limit: 256 * 1024)) } catch let refusal as InputRefusal {
            throw InputFile.failure(pem, refusal)
        }
        switch (key.publicKey.kind, plan.type) {
        case (.rsa, .rsa), (.ec, .ec): return key
        default: throw CommandFailure(.usage, "\(pem) holds another kind of key than \(plan.type.rawValue)")
        }
    }

    /// Writes the symmetric key, or the one that is derived from the RSA key's private exponent; returns the salt of the derivation.
    func writeSymmetric(of material: borrowing ImportMaterial, to path: String, replaces: Bool) throws -> [UInt8]? {
        switch material {
        case .symmetric(let secret):
            try SecretFile.write(secret, to: path, replaces: replaces)
            return nil
        case .pair(let key):
            guard case .rsa = key.publicKey.kind else {
                throw CommandFailure(.usage, "-out derives a symmetric key from an RSA key; there is no such rule for EC keys")
            }
            let salt = plan.salt ?? SecureRandom.bytes(32)
            try SecretFile.write(try derived(from: key, salt), to: path, replaces: replaces)
            return salt
        }
    }

    private func derived(from key: PrivateKey, _ salt: [UInt8]) throws -> SecretBytes {
        let numbers = try PrivateKeyNumbers(key)
        // The exponent as the JWK has it: big-endian, without leading zeros.
        let derived = try numbers.withNumber("d") { d throws(CryptoError) in
            Box(try HKDF.sha256(secret: d, salt: salt, info: Array(plan.label.utf8), count: 32))
        }
        guard let secret = derived?.take() else { throw CommandFailure(.impossible, "the key has no private exponent") }
        return secret
    }

    func writePrivate(_ material: borrowing ImportMaterial, to path: String, replaces: Bool) throws {
        switch material {
        case .symmetric: throw CommandFailure(.usage, "--private-key-file is for RSA and EC keys; -out writes a symmetric one")
        case .pair(let key): try SecretFile.write(try key.pem(), to: path, replaces: replaces)
        }
    }

    /// Carries a secret out of a closure whose result must be copyable.
    private final class Box {
        private var secret: SecretBytes?
        init(_ secret: consuming SecretBytes) { self.secret = consume secret }
        func take() -> SecretBytes? { secret.take() }
    }
}
