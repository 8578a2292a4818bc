public import OpenSSLCrypto
public import SNPReport
internal import SecureMemory

/// A directory that keeps a fixture authority, so that a broker and a simulator in different processes share one root.
///
/// It holds `fixture-ark.pem` and `fixture-ask.pem` (certificates), `fixture-ark.key` and `fixture-ask.key` (private keys, mode 0600).
/// The root certificate is written last: where it is, the rest is complete.
public struct AuthorityDirectory: Sendable {
    public static let rootFile = "fixture-ark.pem"
    static let intermediateFile = "fixture-ask.pem"
    static let rootKeyFile = "fixture-ark.key"
    static let intermediateKeyFile = "fixture-ask.key"
    static let lockFile = "fixture.lock"

    public let path: String

    public init(_ path: String) {
        self.path = path
    }

    /// The root that is kept here, for those who only want to trust it.
    public func root() throws(FixtureError) -> Certificate {
        try certificate(Self.rootFile)
    }

    /// The authority that is kept here, made first when there is none. Blocks: for seconds while keys are made, here or in another process.
    public func authority(product: ProcessorProduct, now: Int64) throws(FixtureError) -> FixtureAuthority {
        try PrivateFile.makeDirectory(path)
        let lock = try FileLock(file(Self.lockFile))
        defer { lock.release() }
        guard PrivateFile.exists(file(Self.rootFile)) else {
            let keys = try AuthorityKeys.generate()
            let authority = try keys.authority(product: product, now: now)
            try keep(authority, keys)
            return authority
        }
        return try load(product: product)
    }

    private func load(product: ProcessorProduct) throws(FixtureError) -> FixtureAuthority {
        let root = try root()
        guard root.subjectCommonName == "ARK-\(product.rawValue)" else {
            throw FixtureError(
                "\(file(Self.rootFile)) is for another product (\(root.subjectCommonName ?? "no name")); choose another directory or that product"
            )
        }
        let intermediate = try certificate(Self.intermediateFile)
        let keyFile = file(Self.intermediateKeyFile)
        var pem = try PrivateFile.read(keyFile, limit: 64 * 1024)
        defer { pem.withUnsafeMutableBytes { wipe($0) } }
        let key: PrivateKey
        do throws(CryptoError) { key = try PrivateKey(pem: pem) } catch {
            throw FixtureError("\(keyFile) is not a private key in PEM form")
        }
        let isPair = (try? intermediate.publicKey.subjectPublicKeyInfo) == key.publicKey.subjectPublicKeyInfo
        guard isPair, intermediate.isSigned(by: root) else {
            throw FixtureError("the files of the fixture authority in \(path) do not belong together; remove them")
        }
        return FixtureAuthority(product: product, root: root, intermediate: intermediate, intermediateKey: key)
    }

    /// Writes the authority's files; the caller holds the lock.
    func keep(_ authority: FixtureAuthority, _ keys: AuthorityKeys) throws(FixtureError) {
        for (name, key) in [(Self.rootKeyFile, keys.root), (Self.intermediateKeyFile, keys.intermediate)] {
            let pem: SecretBytes
            do throws(CryptoError) { pem = try key.pem() } catch {
                throw FixtureError(error, during: "encoding the fixture authority's key")
            }
            try pem.withUnsafeBytes { (bytes) throws(FixtureError) in
                try PrivateFile.write(bytes, to: file(name), mode: 0o600)
            }
        }
        try write(authority.intermediate, to: Self.intermediateFile)
        try write(authority.root, to: Self.rootFile)
    }

    private func write(_ certificate: Certificate, to name: String) throws(FixtureError) {
        try PrivateFile.write(Array(certificate.pem.utf8), to: file(name), mode: 0o644)
    }

    private func certificate(_ name: String) throws(FixtureError) -> Certificate {
        let content = try PrivateFile.read(file(name), limit: 64 * 1024)
        do throws(CryptoError) {
            let certificates = try Certificate.parse(pemOrDER: content, maximumCount: 1)
            if let first = certificates.first { return first }
        } catch { throw FixtureError("\(file(name)): \(error)") }
        throw FixtureError("\(file(name)) holds no certificate")
    }

    private func file(_ name: String) -> String { path + "/" + name }
}
