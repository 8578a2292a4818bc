package import BrokerCore
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// A key that a scripted store can release. Its private part is in the open: it protects nothing.
package struct SampleKey: Sendable {
    package let name: String
    /// 32 hex digits.
    package let version: String
    package let type: WrappedKey.KeyType
    /// PKCS#8 DER, or the raw bytes of a symmetric key: what must come out of the ciphertext.
    package let content: [UInt8]
    /// What the signed answer says about it.
    package let publicPart: WrappedKey.PublicPart?
    package let operations: [String]

    package static let version = "d00a04794ffb49e1a0e088635fc92ef2"

    /// One key of each kind and size that the stores release; making them takes a moment, so share them.
    package static func all() throws -> [SampleKey] {
        let rsa = try PrivateKey.generateRSA(bits: 2048)
        var keys = [try SampleKey("rsa-key", .rsa, rsa, publicPart: rsa.publicKey.rsaNumbers.map { .rsa(n: $0.n, e: $0.e) })]
        for curve in EllipticCurve.allCases {
            let key = try PrivateKey.generateEC(curve)
            keys.append(
                try SampleKey(
                    "ec-\(curve.coordinateByteCount)", .ec, key,
                    publicPart: key.publicKey.ecPoint.map { .ec(curve: curve.rawValue, x: $0.x, y: $0.y) }))
        }
        keys.append(SampleKey("oct-key", content: SecureRandom.bytes(32)))
        for count in [16, 64] { keys.append(SampleKey("oct-\(count)", content: SecureRandom.bytes(count))) }
        return keys
    }

    private init(_ name: String, _ type: WrappedKey.KeyType, _ key: PrivateKey, publicPart: WrappedKey.PublicPart?) throws {
        self.name = name
        self.version = Self.version
        self.type = type
        let der = try key.pkcs8DER()
        content = der.withUnsafeBytes { Array($0) }
        self.publicPart = publicPart
        operations = ["sign", "verify"]
    }

    private init(_ name: String, content: [UInt8]) {
        self.name = name
        self.version = Self.version
        type = .oct
        self.content = content
        publicPart = nil
        operations = ["encrypt", "decrypt"]
    }
}
