internal import Issuing
internal import Glibc
internal import OpenSSLCrypto
internal import SecureMemory

/// When the certificates of the simulators are valid: by the real clock, which TLS clients go by, and by the configured one, which tokens
/// go by.
struct CertificateValidity: Sendable {
    enum Life: Int64, Sendable {
        case authority = 10
        case signer = 5
        case server = 2
    }

    private static let day: Int64 = 86_400

    private let earliest: Int64
    private let latest: Int64

    init(clock: Int64) {
        let real = Int64(time(nil))
        earliest = min(real, clock)
        latest = max(real, clock)
    }

    var notBefore: Int64 { max(0, earliest - Self.day) }

    func notAfter(_ life: Life) -> Int64 { latest + life.rawValue * 365 * Self.day }

    /// Whether a certificate from an earlier start can still be used.
    func covers(_ certificate: Certificate) -> Bool { certificate.isValid(at: earliest) && certificate.isValid(at: latest) }
}

/// A key with its certificate, kept from one start to the next where there is a directory.
struct StoredIdentity: Sendable {
    let key: PrivateKey
    let certificate: Certificate

    /// Reads `NAME.key` and `NAME.crt`, or makes both; also where the stored certificate is of no use any more.
    static func loadOrMake(
        _ name: String, in directory: StateDirectory?, isUsable: (Certificate) -> Bool, make: () throws(CryptoError) -> StoredIdentity
    ) throws(SimulatorError) -> StoredIdentity {
        do {
            if let directory, let stored = try load(name, from: directory), isUsable(stored.certificate) { return stored }
            let made = try make()
            if let directory {
                let pem = try made.key.pem()
                try pem.withUnsafeBytes { bytes throws(SimulatorError) in try directory.write("\(name).key", bytes) }
                try directory.write("\(name).crt", Array(made.certificate.pem.utf8))
            }
            return made
        } catch let error as SimulatorError { throw error } catch { throw SimulatorError("cannot make the key \(name): \(error)") }
    }

    /// An RSA key that signs tokens, with a certificate that it signed itself.
    static func selfSigned(
        _ name: String, commonName: String, in directory: StateDirectory?, validity: CertificateValidity,
        makeKey: () throws(CryptoError) -> PrivateKey
    ) throws(SimulatorError) -> StoredIdentity {
        try loadOrMake(name, in: directory, isUsable: validity.covers) { () throws(CryptoError) in
            let key = try makeKey()
            let subject = [("CN", CertificateName.common(commonName))]
            var builder = CertificateBuilder(
                subject: subject, issuer: subject, notBefore: validity.notBefore, notAfter: validity.notAfter(.signer))
            builder.serial = UInt64.random(in: 1...UInt64(Int64.max))
            return StoredIdentity(
                key: key, certificate: try builder.sign(publicKey: key.publicKey, with: key, algorithm: .rsaPKCS1(.sha256)))
        }
    }

    private static func load(_ name: String, from directory: StateDirectory) throws -> StoredIdentity? {
        guard var pem = try directory.read("\(name).key"), let text = try directory.read("\(name).crt") else { return nil }
        defer { pem.withUnsafeMutableBytes { wipe($0) } }
        do {
            let key = try PrivateKey(pem: pem)
            let certificate = try Certificate.parse(pemOrDER: text, maximumCount: 1)
            guard let certificate = certificate.first, try certificate.publicKey == key.publicKey else {
                throw SimulatorError("\(directory.path)/\(name).key does not belong to \(name).crt; remove both")
            }
            return StoredIdentity(key: key, certificate: certificate)
        } catch let error as CryptoError {
            throw SimulatorError("cannot read \(directory.path)/\(name).key and .crt: \(error.reason); remove both")
        }
    }
}
