import SecureMemory
import Testing

@testable import OpenSSLCrypto

@Suite("Signatures") struct SignatureTests {
    private static let message = Array("what is signed".utf8)
    private static let digests: [DigestAlgorithm] = [.sha256, .sha384, .sha512]

    @Test("RSA signatures verify, and only as what they are", arguments: digests) func rsa(digest: DigestAlgorithm) throws {
        let key = try ReferenceKeys.rsa.get()
        let other = try ReferenceKeys.otherRSA.get().publicKey
        for algorithm in [SignatureAlgorithm.rsaPKCS1(digest), .rsaPSS(digest)] {
            let signature = try key.sign(Self.message, algorithm: algorithm)
            #expect(signature.count == 256)
            #expect(key.publicKey.verifies(signature, of: Self.message, algorithm: algorithm))
            #expect(Self.message.withUnsafeBytes { key.publicKey.verifies(signature, of: $0, algorithm: algorithm) })
            #expect(!other.verifies(signature, of: Self.message, algorithm: algorithm))
            #expect(!key.publicKey.verifies(signature, of: Self.message + [0], algorithm: algorithm))
            #expect(!key.publicKey.verifies(signature, of: [], algorithm: algorithm))
            for wrong in Self.digests.flatMap({ [SignatureAlgorithm.rsaPKCS1($0), .rsaPSS($0), .ecdsa($0)] }) where wrong != algorithm {
                #expect(!key.publicKey.verifies(signature, of: Self.message, algorithm: wrong))
            }
            for length in [0, 1, 255, 257, 512] {
                let resized = Array((signature + signature)[..<length])
                #expect(!key.publicKey.verifies(resized, of: Self.message, algorithm: algorithm))
            }
            for index in [0, 100, 255] {
                var damaged = signature
                damaged[index] ^= 1
                #expect(!key.publicKey.verifies(damaged, of: Self.message, algorithm: algorithm))
            }
        }
    }

