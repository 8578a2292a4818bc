internal import OpenSSLCrypto
internal import PlainText

/// The protected header of a signed statement, read and checked for completeness: who signed what, with which certificates. What the
/// payload is, the header's reader has to know (UVMEndorsements.md, "Two forms"; LedgerReceipts.md, "Trust lists"; SecurityContext.md,
/// "Directory").
struct StatementHeader: Sendable {
    /// COSE's number. It need not be one that is accepted here.
    let algorithmID: Int64
    let issuer: String
    let feed: String
    /// Of the CWT claims.
    let svn: UInt64?
    /// Seconds since 1970: `signingtime`, or `iat` of the CWT claims.
    let signingTime: Int64?
    /// DER, leaf first.
    let chain: [[UInt8]]
    let thumbprint: UVMEndorsement.Thumbprint?
    /// What the payload is (label 3): a media type, or the number of one.
    let contentType: String?

    var algorithm: COSEAlgorithm? { COSEAlgorithm(rawValue: algorithmID) }

    /// Largest certificate, in bytes of DER. Real ones have less than 2 KiB.
    private static let maximumCertificateByteCount = 16 * 1024

    private enum Label {
        static let algorithm: Int64 = 1
        static let critical: Int64 = 2
        static let contentType: Int64 = 3
        static let cwtClaims: Int64 = 15
        static let certificateChain: Int64 = 33
        static let certificateThumbprint: Int64 = 34
        static let understood: [Int64] = [1, 2, 3, 15, 33, 34, 258, 259]
        static let understoodNames = ["iss", "feed", "signingtime"]
    }

    init(_ map: CBORMap) throws(UVMEndorsementError) {
        try Self.checkCritical(map)
        guard let identifier = map[Label.algorithm]?.integer else { throw Self.complaint("the algorithm (1) is missing or not a number") }
        algorithmID = identifier
        contentType = try Self.contentType(map[Label.contentType])
        let claims = try Self.claims(map)
        issuer = try Self.agreed(Self.text(map["iss"], "iss", 2048), Self.text(claims[1], "the CWT claim iss", 2048), "issuer")
        feed = try Self.agreed(Self.text(map["feed"], "feed", 256), Self.text(claims[2], "the CWT claim sub", 256), "feed")
        svn = try Self.svn(claims["svn"])
        signingTime = try Self.optionallyAgreed(
            Self.time(map["signingtime"], "signingtime"), Self.time(claims[6], "the CWT claim iat"), "signing time")
        chain = try Self.chain(map[Label.certificateChain])
        thumbprint = try Self.thumbprint(map[Label.certificateThumbprint])
    }

    /// The certificates of the chain, leaf first.
    func certificates() throws(UVMEndorsementError) -> [Certificate] {
        var certificates: [Certificate] = []
        for (index, der) in chain.enumerated() {
            guard der.count <= Self.maximumCertificateByteCount else {
                throw UVMEndorsementError(.certificate, "certificate \(index + 1) of \(chain.count) is too large")
            }
            do { certificates.append(try Certificate(der: der)) } catch {
                throw UVMEndorsementError(.certificate, "certificate \(index + 1) of \(chain.count) cannot be read: \(error)")
            }
        }
        return certificates
    }

    // MARK: One label each

    /// `crit` (RFC 9052, 3.1): labels that must be understood. Only those that are read here are.
    private static func checkCritical(_ map: CBORMap) throws(UVMEndorsementError) {
        guard let critical = map[Label.critical] else { return }
        guard let labels = critical.array, !labels.isEmpty else { throw complaint("crit is not a list of labels") }
        for label in labels {
            if let number = label.integer, Label.understood.contains(number), map[number] != nil { continue }
            if let name = label.text, Label.understoodNames.contains(where: { $0.utf8.elementsEqual(name.utf8) }), map[name] != nil {
                continue
            }
            throw complaint("crit names a label that is absent or not understood")
        }
    }

