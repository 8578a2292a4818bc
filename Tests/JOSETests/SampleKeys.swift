import OpenSSLCrypto

/// RSA keys take long to make; most tests share these two.
enum SampleKeys {
    static let rsa = Result { try PrivateKey.generateRSA(bits: 2048) }
    static let otherRSA = Result { try PrivateKey.generateRSA(bits: 2048) }
}
