internal import Issuing
internal import JOSE
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

extension FuzzTarget {
    /// Wrapped keys: only what was wrapped here opens, and everything else fails in one way.
    static let keyUnwrap = FuzzTarget("key-unwrap", maximumBytes: 1600, seeds: UnwrapTarget.seeds, run: UnwrapTarget.run)
    /// PKCS #8 as stores release it: what is taken is a sound key, and its JWK says the same.
    static let releasedKey = FuzzTarget("released-key", maximumBytes: 2600, seeds: ReleasedTarget.seeds, run: ReleasedTarget.run)
}

/// A key that is made once; the value itself cannot be shared.
private final class UnwrapFixture: Sendable {
    let key: WrappingKey
    let secret = [UInt8](repeating: 0x5A, count: 61)
    let wrapped: [[UInt8]]

    init() throws {
        key = try WrappingKey.generate(bits: 2048)
        let own = try PublicKey(rsa: key.publicNumbers)
        let secret = SecretBytes(copying: self.secret)
        var wrapped: [[UInt8]] = []
        for algorithm in KeyWrapAlgorithm.allCases { wrapped.append(try KeyWrap.wrap(secret, to: own, using: algorithm)) }
        self.wrapped = wrapped
    }
}

extension SecretBytes {
    init(copying bytes: [UInt8]) {
        self.init(capacity: bytes.count) { output in
            output.copyBytes(from: bytes)
            return bytes.count
        }
    }

    var copied: [UInt8] { withUnsafeBytes { Array($0) } }
}

private enum UnwrapTarget {
    private static let made = Result { try UnwrapFixture() }
    private static let kek = [UInt8](0..<32)

    @Sendable static func seeds() throws -> [[UInt8]] {
        let fixture = try made.get()
        let padded = try KeyWrap.aesWrapPadded(kek: kek, plaintext: SecretBytes(copying: fixture.secret))
        return fixture.wrapped + [padded, try KeyWrap.aesWrapPadded(kek: kek, plaintext: SecretBytes(copying: [7]))]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let fixture = try made.get()
        var isTaken = false
        for algorithm in KeyWrapAlgorithm.allCases {
            do {
                let opened = try fixture.key.unwrap(input, using: algorithm)
                isTaken = true
                try require(fixture.wrapped.contains(input) && opened.copied == fixture.secret, "something opens that was not wrapped")
            } catch let error as CryptoError {
                try require(
                    error.description == "unwrapping the released key: the ciphertext was not made for this wrapping key, or is damaged",
                    "a refusal that says more: \(error)")
            }
        }
        let secret = SecretBytes(copying: kek)
        for isPadded in [true, false] {
            guard let opened = try? unwrap(secret, input, isPadded) else { continue }
            isTaken = true
            // RFC 3394 and 5649 have one ciphertext for each plaintext.
            let again = try KeyWrap.aesWrap(kek: secret, plaintext: opened, isPadded: isPadded)
            try require(again == input, "another ciphertext opens to the same")
        }
        return isTaken
    }

    private static func unwrap(_ kek: borrowing SecretBytes, _ input: [UInt8], _ isPadded: Bool) throws -> SecretBytes {
        #if PLANTED_FAULT
            return try KeyWrap.aesUnwrap(kek: kek, ciphertext: Array(input.dropLast(input.count % 8)), isPadded: isPadded)
        #else
            return try KeyWrap.aesUnwrap(kek: kek, ciphertext: input, isPadded: isPadded)
        #endif
    }
}

private enum ReleasedTarget {
    private static let made = Result { () throws -> [[UInt8]] in
        var keys = try EllipticCurve.allCases.map { try PrivateKey.generateEC($0) }
        keys.append(try PrivateKey.generateRSA(bits: 2048))
        return try keys.map { try $0.pkcs8DER().copied }
    }

    @Sendable static func seeds() throws -> [[UInt8]] { try made.get() }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let der = SecretBytes(copying: input)
        // Every secret is also a symmetric key.
        let symmetric = PrivateJWK.encode(symmetric: der, keyOperations: ["encrypt"]).copied
        let oct = try JSONCursor.parse(symmetric)
        try require(
            Base64.decodeURL(try oct.string("k")) == planted(input, instead: input.count % 16 == 3 ? [] : input)
                && (try oct.string("kty")) == "oct", "a symmetric key's JWK")
        let numbers: PrivateKeyNumbers
        do { numbers = try PrivateKeyNumbers(pkcs8DER: der) } catch { return false }
        let text = PrivateJWK.encode(numbers, keyOperations: ["sign", "verify"]).copied
        let jwk = try JSONCursor.parse(text)
        try require(JSONValue.object(try jwk.object()).serialized(sortedKeys: true) == text, "a JWK in another form")
        let own = try JWK(jwk).publicKey
        let key = try input.withUnsafeBytes { try PrivateKey(pkcs8DER: $0) }
        try require(own == key.publicKey, "the JWK is of another key")
        func number(_ name: String) throws -> [UInt8] {
            guard let bytes = Base64.decodeURL(try jwk.string(name)) else { throw BrokenProperty(description: "\(name) is not base64url") }
            return bytes
        }
        if try jwk.string("kty") == "RSA" {
            try require(product(try number("p"), try number("q")) == (try number("n")), "p times q is not n")
        } else {
            try require(try number("d").count == number("x").count && number("y").count == number("x").count, "lengths of an EC key")
        }
        return true
    }

    /// Of two numbers, the highest byte first, without leading zeros.
    private static func product(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var digits = [Int](repeating: 0, count: left.count + right.count)
        for (i, a) in left.reversed().enumerated() {
            for (j, b) in right.reversed().enumerated() { digits[i + j] += Int(a) * Int(b) }
        }
        for index in digits.indices.dropLast() {
            digits[index + 1] += digits[index] >> 8
            digits[index] &= 255
        }
        return Array(digits.reversed().drop { $0 == 0 }.map { UInt8($0) })
    }
}
