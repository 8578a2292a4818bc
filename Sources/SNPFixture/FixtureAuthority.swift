internal import Dispatch
internal import Issuing
package import OpenSSLCrypto
package import SNPReport
internal import Synchronization
internal import Waiting

/// Why fixture material could not be made, read or kept.
package struct FixtureError: Error, Sendable, CustomStringConvertible {
    /// One sentence that may be shown; names files, never key material.
    package let description: String

    package init(_ description: String) { self.description = description }

    init(_ error: CryptoError, during action: String) { self.init("\(action): \(error)") }
}

/// A stand-in for AMD's key hierarchy: a root and an intermediate with the real names, key sizes, signatures and extensions, but an
/// organization that says what they are. Nobody trusts the root unless told to.
package struct FixtureAuthority: Sendable {
    /// What stands where AMD's certificates say "Advanced Micro Devices".
    package static let organization = "attestation-broker fixture, not AMD"

    package let product: ProcessorProduct
    /// `ARK-Milan`, self-signed.
    package let root: Certificate
    /// `SEV-Milan` (ASK), signed by the root.
    package let intermediate: Certificate
    let intermediateKey: PrivateKey
    /// Signs revocation lists, where it is at hand.
    let rootKey: PrivateKey?

    /// Makes new keys and certificates. Takes seconds of computing on two threads, one of them the caller's: not for Swift's cooperative
    /// pool. `now` is in seconds since 1970; the certificates are valid from a day before for 25 years, as AMD's are.
    package static func generate(product: ProcessorProduct, now: Int64) throws(FixtureError) -> FixtureAuthority {
        try FixtureKeys.generate().authority(product: product, now: now)
    }

    /// What `keys` certify, with certificates made now.
    init(keys: FixtureKeys, product: ProcessorProduct, now: Int64) throws(FixtureError) {
        let serial: UInt64 =
            switch product {
            case .milan: 0x10000
            case .genoa: 0x20000
            case .turin: 0x30000
            default: 0x40000
            }
        do throws(CryptoError) {
            var builder = CertificateBuilder(
                subject: Self.name("ARK-\(product.rawValue)"), issuer: Self.name("ARK-\(product.rawValue)"), notBefore: now - 86_400,
                notAfter: now + 25 * 31_557_600)
            builder.serial = serial
            builder.isCertificateAuthority = true
            builder.keyUsage = [.keyCertSign, .cRLSign]
            root = try builder.sign(publicKey: keys.root.publicKey, with: keys.root, algorithm: .rsaPSS(.sha384))
            builder.subject = Self.name("SEV-\(product.rawValue)")
            builder.serial = serial + 1
            builder.pathLength = 0
            builder.keyUsage = [.keyCertSign]
            intermediate = try builder.sign(publicKey: keys.intermediate.publicKey, with: keys.root, algorithm: .rsaPSS(.sha384))
        } catch { throw FixtureError(error, during: "making the fixture authority's certificates") }
        self.product = product
        intermediateKey = keys.intermediate
        rootKey = keys.root
    }

    init(product: ProcessorProduct, root: Certificate, intermediate: Certificate, intermediateKey: PrivateKey, rootKey: PrivateKey?) {
        self.product = product
        self.root = root
        self.intermediate = intermediate
        self.intermediateKey = intermediateKey
        self.rootKey = rootKey
    }

    /// A revocation list of the root in DER, of a day ago and in force for seven weeks, as AMD's are. Names the intermediate on request.
    package func revocationList(revokingIntermediate: Bool = false, now: Int64) throws(FixtureError) -> [UInt8] {
        guard let rootKey else { throw FixtureError("the fixture's root key is not there, so it signs no revocation list") }
        var builder = RevocationListBuilder(
            issuer: Self.name("ARK-\(product.rawValue)"), thisUpdate: now - 86_400, nextUpdate: now + 48 * 86_400)
        if revokingIntermediate, let serial = UInt64(intermediate.serialNumberHex, radix: 16) { builder.revoked = [serial] }
        do throws(CryptoError) { return try builder.sign(with: rootKey, algorithm: .rsaPSS(.sha384)) } catch {
            throw FixtureError(error, during: "making the fixture's revocation list")
        }
    }

    /// AMD's attributes in AMD's order, except for the organization.
    static func name(_ commonName: String) -> [(String, String)] {
        [("OU", "Engineering"), ("C", "US"), ("L", "Santa Clara"), ("ST", "CA"), ("O", organization), ("CN", commonName)]
    }
}

/// The two RSA keys of an authority.
struct FixtureKeys {
    let root: PrivateKey
    let intermediate: PrivateKey

    /// AMD's authorities have RSA keys of 4096 bits.
    static let bits = 4096

    /// Makes both at the same time, one on a thread of its own. Blocks the caller's.
    static func generate() throws(FixtureError) -> FixtureKeys {
        let (root, intermediate) = both { Result { () throws(CryptoError) in try PrivateKey.generateRSA(bits: bits) } }
        do throws(CryptoError) { return FixtureKeys(root: try root.get(), intermediate: try intermediate.get()) } catch {
            throw FixtureError(error, during: "making the fixture authority's keys")
        }
    }

    /// Runs `body` twice at the same time, here and on a new thread, and waits for both.
    private static func both<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> (Value, Value) {
        let (slot, isDone) = (Slot<Value>(), DispatchSemaphore(value: 0))
        let isStarted = BackgroundThread.start {
            let value = body()
            slot.value.withLock { $0 = value }
            isDone.signal()
        }
        let here = body()
        if isStarted { isDone.wait() }
        return (here, slot.value.withLock { $0 } ?? body())
    }

    private final class Slot<Value: Sendable>: Sendable { let value = Mutex<Value?>(nil) }

    func authority(product: ProcessorProduct, now: Int64) throws(FixtureError) -> FixtureAuthority {
        try FixtureAuthority(keys: self, product: product, now: now)
    }
}
