package import OpenSSLCrypto
package import SNPReport
internal import SecureMemory

/// A directory that keeps a fixture authority, so that a broker and a simulator in different processes share one root.
///
/// It holds `fixture-ark.pem` and `fixture-ask.pem` (certificates), `fixture-ark.key` and `fixture-ask.key` (private keys, mode 0600).
/// The root certificate is written last: where it is, the rest is complete. A chip is kept beside it, as `fixture-vcek-TCB.pem` and `.key`,
/// because signing its certificate takes longer than all else that a broker does before it is ready.
package struct FixtureDirectory: Sendable {
    package static let rootFile = "fixture-ark.pem"
    static let intermediateFile = "fixture-ask.pem"
    static let rootKeyFile = "fixture-ark.key"
    static let intermediateKeyFile = "fixture-ask.key"
    static let lockFile = "fixture.lock"

    package let path: String

    package init(_ path: String) { self.path = path }

    /// The root that is kept here, for those who only want to trust it.
    package func root() throws(FixtureError) -> Certificate { try certificate(Self.rootFile) }

    /// The authority that is kept here, made first when there is none. Blocks: for seconds while keys are made, here or in another process.
    package func authority(product: ProcessorProduct, now: Int64) throws(FixtureError) -> FixtureAuthority {
        try PrivateFile.makeDirectory(path)
        let lock = try FileLock(file(Self.lockFile))
        defer { lock.release() }
        return try loadOrMake(product: product, now: now)
    }

    /// The chip at `tcb`, by default the product's usual one, that is kept here; made first when there is none, and anew when its
    /// certificate is not valid or not of this authority. Blocks as `authority` does.
    package func chip(product: ProcessorProduct, tcb: TCBVersion? = nil, now: Int64) throws(FixtureError) -> FixtureChip {
        let tcb = tcb ?? FixtureChip.defaultTCB(for: product)
        try PrivateFile.makeDirectory(path)
        let lock = try FileLock(file(Self.lockFile))
        defer { lock.release() }
        if let kept = try? keptChip(product: product, tcb: tcb, now: now) { return kept }
        let chip = try FixtureChip(authority: try loadOrMake(product: product, now: now), tcb: tcb, now: now)
        try keep(chip.key, as: Self.chipFile(tcb) + ".key")
        try write(chip.chain[0], to: Self.chipFile(tcb) + ".pem")
        return chip
    }

    private static func chipFile(_ tcb: TCBVersion) -> String { "fixture-vcek-" + tcb.hex }

    private func keptChip(product: ProcessorProduct, tcb: TCBVersion, now: Int64) throws(FixtureError) -> FixtureChip? {
        guard PrivateFile.exists(file(Self.chipFile(tcb) + ".pem")) else { return nil }
        let leaf = try certificate(Self.chipFile(tcb) + ".pem")
        let root = try root()
        let intermediate = try certificate(Self.intermediateFile)
        let key = try privateKey(Self.chipFile(tcb) + ".key")
        let isPair = (try? leaf.publicKey) == key.publicKey
        guard isPair, root.subjectCommonName == "ARK-\(product.rawValue)", leaf.isValid(at: now), intermediate.isSigned(by: root),
            leaf.isSigned(by: intermediate)
        else { return nil }
        return FixtureChip(product: product, tcb: tcb, chain: [leaf, intermediate, root], key: key, root: root)
    }

    private func loadOrMake(product: ProcessorProduct, now: Int64) throws(FixtureError) -> FixtureAuthority {
        guard PrivateFile.exists(file(Self.rootFile)) else {
            let keys = try FixtureKeys.generate()
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
                "\(file(Self.rootFile)) is for another product (\(root.subjectCommonName ?? "no name")); choose another directory or "
                    + "that product"
            )
        }
        let intermediate = try certificate(Self.intermediateFile)
        let key = try privateKey(Self.intermediateKeyFile)
        let isPair = (try? intermediate.publicKey) == key.publicKey
        guard isPair, intermediate.isSigned(by: root) else {
            throw FixtureError("the files of the fixture authority in \(path) do not belong together; remove them")
        }
        return FixtureAuthority(
            product: product, root: root, intermediate: intermediate, intermediateKey: key, rootKey: try? privateKey(Self.rootKeyFile))
    }

    /// Writes the authority's files; the caller holds the lock.
    func keep(_ authority: FixtureAuthority, _ keys: FixtureKeys) throws(FixtureError) {
        try keep(keys.root, as: Self.rootKeyFile)
        try keep(keys.intermediate, as: Self.intermediateKeyFile)
        try write(authority.intermediate, to: Self.intermediateFile)
        try write(authority.root, to: Self.rootFile)
    }

    func keep(_ key: PrivateKey, as name: String) throws(FixtureError) {
        let pem: SecretBytes
        do throws(CryptoError) { pem = try key.pem() } catch { throw FixtureError(error, during: "encoding \(file(name))") }
        try pem.withUnsafeBytes { (bytes) throws(FixtureError) in try PrivateFile.write(bytes, to: file(name), mode: 0o600) }
    }

    func privateKey(_ name: String) throws(FixtureError) -> PrivateKey {
        var pem = try PrivateFile.read(file(name), limit: 64 * 1024)
        defer { pem.withUnsafeMutableBytes { wipe($0) } }
        do throws(CryptoError) { return try PrivateKey(pem: pem) } catch {
            throw FixtureError("\(file(name)) is not a private key in PEM form: \(error.reason)")
        }
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

    func file(_ name: String) -> String { path + "/" + name }
}
