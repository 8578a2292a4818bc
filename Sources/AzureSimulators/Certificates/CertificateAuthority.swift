internal import Issuing
internal import OpenSSLCrypto
internal import Synchronization

/// A key that signs release answers, with its chain: leaf, issuing authority, root.
struct ReleaseSigner: Sendable {
    let key: PrivateKey
    let leaf: Certificate
    let issuers: [Certificate]

    var chain: [Certificate] { [leaf] + issuers }
}

/// The simulators' own authority: a root for the clients' trust store, and an issuing one that signs servers and release answers.
final class CertificateAuthority: Sendable {
    /// More release signers than this are not made.
    static let maximumSigners = 100

    let root: StoredIdentity
    private let issuing: StoredIdentity
    private let validity: CertificateValidity
    private let makeSignerKey: @Sendable () throws(CryptoError) -> PrivateKey
    private let signers = Mutex<[String: Task<ReleaseSigner, any Error>]>([:])

    private static let organization = ("O", "attestation-broker simulators")
    private static let rootName = [organization, ("CN", "Simulated Azure Root CA")]
    private static let issuingName = [organization, ("CN", "Simulated Azure Issuing CA 01")]

    init(
        directory: StateDirectory?, validity: CertificateValidity, makeSignerKey: @escaping @Sendable () throws(CryptoError) -> PrivateKey
    ) throws(SimulatorError) {
        self.validity = validity
        self.makeSignerKey = makeSignerKey
        let root = try StoredIdentity.loadOrMake("root", in: directory, isUsable: validity.covers) { () throws(CryptoError) in
            let key = try PrivateKey.generateEC(.p256)
            let builder = Self.authority(Self.rootName, Self.rootName, pathLength: 1, validity)
            return StoredIdentity(key: key, certificate: try builder.sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256)))
        }
        self.root = root
        // The stored one is of no use once the root was made anew.
        issuing = try StoredIdentity.loadOrMake(
            "issuing", in: directory, isUsable: { validity.covers($0) && $0.isSigned(by: root.certificate) }
        ) { () throws(CryptoError) in
            let key = try PrivateKey.generateEC(.p256)
            let builder = Self.authority(Self.issuingName, Self.rootName, pathLength: 0, validity)
            return StoredIdentity(
                key: key, certificate: try builder.sign(publicKey: key.publicKey, with: root.key, algorithm: .ecdsa(.sha256)))
        }
    }

    /// A file with somebody else's certificate is theirs to keep; one of an earlier start is replaced.
    static func refuseToReplace(_ file: String) throws(SimulatorError) {
        guard let content = try StateDirectory.content(of: file) else { return }
        let own = try? Certificate.parse(pemOrDER: content, maximumCount: 1).first?.subjectCommonName
        guard own == rootName.last?.1 else {
            throw SimulatorError("\(file) is not from these simulators and is left as it is; choose another directory or move the file")
        }
    }

    private static func authority(
        _ subject: [(String, String)], _ issuer: [(String, String)], pathLength: Int, _ validity: CertificateValidity
    ) -> CertificateBuilder {
        var builder = CertificateBuilder(
            subject: subject, issuer: issuer, notBefore: validity.notBefore, notAfter: validity.notAfter(.authority))
        builder.serial = UInt64.random(in: 1...UInt64(Int64.max))
        builder.isCertificateAuthority = true
        builder.pathLength = pathLength
        builder.keyUsage = [.keyCertSign, .cRLSign]
        return builder
    }

    // MARK: Server

    /// A key and the certificates that a TLS server shows: leaf, issuing authority.
    func serverIdentity(names: [String]) throws(SimulatorError) -> (key: PrivateKey, chain: [Certificate]) {
        do {
            let key = try PrivateKey.generateEC(.p256)
            let leaf = try sign(
                key, commonName: "localhost", names: names + ["127.0.0.1", "::1"], life: .server, extendedKeyUsage: ["1.3.6.1.5.5.7.3.1"])
            return (key, [leaf, issuing.certificate])
        } catch { throw SimulatorError("cannot make the server certificate: \(error)") }
    }

    // MARK: Release signers

    /// The signer for a common name; made at the first call, the same one afterwards.
    func releaseSigner(commonName: String, names: [String]) async throws(SimulatorError) -> ReleaseSigner {
        let task = signers.withLock { signers -> Task<ReleaseSigner, any Error>? in
            if let task = signers[commonName] { return task }
            guard signers.count < Self.maximumSigners else { return nil }
            let task = Task { [self] in try await offload { [self] in try makeReleaseSigner(commonName, names) } }
            signers[commonName] = task
            return task
        }
        guard let task else { throw SimulatorError("too many key stores") }
        do { return try await task.value } catch {
            signers.withLock { $0[commonName] = nil }
            throw SimulatorError("cannot make the signing key of \(commonName): \(error)")
        }
    }

    private func makeReleaseSigner(_ commonName: String, _ names: [String]) throws(CryptoError) -> ReleaseSigner {
        // Release answers are RS256.
        let key = try makeSignerKey()
        let leaf = try sign(
            key, commonName: commonName, names: names, life: .signer, extendedKeyUsage: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"])
        return ReleaseSigner(key: key, leaf: leaf, issuers: [issuing.certificate, root.certificate])
    }

    private func sign(_ key: PrivateKey, commonName: String, names: [String], life: CertificateValidity.Life, extendedKeyUsage: [String])
        throws(CryptoError) -> Certificate
    {
        var builder = CertificateBuilder(
            subject: [("CN", CertificateName.common(commonName))], issuer: Self.issuingName, notBefore: validity.notBefore,
            notAfter: validity.notAfter(life))
        builder.serial = UInt64.random(in: 1...UInt64(Int64.max))
        builder.isCertificateAuthority = false
        builder.keyUsage = [.digitalSignature]
        builder.dnsNames = names
        builder.extendedKeyUsage = extendedKeyUsage
        return try builder.sign(publicKey: key.publicKey, with: issuing.key, algorithm: .ecdsa(.sha256))
    }
}

enum CertificateName {
    /// A common name has at most 64 characters (RFC 5280, appendix A.1); what is longer is cut, since the alternative names are what
    /// clients compare.
    static func common(_ text: String) -> String { String(text.prefix(64)) }
}
