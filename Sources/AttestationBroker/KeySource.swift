import AzureKeyRelease
import Glibc
import OpenSSLCrypto
import SecureMemory

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
            guard pem == nil else {
                throw CommandFailure(.usage, "-kp gives an RSA or EC key, and the file asks for oct-HSM")
            }
            return .symmetric(try symmetric())
        case .rsa, .ec:
            guard hex == nil else {
                throw CommandFailure(.usage, "-kh gives an oct key, and the file asks for \(plan.type.rawValue)")
            }
            return .pair(try pair())
        }
    }

    private func symmetric() throws -> SecretBytes {
        guard let hex else {
            return SecretBytes(capacity: 32) { output in
                let bytes = SecureRandom.bytes(32)
                output.copyBytes(from: bytes)
                return 32
            }
        }
        let bytes: [UInt8]
        if access(hex, F_OK) == 0 {
            bytes = try InputFile.bytes(hex, limit: 4096)
        } else if let decoded = Hex.decode(hex) {
            bytes = decoded
        } else {
            // The text may be a key with a typing mistake in it, so it is not repeated.
            throw CommandFailure(.usage, "-kh is neither the name of a file nor hexadecimal text")
        }
        guard (1...ImportMaterial.maximumSymmetricBytes).contains(bytes.count) else {
            throw CommandFailure(
                .usage,
                "an oct key has 1 to \(ImportMaterial.maximumSymmetricBytes) bytes, this one has \(bytes.count)",
                nextStep: "an RSA or EC key is given with -kp, and the file says \"kty\":\"RSA-HSM\" or \"EC-HSM\"")
        }
        return SecretBytes(capacity: bytes.count) { output in
            output.copyBytes(from: bytes)
            return bytes.count
        }
    }

    private func pair() throws -> PrivateKey {
        do {
            guard let pem else {
                return plan.type == .rsa
                    ? try PrivateKey.generateRSA(bits: rsaBits)
                    : try PrivateKey.generateEC(EllipticCurve(rawValue: curve) ?? .p256)
            }
            let key = try PrivateKey(pem: try InputFile.bytes(pem, limit: 256 * 1024))
            switch (key.publicKey.kind, plan.type) {
            case (.rsa, .rsa), (.ec, .ec): return key
            default:
                throw CommandFailure(.usage, "\(pem) holds another kind of key than the file's \(plan.type.rawValue)")
            }
        } catch let error as CryptoError {
            throw CommandFailure(.impossible, "\(pem ?? "a new key"): \(error.description)")
        }
    }

    /// Writes the symmetric key, or the one that is derived from the RSA key's private exponent; returns the salt of the derivation.
    func writeSymmetric(
        of material: borrowing ImportMaterial, to path: String, replaces: Bool
    ) throws -> [UInt8]? {
        switch material {
        case .symmetric(let secret):
            try SecretFile.write(secret, to: path, replaces: replaces)
            return nil
        case .pair(let key):
            guard case .rsa = key.publicKey.kind else {
                throw CommandFailure(
                    .usage, "-out derives a symmetric key from an RSA key; there is no such rule for EC keys")
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
        case .symmetric:
            throw CommandFailure(.usage, "--private-key-file is for RSA and EC keys; -out writes a symmetric one")
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
