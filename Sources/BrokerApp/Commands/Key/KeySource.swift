internal import AzureKeyRelease
internal import Glibc
internal import OpenSSLCrypto
internal import PlainText
internal import SecureMemory

/// Where the key of an import comes from: a file, the command line, or a generator.
struct KeySource {
    let plan: ImportConfiguration
    let hex: String?
    let pem: String?
    let rsaBits: Int
    let curve: String

    func material() throws -> ImportMaterial {
        switch plan.type {
        case .oct:
            guard pem == nil else { throw CommandFailure(.usage, "-kp gives an RSA or EC key, and the file asks for oct-HSM") }
            return .symmetric(try symmetric())
        case .rsa, .ec:
            guard hex == nil else { throw CommandFailure(.usage, "-kh gives an oct key, and the file asks for \(plan.type.rawValue)") }
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
                nextStep: "an RSA or EC key is given with -kp, and the file says \"kty\":\"RSA-HSM\" or \"EC-HSM\"")
        }
        return secret
    }

    /// Whether `-kh` has the key itself, which every user of the machine can read in the list of processes.
    var isOnCommandLine: Bool { hex.map { $0 != "-" && access($0, F_OK) != 0 && Hex.decode($0) != nil } ?? false }

    private func given(_ text: String) throws -> SecretBytes {
        if text == "-" {
            let input = try InputFile.secret("-", limit: 4096)
            if let secret = Self.fromHex(input) { return secret }
            return input
        }
        if access(text, F_OK) == 0 { return try InputFile.secret(text, limit: 4096) }
        let digits = SecretBytes(capacity: text.utf8.count) { output in
            output.copyBytes(from: text.utf8)
            return text.utf8.count
        }
        // The text may be a key with a typing mistake in it, so it is not repeated.
        guard let secret = Self.fromHex(digits) else {
            throw CommandFailure(.usage, "-kh is neither the name of a file nor hexadecimal text")
        }
        return secret
    }

    /// The bytes of hexadecimal text, with or without a line end; `nil` for anything else.
    static func fromHex(_ text: borrowing SecretBytes) -> SecretBytes? {
        text.withUnsafeBytes { bytes in
            var digits = bytes[...]
            while let last = digits.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { digits = digits.dropLast() }
            guard !digits.isEmpty, digits.count.isMultiple(of: 2), digits.allSatisfy({ $0.hexDigitValue != nil }) else { return nil }
            return SecretBytes(capacity: digits.count / 2) { output in
                for (position, digit) in digits.enumerated() {
                    output[position / 2] = output[position / 2] << 4 | (digit.hexDigitValue ?? 0)
                }
                return output.count
            }
        }
    }

    private func pair() throws -> PrivateKey {
        do {
            guard let pem else {
                return plan.type == .rsa
                    ? try PrivateKey.generateRSA(bits: rsaBits) : try PrivateKey.generateEC(EllipticCurve(rawValue: curve) ?? .p256)
            }
            let text = try InputFile.secret(pem, limit: 256 * 1024)
            let key = try text.withUnsafeBytes { bytes throws(CryptoError) in try PrivateKey(pem: bytes) }
            switch (key.publicKey.kind, plan.type) {
            case (.rsa, .rsa), (.ec, .ec): return key
            default: throw CommandFailure(.usage, "\(pem) holds another kind of key than the file's \(plan.type.rawValue)")
            }
        } catch let error as CryptoError { throw CommandFailure(.impossible, "\(pem ?? "a new key"): \(error.description)") }
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
