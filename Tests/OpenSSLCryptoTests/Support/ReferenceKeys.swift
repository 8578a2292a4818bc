import OpenSSLCrypto

/// Keys made once for the whole run: making them is the slow part of many tests.
enum ReferenceKeys {
    static let rsa = Result { try PrivateKey.generateRSA(bits: 2048) }
    static let otherRSA = Result { try PrivateKey.generateRSA(bits: 2048) }
    static let p256 = Result { try PrivateKey.generateEC(.p256) }
    static let p384 = Result { try PrivateKey.generateEC(.p384) }
    static let p521 = Result { try PrivateKey.generateEC(.p521) }

    static func ec(_ curve: EllipticCurve) throws -> PrivateKey {
        switch curve {
        case .p256: try p256.get()
        case .p384: try p384.get()
        case .p521: try p521.get()
        }
    }
}