    private static func contentType(_ value: CBORValue?) throws(UVMEndorsementError) -> String? {
        guard let value else { return nil }
        if case .unsigned(let number) = value { return String(number) }
        return try text(value, "the content type (3)", 256)
    }

    private static func claims(_ map: CBORMap) throws(UVMEndorsementError) -> CBORMap {
        guard let claims = map[Label.cwtClaims] else { return CBORMap() }
        guard let claims = claims.map else { throw complaint("the CWT claims (15) are \(claims.kindName), not a map") }
        return claims
    }

    private static func svn(_ value: CBORValue?) throws(UVMEndorsementError) -> UInt64? {
        guard let value else { return nil }
        guard case .unsigned(let number) = value else { throw complaint("the CWT claim svn is not an unsigned number") }
        return number
    }

    private static func chain(_ value: CBORValue?) throws(UVMEndorsementError) -> [[UInt8]] {
        guard let value else { throw complaint("the certificate chain (33) is missing") }
        // RFC 9360, 2: one certificate may stand for itself; it cannot make a chain.
        guard let elements = value.array else { throw complaint("the certificate chain (33) is \(value.kindName)") }
        guard UVMEndorsement.chainLengths.contains(elements.count) else {
            throw complaint("the certificate chain has \(elements.count) certificates; 2 to 10 are accepted")
        }
        var chain: [[UInt8]] = []
        for element in elements {
            guard let der = element.bytes else { throw complaint("the certificate chain holds \(element.kindName)") }
            chain.append(der)
        }
        return chain
    }

    /// COSE_CertHash (RFC 9360, 2): algorithm and digest.
    private static func thumbprint(_ value: CBORValue?) throws(UVMEndorsementError) -> UVMEndorsement.Thumbprint? {
        guard let value else { return nil }
        guard let parts = value.array, parts.count == 2, let digest = parts[1].bytes else {
            throw complaint("the certificate thumbprint (34) is not an algorithm and a digest")
        }
        guard let identifier = parts[0].integer, let algorithm = COSEHashAlgorithm(rawValue: identifier),
            digest.count == algorithm.digest.byteCount
        else { throw complaint("the certificate thumbprint (34) is not a SHA-256, SHA-384 or SHA-512 digest") }
        return UVMEndorsement.Thumbprint(algorithm: algorithm.digest, digest: digest)
    }

    // MARK: Kinds of value

    /// Printable ASCII of bounded length: these texts are compared byte by byte and shown.
    private static func text(_ value: CBORValue?, _ name: String, _ maximum: Int) throws(UVMEndorsementError) -> String? {
        guard let value else { return nil }
        guard let text = value.text, text.utf8.consists(of: .printable, count: 1...maximum) else {
            throw complaint("\(name) is not a printable text of 1 to \(maximum) characters")
        }
        return text
    }

    /// A NumericDate or epoch-based time (tag 1): seconds since 1970, at the latest in the year 9999.
    private static func time(_ value: CBORValue?, _ name: String) throws(UVMEndorsementError) -> Int64? {
        guard var value else { return nil }
        if case .tagged(1, let inner) = value { value = inner }
        var seconds = value.integer
        if case .float(let number) = value, number.isFinite { seconds = Int64(exactly: number.rounded(.down)) }
        guard let seconds, (0...253_402_300_799).contains(seconds) else { throw complaint("\(name) is not a time in seconds since 1970") }
        return seconds
    }

    /// A value that has a place in both forms must be in one of them, and the same where it is in both.
    private static func agreed(_ first: String?, _ second: String?, _ name: String) throws(UVMEndorsementError) -> String {
        guard let value = try optionallyAgreed(first, second, name) else { throw complaint("the \(name) is missing") }
        return value
    }

    private static func optionallyAgreed<Value: Equatable>(_ first: Value?, _ second: Value?, _ name: String) throws(UVMEndorsementError)
        -> Value?
    {
        if let first, let second, first != second { throw complaint("the header names two values for the \(name)") }
        return first ?? second
    }

    private static func complaint(_ detail: String) -> UVMEndorsementError { UVMEndorsementError(.protectedHeader, detail) }
}
