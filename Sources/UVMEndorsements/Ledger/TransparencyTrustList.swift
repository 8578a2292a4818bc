internal import OpenSSLCrypto
internal import PlainText

/// Which keys ledgers sign their receipts with, as somebody signed it (LedgerReceipts.md, "Trust lists").
///
/// Reading and believing are two things: a list whose signature has an unknown algorithm, or that names keys of an unknown kind, is read;
/// its keys count only where `verdict` is verified.
package struct TransparencyTrustList: Sendable {
    /// What is read of one ledger.
    package struct Ledger: Sendable {
        /// Host name, as in the receipts' issuer.
        package let host: String
        /// Identifiers of the keys that receipts can be verified with.
        package let keyIDs: [String]
        /// How many keys are of an algorithm or curve that is not known here, malformed or repeated.
        package let unknownKeys: Int
    }

    package static let contentType = "application/vnd.transparency-trust-list.v1+cose"
    package static let prefix = "trust-list"
    static let maximumLedgers = 64
    static let maximumKeys = 64

    /// Whether the list is its trusted issuer's. Without a trusted issuer it is never verified.
    package let verdict: StatementVerdict
    /// In the order of the list; empty when it cannot be read.
    package let ledgers: [Ledger]
    private let pinned: LedgerKeys

    /// The keys, each for its ledger only; none unless the list is verified.
    package var keys: LedgerKeys { verdict.isVerified ? pinned : LedgerKeys() }

    /// Reads and judges an encoded list. Any bytes get an answer; nothing is thrown.
    package init(cose: [UInt8], issuers: [TrustedIssuer], time: Int64?) {
        let verdict = StatementVerifier(prefix: Self.prefix, trust: StatementTrust(issuers: issuers, time: time)).verify(cose)
        guard let statement = verdict.statement else {
            (self.verdict, ledgers, pinned) = (verdict, [], LedgerKeys())
            return
        }
        do throws(COSEError) {
            guard statement.contentType == Self.contentType else { throw COSEError(reason: "the content type is not \(Self.contentType)") }
            guard statement.svn != nil else { throw COSEError(reason: "there is no security version number") }
            (ledgers, pinned) = try Self.read(statement.payload)
            let words = "a list of \(ledgers.count) ledgers with \(pinned.entries.count) keys"
            self.verdict = StatementVerdict(
                checks: [Check("\(Self.prefix)-form", true, words)] + verdict.checks.dropFirst(), statement: statement)
        } catch {
            (ledgers, pinned) = ([], LedgerKeys())
            self.verdict = StatementVerdict(
                checks: [Check("\(Self.prefix)-form", false, error.reason)] + verdict.checks.dropFirst(), statement: statement)
        }
    }

    /// A map of the ledgers' hosts to `{1: COSE_KeySet}`.
    private static func read(_ payload: [UInt8]) throws(COSEError) -> ([Ledger], LedgerKeys) {
        let value: CBORValue
        do { value = try CBORValue.parse(payload, limits: COSESign1.limits) } catch { throw COSEError(reason: "not CBOR: \(error)") }
        guard let map = value.map, (1...maximumLedgers).contains(map.count) else {
            throw COSEError(reason: "the payload is not a map of 1 to \(maximumLedgers) ledgers")
        }
        var ledgers: [Ledger] = []
        var entries: [LedgerKeys.Entry] = []
        for (key, value) in map {
            guard let host = key.text, host.utf8.consists(of: .visible, count: 1...256) else {
                throw COSEError(reason: "a ledger's name is not a printable text")
            }
            guard let set = value.map?[1]?.array, (1...maximumKeys).contains(set.count) else {
                throw COSEError(reason: "the ledger \(host) has not 1 to \(maximumKeys) keys")
            }
            // The first key of an identifier is the one that counts.
            var own: [LedgerKeys.Entry] = []
            for item in set {
                guard let entry = Self.key(item, of: host), !own.contains(where: { $0.id == entry.id }) else { continue }
                own.append(entry)
            }
            ledgers.append(Ledger(host: host, keyIDs: own.map(\.id), unknownKeys: set.count - own.count))
            entries += own
        }
        return (ledgers, LedgerKeys(entries: entries))
    }

    /// A COSE_Key (RFC 9052, 7; RFC 9053, 7.1.1) of an elliptic curve; `nil` for any other.
    private static func key(_ value: CBORValue, of ledger: String) -> LedgerKeys.Entry? {
        let curves: [Int64: EllipticCurve] = [1: .p256, 2: .p384, 3: .p521]
        guard let map = value.map, map[1]?.integer == 2, let curve = map[-1]?.integer.flatMap({ curves[$0] }),
            let id = map[2]?.bytes.flatMap(LedgerReceipt.keyID), let x = map[-2]?.bytes, let y = map[-3]?.bytes,
            let key = try? PublicKey(ec: curve, x: x, y: y)
        else { return nil }
        return LedgerKeys.Entry(ledger: ledger, id: id, key: key)
    }
}
