package import OpenSSLCrypto
package import SNPReport

/// A root that is trusted for one product, by the hash of its certificate or of its public key.
package struct PinnedRoot: Sendable, Equatable {
    /// For people: `AMD ARK-Milan`, `fixture ARK-Milan`.
    package let name: String
    package let product: ProcessorProduct
    /// SHA-256 of the certificate's DER, 32 bytes; empty where the key alone is pinned.
    package let certificateSHA256: [UInt8]
    /// SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes; empty where the certificate alone is pinned.
    package let publicKeySHA256: [UInt8]

    package init(name: String, product: ProcessorProduct, certificateSHA256: [UInt8], publicKeySHA256: [UInt8]) {
        self.name = name
        self.product = product
        self.certificateSHA256 = certificateSHA256
        self.publicKeySHA256 = publicKeySHA256
    }

    /// Trusts exactly this certificate, for example a fixture's own root.
    package init(name: String, product: ProcessorProduct, certificate: Certificate) {
        self.init(name: name, product: product, certificateSHA256: certificate.sha256, publicKeySHA256: certificate.publicKeySHA256)
    }

    /// Whether `certificate` is this root, or a reissue with the same key.
    package func matches(_ certificate: Certificate) -> Bool {
        !certificateSHA256.isEmpty && certificate.sha256 == certificateSHA256
            || !publicKeySHA256.isEmpty && certificate.publicKeySHA256 == publicKeySHA256
    }
}

/// AMD's root keys. The hashes are those of the certificates that AMD's key distribution service serves at
/// `/vcek/v1/{product}/cert_chain`; four independent projects ship the same ones.
package enum AMDRoots {
    package static let pins: [PinnedRoot] = [
        pin(
            .milan, certificate: "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
            publicKey: "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9"),
        pin(
            .genoa, certificate: "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
            publicKey: "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831"),
        pin(
            .turin, certificate: "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
            publicKey: "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08"),
    ].compactMap(\.self)

    /// The pin of one product.
    package static func pin(for product: ProcessorProduct) -> PinnedRoot? { pins.first { $0.product == product } }

    private static func pin(_ product: ProcessorProduct, certificate: String, publicKey: String) -> PinnedRoot? {
        guard let certificate = Hex.decode(certificate), let publicKey = Hex.decode(publicKey) else { return nil }
        return PinnedRoot(name: "AMD ARK-\(product.rawValue)", product: product, certificateSHA256: certificate, publicKeySHA256: publicKey)
    }
}