    @Test("A PSS salt of another length than the digest's is refused", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"))
    func saltLength() throws {
        let key = try ReferenceKeys.rsa.get()
        let command = try OpenSSLCommand()
        let keyFile = try command.file("key.pem", try key.pem().array)
        let messageFile = try command.file("message", Self.message)
        for (length, isRight) in [("32", true), ("20", false), ("0", false), ("max", false)] {
            try command.run([
                "dgst", "-sha256", "-sign", keyFile, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:\(length)", "-out",
                command.path("signature"), messageFile,
            ])
            let signature = try command.read("signature")
            #expect(key.publicKey.verifies(signature, of: Self.message, algorithm: .rsaPSS(.sha256)) == isRight)
        }
    }

    @Test("ECDSA signatures are raw and verify", arguments: EllipticCurve.allCases) func ecdsa(curve: EllipticCurve) throws {
        let key = try ReferenceKeys.ec(curve)
        for digest in Self.digests {
            // Often enough that some r or s begins with a zero byte.
            for round in 0..<(curve == .p256 ? 300 : 20) {
                let message = Self.message + [UInt8(truncatingIfNeeded: round), UInt8(truncatingIfNeeded: round >> 8)]
                let signature = try key.sign(message, algorithm: .ecdsa(digest))
                #expect(signature.count == 2 * curve.coordinateByteCount)
                #expect(key.publicKey.verifies(signature, of: message, algorithm: .ecdsa(digest)))
                if round == 0 {
                    #expect(!key.publicKey.verifies(signature, of: Self.message, algorithm: .ecdsa(digest)))
                    #expect(!key.publicKey.verifies(signature, of: message, algorithm: .rsaPSS(digest)))
                }
            }
        }
    }

    @Test("r or s of 0, of the order or above, and every other length are refused", arguments: EllipticCurve.allCases) func edgesOfTheCurve(
        curve: EllipticCurve
    ) throws {
        let size = curve.coordinateByteCount
        let order = try #require(Hex.decode(Self.order[curve] ?? ""))
        #expect(order.count == size)
        let key = try ReferenceKeys.ec(curve)
        let right = try key.sign(Self.message, algorithm: .ecdsa(.sha384))
        let r = Array(right[..<size])
        let s = Array(right[size...])
        let zero = [UInt8](repeating: 0, count: size)
        let ones = [UInt8](repeating: 0xFF, count: size)
        func verifies(_ signature: [UInt8]) -> Bool { key.publicKey.verifies(signature, of: Self.message, algorithm: .ecdsa(.sha384)) }
        #expect(verifies(r + s))
        for bad in [zero, order, ones] {
            #expect(!verifies(bad + s))
            #expect(!verifies(r + bad))
            #expect(!verifies(bad + bad))
        }
        // The same number in another representation: r + n fits into the bytes of P-521 alone.
        if curve == .p521 { #expect(!verifies(Self.sum(r, order) + s)) }
        for length in 0...(2 * size + 8) where length != 2 * size { #expect(!verifies(Array((right + right)[..<length]))) }
        // DER is not raw.
        let der = try #require(RawECDSASignature.der(right, curve))
        #expect(!verifies(der))
        // The other half is a valid signature in ECDSA's arithmetic, so swapping is the damage to check.
        #expect(!verifies(s + r))
    }

    private static func sum(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var result = left
        var carry = 0
        for index in left.indices.reversed() {
            let total = Int(left[index]) + Int(right[index]) + carry
            result[index] = UInt8(total & 0xFF)
            carry = total >> 8
        }
        return result
    }

    private static let order: [EllipticCurve: String] = [
        .p256: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        .p384: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf" + "581a0db248b0a77aecec196accc52973",
        .p521: "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
            + "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ]

    @Test("Signing with an algorithm that the key does not have is an error") func wrongAlgorithm() throws {
        let rsa = try ReferenceKeys.rsa.get()
        let ec = try ReferenceKeys.p256.get()
        #expect(throws: CryptoError.self) { try rsa.sign([1], algorithm: .ecdsa(.sha256)) }
        #expect(throws: CryptoError.self) { try ec.sign([1], algorithm: .rsaPSS(.sha256)) }
        #expect(throws: CryptoError.self) { try ec.sign([1], algorithm: .rsaPKCS1(.sha256)) }
    }

    @Test(
        "The openssl command verifies what is signed here, and the other way round", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"),
        arguments: digests) func peer(digest: DigestAlgorithm) throws
    {
        let command = try OpenSSLCommand()
        let messageFile = try command.file("message", Self.message)
        let name = "-sha\(digest.byteCount * 8)"
        let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        let cases: [(PrivateKey, SignatureAlgorithm, [String])] = [
            (try ReferenceKeys.rsa.get(), .rsaPKCS1(digest), []), (try ReferenceKeys.rsa.get(), .rsaPSS(digest), pss),
            (try ReferenceKeys.p256.get(), .ecdsa(digest), []), (try ReferenceKeys.p384.get(), .ecdsa(digest), []),
            (try ReferenceKeys.p521.get(), .ecdsa(digest), []),
        ]
        for (key, algorithm, options) in cases {
            let keyFile = try command.file("key.pem", try key.pem().array)
            let publicFile = try command.file("key.der", key.publicKey.subjectPublicKeyInfo)
            let own = try key.sign(Self.message, algorithm: algorithm)
            guard case .ec(let curve) = key.publicKey.kind else {
                let signatureFile = try command.file("own", own)
                try command.run(
                    ["dgst", name, "-verify", publicFile, "-keyform", "DER", "-signature", signatureFile] + options + [messageFile])
                try command.run(["dgst", name, "-sign", keyFile, "-out", command.path("theirs")] + options + [messageFile])
                #expect(key.publicKey.verifies(try command.read("theirs"), of: Self.message, algorithm: algorithm))
                continue
            }
            let signatureFile = try command.file("own", try #require(RawECDSASignature.der(own, curve)))
            try command.run(["dgst", name, "-verify", publicFile, "-keyform", "DER", "-signature", signatureFile, messageFile])
            try command.run(["dgst", name, "-sign", keyFile, "-out", command.path("theirs"), messageFile])
            let raw = try #require(RawECDSASignature.raw(try command.read("theirs"), curve))
            #expect(key.publicKey.verifies(raw, of: Self.message, algorithm: algorithm))
        }
    }
}
