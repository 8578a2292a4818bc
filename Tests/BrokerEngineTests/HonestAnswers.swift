import AttestationTokens
import Issuing
import BrokerCore
import BrokerTestKit
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SNPReport
import SecureMemory
import StrictJSON

/// What providers that keep to their contracts would answer; tests change one thing in them.
enum Honest {
    static let version = SampleKey.version
    static let tcb = TCBVersion(raw: 0x7308_0000_0000_0003)
    /// RSA, EC and oct keys, made once.
    static let keys = Result { try SampleKey.all() }

    static func key(_ type: WrappedKey.KeyType) throws -> SampleKey {
        guard let key = try keys.get().first(where: { $0.type == type }) else { throw Missing() }
        return key
    }

    struct Missing: Error {}

    static func report(_ binding: ReportData) -> [UInt8] {
        var report = ReportBuilder()
        report.reportData = binding.bytes
        report.setEveryTCB(tcb)
        return report.unsignedBytes()
    }

    static func evidence(
        _ binding: ReportData, report: [UInt8]? = nil, endorsements: [[UInt8]] = [[1, 2, 3]], tcb: String? = nil,
        provenance: Evidence.Provenance = .fixture
    ) -> Evidence {
        Evidence(
            report: report ?? Self.report(binding), endorsements: endorsements, endorsedTCB: tcb ?? Self.tcb.hex, provenance: provenance)
    }

    /// Claims that repeat `runtime`, with further members in front, of a token that lives for so many seconds.
    static func compact(runtime: String, also members: String = "", lifetime: Int64 = 1) -> String {
        compact(claims: #"\#(members)"x-ms-runtime":\#(runtime)"#, lifetime: lifetime)
    }

    /// Exactly these members, and a time.
    static func compact(claims: String, lifetime: Int64 = 1) -> String {
        let expiry = ManualClock().now() + lifetime
        return JWSBuilder.unsecured(payload: Array(#"{"exp":\#(expiry)\#(claims.isEmpty ? "" : ",")\#(claims)}"#.utf8))
    }

    static func token(_ runtime: RuntimeData, _ authority: Endpoint, compact: String? = nil, lifetime: Int64 = 1) throws(BrokerError)
        -> AttestationToken
    {
        let honest = Self.compact(runtime: String(decoding: runtime.bytes, as: UTF8.self), lifetime: lifetime)
        return try AttestationToken(compact: compact ?? honest, authority: authority)
    }

    /// `content` wrapped to the first key that the token names.
    static func ciphertext(_ content: [UInt8], for token: AttestationToken, using algorithm: KeyWrapAlgorithm = .rsaAESKeyWrap256)
        throws(BrokerError) -> [UInt8]
    {
        do {
            let keys = try JSONCursor(.object(token.content.claims)).member("x-ms-runtime").array("keys")
            guard let first = keys.first else { throw Missing() }
            return try wrap(content, to: try JWK(first).publicKey, using: algorithm)
        } catch { throw BrokerError(.internal, at: .startup, "the test cannot wrap: \(error)") }
    }

    static func wrap(_ content: [UInt8], to key: PublicKey, using algorithm: KeyWrapAlgorithm) throws(CryptoError) -> [UInt8] {
        let secret = SecretBytes(capacity: content.count) { memory in
            memory.copyBytes(from: content)
            return content.count
        }
        return try KeyWrap.wrap(secret, to: key, using: algorithm)
    }

    static func wrapped(_ reference: KeyReference, _ token: AttestationToken, _ key: SampleKey) throws(BrokerError) -> WrappedKey {
        WrappedKey(
            keyID: keyID(reference), type: key.type, operations: key.operations, algorithm: .rsaAESKeyWrap256,
            ciphertext: try ciphertext(key.content, for: token), publicPart: key.publicPart)
    }

    /// With the version that was asked for, or the current one.
    static func keyID(_ reference: KeyReference) -> String { reference.name.version == nil ? "\(reference)/\(version)" : "\(reference)" }
}
