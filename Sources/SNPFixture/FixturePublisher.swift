package import Issuing
internal import OpenSSLCrypto
package import UVMEndorsements

/// The publisher that endorses fixture guests as Microsoft endorses utility VMs. It is kept beside the authority, as `fixture-uvm.pem`
/// (leaf, authority, root) and `fixture-uvm.key`, so that a simulator in another process can believe it.
extension FixtureDirectory {
    static let publisherFile = "fixture-uvm.pem"
    static let publisherKeyFile = "fixture-uvm.key"

    /// The publisher that is kept here, made first when there is none that is valid.
    package func publisher(now: Int64) throws(FixtureError) -> UVMFixture {
        try PrivateFile.makeDirectory(path)
        let lock = try FileLock(file(Self.lockFile))
        defer { lock.release() }
        if let kept = try keptPublisher(now: now) { return kept }
        let made = try Self.makePublisher(now: now)
        try keep(made.key, as: Self.publisherKeyFile)
        let text = made.certificates.map(\.pem).joined(separator: "\n")
        try PrivateFile.write(Array(text.utf8), to: file(Self.publisherFile), mode: 0o644)
        return made
    }

    /// What simulators have to trust.
    package func trustedIssuer(now: Int64) throws(FixtureError) -> TrustedIssuer { try publisher(now: now).trustedIssuer }

    /// A publisher that is kept nowhere, valid for seven years from a day before `now` (seconds since 1970).
    package static func makePublisher(now: Int64) throws(FixtureError) -> UVMFixture {
        do throws(CryptoError) { return try UVMFixture(notBefore: now - 86_400, notAfter: now + 7 * 31_557_600) } catch {
            throw FixtureError(error, during: "making the fixture's publisher of UVM endorsements")
        }
    }

    /// `nil` where none is kept, or one that has expired. One that cannot be read is an error: others may trust it, and no other instead.
    private func keptPublisher(now: Int64) throws(FixtureError) -> UVMFixture? {
        guard PrivateFile.exists(file(Self.publisherFile)) else { return nil }
        let text = try PrivateFile.read(file(Self.publisherFile), limit: 64 * 1024)
        let key = try privateKey(Self.publisherKeyFile)
        do throws(CryptoError) {
            let chain = try Certificate.parse(pemOrDER: text, maximumCount: 3)
            guard chain.count == 3, chain.allSatisfy({ $0.isValid(at: now) }), try chain[0].publicKey == key.publicKey else { return nil }
            return try UVMFixture(key: key, certificates: chain, issuer: UVMFixture.issuer(under: chain[2]))
        } catch { throw FixtureError(error, during: "reading \(file(Self.publisherFile))") }
    }
}
