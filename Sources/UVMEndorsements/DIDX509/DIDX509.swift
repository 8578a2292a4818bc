internal import OpenSSLCrypto
internal import PlainText

/// Why a text is not a did:x509 identifier, or why a chain does not resolve it. Printable.
package struct DIDX509Error: Error, Sendable, Equatable, CustomStringConvertible { package let description: String }

/// A did:x509 identifier, version 0: a certificate authority's fingerprint and what the leaf certificate must look like.
///
///     did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s::eku:1.3.6.1.4.1.311.76.59.1.2
///
/// Source: the did:x509 specification, version 0 (github.com/microsoft/did-x509); UVMEndorsements.md, "did:x509".
package struct DIDX509: Sendable {
    /// The hash algorithm of the fingerprint.
    package enum FingerprintAlgorithm: String, Sendable {
        case sha256, sha384, sha512

        var digest: DigestAlgorithm {
            switch self {
            case .sha256: .sha256
            case .sha384: .sha384
            case .sha512: .sha512
            }
        }
    }

    /// Something that must hold for the leaf certificate.
    package enum Predicate: Sendable {
        /// Its extended key usage contains this OID.
        case extendedKeyUsage(String)
        /// Its subject has each of these attributes, and each attribute type once.
        case subject([(key: String, value: String)])
        /// Its alternative names contain this one; the kind is `email`, `dns` or `uri`.
        case alternativeName(kind: String, value: String)
        /// Fulcio issued it for this identity provider, written without `https://`.
        case fulcioIssuer(String)
    }

    static let maximumByteCount = 2048
    static let maximumPredicates = 16

    package let fingerprintAlgorithm: FingerprintAlgorithm
    /// Digest of the DER of a certificate authority's certificate.
    package let fingerprint: [UInt8]
    /// At least one.
    package let predicates: [Predicate]

    /// Takes an identifier apart. Everything in it must be understood.
    package init(_ text: String) throws(DIDX509Error) {
        guard text.utf8.count <= Self.maximumByteCount else {
            throw DIDX509Error(description: "the identifier is longer than \(Self.maximumByteCount) bytes")
        }
        // idchar of DID Core, and the separator.
        guard text.utf8.consists(of: .alphanumeric + ".-_%:") else {
            throw DIDX509Error(description: "the identifier has a character that must be percent-encoded")
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 5, parts[0] == "did", parts[1] == "x509" else { throw DIDX509Error(description: "not a did:x509 identifier") }
        guard parts[2] == "0" else { throw DIDX509Error(description: "not version 0 of did:x509") }
        guard let algorithm = FingerprintAlgorithm(rawValue: parts[3]) else {
            throw DIDX509Error(description: "the fingerprint is none of sha256, sha384 and sha512")
        }
        guard !parts[4].contains("="), let fingerprint = Base64.decodeURL(parts[4]), fingerprint.count == algorithm.digest.byteCount else {
            throw DIDX509Error(description: "the fingerprint is not the unpadded base64url text of a digest")
        }
        fingerprintAlgorithm = algorithm
        self.fingerprint = fingerprint
        // Predicates are separated by "::", that is by an empty part.
        guard parts[5].isEmpty else { throw DIDX509Error(description: "'::' is missing behind the fingerprint") }
        let groups = parts[6...].split(separator: "", omittingEmptySubsequences: false)
        guard groups.count <= Self.maximumPredicates else {
            throw DIDX509Error(description: "the identifier has more than \(Self.maximumPredicates) predicates")
        }
        var predicates: [Predicate] = []
        for group in groups { predicates.append(try Self.predicate(Array(group))) }
        self.predicates = predicates
    }

    private static func predicate(_ parts: [String]) throws(DIDX509Error) -> Predicate {
        switch (parts.first, parts.count) {
        case ("eku", 2):
            guard isObjectIdentifier(parts[1]) else { throw DIDX509Error(description: "'eku' does not name an OID") }
            return .extendedKeyUsage(parts[1])
        case ("san", 3):
            guard ["email", "dns", "uri"].contains(parts[1]) else { throw DIDX509Error(description: "'san' is none of email, dns and uri") }
            return .alternativeName(kind: parts[1], value: try decoded(parts[2]))
        case ("fulcio-issuer", 2): return .fulcioIssuer(try decoded(parts[1]))
        case ("subject", 3...): return .subject(try subject(Array(parts.dropFirst())))
        case ("eku", _), ("san", _), ("fulcio-issuer", _), ("subject", _):
            throw DIDX509Error(description: "a predicate has the wrong number of parts")
        default: throw DIDX509Error(description: "a predicate is none of eku, subject, san and fulcio-issuer")
        }
    }

    private static func subject(_ parts: [String]) throws(DIDX509Error) -> [(key: String, value: String)] {
        guard parts.count.isMultiple(of: 2) else { throw DIDX509Error(description: "'subject' is not a list of keys with values") }
        var pairs: [(key: String, value: String)] = []
        for index in stride(from: 0, to: parts.count, by: 2) {
            let key = parts[index]
            guard ["CN", "L", "ST", "O", "OU", "C", "STREET"].contains(key) || isObjectIdentifier(key) else {
                throw DIDX509Error(description: "'subject' has a key that is neither a known label nor an OID")
            }
            guard !pairs.contains(where: { $0.key == key }) else { throw DIDX509Error(description: "'subject' names a key twice") }
            pairs.append((key, try decoded(parts[index + 1])))
        }
        return pairs
    }

    // MARK: Characters

    private static func isObjectIdentifier(_ text: String) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { arc in
            arc.utf8.consists(of: .digits, count: 1...Int.max)
        }
    }

    /// Percent-decoding (RFC 3986, 2.1) to UTF-8 text that is not empty.
    private static func decoded(_ text: String) throws(DIDX509Error) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let digits = String(rest.prefix(2)), let octet = Hex.decode(digits)?.first else {
                throw DIDX509Error(description: "a percent sign is not followed by two hexadecimal digits")
            }
            bytes.append(octet)
            rest = rest.dropFirst(2)
        }
        guard !bytes.isEmpty, let decoded = String(validating: bytes, as: UTF8.self) else {
            throw DIDX509Error(description: "a value is empty or not UTF-8")
        }
        return decoded
    }
}
