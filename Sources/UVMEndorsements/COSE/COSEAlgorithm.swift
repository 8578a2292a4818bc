package import OpenSSLCrypto

/// A signature algorithm of COSE (RFC 9053, 2.1 and RFC 8230, 2) that may sign an endorsement. The raw value is the COSE identifier.
///
/// RSASSA-PKCS1-v1_5 (-257 to -259) is not among them: RFC 8812 registers it for key attestation of authenticators only.
package enum COSEAlgorithm: Int64, Sendable, CaseIterable {
    case es256 = -7
    case es384 = -35
    case es512 = -36
    case ps256 = -37
    case ps384 = -38
    case ps512 = -39

    /// The name of the IANA registry.
    package var name: String {
        switch self {
        case .es256: "ES256"
        case .es384: "ES384"
        case .es512: "ES512"
        case .ps256: "PS256"
        case .ps384: "PS384"
        case .ps512: "PS512"
        }
    }

    /// How OpenSSLCrypto calls it. ECDSA signatures are raw r || s on both sides (RFC 9053, 2.1).
    package var signatureAlgorithm: SignatureAlgorithm {
        switch self {
        case .es256: .ecdsa(.sha256)
        case .es384: .ecdsa(.sha384)
        case .es512: .ecdsa(.sha512)
        case .ps256: .rsaPSS(.sha256)
        case .ps384: .rsaPSS(.sha384)
        case .ps512: .rsaPSS(.sha512)
        }
    }

    /// Whether a key of this kind can have made such a signature. Each ECDSA variant goes with one curve, as in JOSE, unless `anyCurve`
    /// says that COSE's own rule counts, which binds none (RFC 9053, 2.1).
    package func fits(_ kind: PublicKey.Kind, anyCurve: Bool = false) -> Bool {
        switch (self, kind) {
        case (.es256, .ec(.p256)), (.es384, .ec(.p384)), (.es512, .ec(.p521)): true
        case (.es256, .ec), (.es384, .ec), (.es512, .ec): anyCurve
        case (.ps256, .rsa), (.ps384, .rsa), (.ps512, .rsa): true
        default: false
        }
    }
}

/// The hash algorithms of COSE (RFC 9054, 2) that a certificate thumbprint may use.
package enum COSEHashAlgorithm: Int64, Sendable {
    case sha256 = -16
    case sha384 = -43
    case sha512 = -44

    package var digest: DigestAlgorithm {
        switch self {
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }
}
