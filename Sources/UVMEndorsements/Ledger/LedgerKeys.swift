internal import OpenSSLCrypto
package import StrictJSON

/// The service keys of transparency ledgers, as their readers pinned them.
package struct LedgerKeys: Sendable {
    /// One key of a ledger.
    struct Entry: Sendable {
        /// Host name of the ledger, as in the receipts' issuer; `nil` accepts the key for any.
        let ledger: String?
        let id: String
        let key: PublicKey
    }

    private(set) var entries: [Entry]

    /// No keys at all.
    package init() { entries = [] }

    init(entries: [Entry]) { self.entries = entries }

    /// Reads a JWK set (RFC 7517). Keys that are not on a supported elliptic curve are left out; a set without any key is refused.
    package init(jwks bytes: [UInt8], issuer: String? = nil) throws(JSONError) {
        let members = try JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: 1 << 18, maximumDepth: 8)).array("keys")
        entries = []
        for entry in members {
            guard try entry.string("kty") == "EC", let curve = EllipticCurve(rawValue: try entry.string("crv")) else { continue }
            let id = try entry.string("kid")
            let (x, y) = (try Self.coordinate("x", of: entry), try Self.coordinate("y", of: entry))
            do { entries.append(Entry(ledger: issuer, id: id, key: try PublicKey(ec: curve, x: x, y: y))) } catch {
                throw entry.invalid("not a point on the curve")
            }
        }
        guard !entries.isEmpty else { throw JSONError(.invalidValue, path: "keys", "no key on a supported curve") }
    }

    package var isEmpty: Bool { entries.isEmpty }

    /// Adds the keys of another set.
    package mutating func add(_ other: LedgerKeys) { entries += other.entries }

    /// The keys of that identifier that count for that ledger; usually one.
    func keys(withID id: String, of ledger: String) -> [PublicKey] {
        entries.filter { entry in
            entry.id.utf8.elementsEqual(id.utf8) && (entry.ledger.map { $0.utf8.elementsEqual(ledger.utf8) } ?? true)
        }.map(\.key)
    }

    private static func coordinate(_ name: String, of entry: JSONCursor) throws(JSONError) -> [UInt8] {
        guard let bytes = Base64.decodeURL(try entry.string(name)) else { throw try entry.member(name).invalid("not base64url") }
        return bytes
    }
}
