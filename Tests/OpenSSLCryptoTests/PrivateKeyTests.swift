import SecureMemory
import Testing

@testable import OpenSSLCrypto

@Suite("Private keys") struct PrivateKeyTests {
    @Test("An EC key goes through PKCS#8 and its numbers", arguments: EllipticCurve.allCases) func curveKeys(curve: EllipticCurve) throws {
        let key = try ReferenceKeys.ec(curve)
        let der = try key.pkcs8DER()
        let numbers = try PrivateKeyNumbers(pkcs8DER: der)
        #expect(numbers.kind == .ec(curve))
        let rsaPublic = numbers.rsaPublic
        #expect(rsaPublic == nil)
        let point = numbers.ecPublic
        let (x, y) = try #require(point)
        #expect(x.count == curve.coordinateByteCount && y.count == curve.coordinateByteCount)
        let number = numbers.withNumber("d") { Array($0) }
        let d = try #require(number)
        #expect(d.count == curve.coordinateByteCount)
        let absent = numbers.withNumber("p") { $0.count }
        #expect(absent == nil)
        let again = try PrivateKey(ec: curve, d: d, x: x, y: y)
        #expect(try again.pkcs8DER().array == der.array)
        #expect(try PublicKey(ec: curve, x: x, y: y) == key.publicKey)
        #expect(try PrivateKey(pem: key.pem().array).publicKey == key.publicKey)
    }

    @Test("An RSA key goes through PKCS#8 and its numbers") func rsaKeys() throws {
        let key = try ReferenceKeys.rsa.get()
        let der = try key.pkcs8DER()
        let numbers = try PrivateKeyNumbers(pkcs8DER: der)
        #expect(numbers.kind == .rsa)
        let (rsaPublic, isRSA) = (numbers.rsaPublic, numbers.ecPublic == nil)
        #expect(isRSA && rsaPublic == key.publicKey.rsaNumbers)
        let again = try PrivateKey(rsa: try RSAPrivateNumbers(numbers))
        #expect(try again.pkcs8DER().array == der.array)
        #expect(again.publicKey == key.publicKey)
        // Minimal big-endian numbers: the primes have their top bits set, d and dp may begin with zero bytes that are left out.
        let counts = ["p", "q", "n", "e", ""].map { name in numbers.withNumber(name) { $0.count } ?? -1 }
        #expect(counts == [128, 128, -1, -1, -1])
        for (name, most) in [("d", 256), ("dp", 128)] {
            let leading = numbers.withNumber(name) { $0.count <= most ? $0.first : nil } ?? nil
            #expect((leading ?? 0) != 0, "\(name)")
        }
        let direct = try PrivateKeyNumbers(key).rsaPublic
        #expect(direct == rsaPublic)
    }

    @Test("RSA numbers that do not fit each other are refused, whichever it is") func inconsistentRSA() throws {
        let key = try ReferenceKeys.rsa.get()
        let right = try RSAPrivateNumbers(try PrivateKeyNumbers(key))
        let other = try RSAPrivateNumbers(try PrivateKeyNumbers(try ReferenceKeys.otherRSA.get()))
        _ = try PrivateKey(rsa: right)
        let members: [WritableKeyPath<RSAPrivateNumbers, [UInt8]>] = [\.n, \.e, \.d, \.p, \.q, \.dp, \.dq, \.qi]
        for member in members {
            var last = right[keyPath: member]
            last[last.count - 1] ^= 2
            for value in [last, [], [0], [1], [2]] + (member == \.e ? [] : [other[keyPath: member]]) {
                var wrong = right
                wrong[keyPath: member] = value
                #expect(throws: CryptoError.self) { _ = try PrivateKey(rsa: wrong) }
            }
        }
        var swapped = right
        (swapped.p, swapped.q) = (right.q, right.p)
        #expect(throws: CryptoError.self) { _ = try PrivateKey(rsa: swapped) }
        // e = 1 with d = 1 is a key that encrypts nothing, and its arithmetic is right.
        var identity = right
        (identity.e, identity.d, identity.dp, identity.dq) = ([1], [1], [1], [1])
        #expect(throws: CryptoError.self) { _ = try PrivateKey(rsa: identity) }
    }

    @Test("EC numbers that do not belong together are refused", arguments: EllipticCurve.allCases) func inconsistentCurveKeys(
        curve: EllipticCurve
    ) throws {
        let size = curve.coordinateByteCount
        let key = try ReferenceKeys.ec(curve)
        let other = try PrivateKey.generateEC(curve)
        let (x, y) = try #require(key.publicKey.ecPoint)
        let (otherX, otherY) = try #require(other.publicKey.ecPoint)
        let number = try PrivateKeyNumbers(key).withNumber("d") { Array($0) }
        let d = try #require(number)
        _ = try PrivateKey(ec: curve, d: d, x: x, y: y)
        let zero = [UInt8](repeating: 0, count: size)
        let ones = [UInt8](repeating: 0xFF, count: size)
        var offCurve = y
        offCurve[size - 1] ^= 1
        let wrong: [([UInt8], [UInt8], [UInt8])] = [
            (d, otherX, otherY), (zero, x, y), (ones, x, y), (d, x, offCurve), (d, x, zero), (d, zero, zero), (d, ones, ones), (d, y, x),
            (Array(d.dropFirst()), x, y), ([0] + d, x, y), (d, Array(x.dropLast()), y), ([], [], []),
        ]
        for (d, x, y) in wrong { #expect(throws: CryptoError.self) { _ = try PrivateKey(ec: curve, d: d, x: x, y: y) } }
        for (x, y) in [(x, offCurve), (zero, zero), (ones, y), (x + [0], y), ([], [])] {
            #expect(throws: CryptoError.self) { _ = try PublicKey(ec: curve, x: x, y: y) }
        }
    }

    @Test("The point of another curve is refused") func pointOfAnotherCurve() throws {
        let (x, y) = try #require(try ReferenceKeys.p256.get().publicKey.ecPoint)
        let pad = [UInt8](repeating: 0, count: 16)
        #expect(throws: CryptoError.self) { _ = try PublicKey(ec: .p384, x: pad + x, y: pad + y) }
    }

    @Test("Public RSA numbers that nobody should use are refused") func unusablePublicKeys() throws {
        let right = try #require(try ReferenceKeys.rsa.get().publicKey.rsaNumbers)
        #expect(try PublicKey(rsa: RSAPublicNumbers(n: [0, 0] + right.n, e: [0] + right.e)).rsaNumbers == right)
        let ones = [UInt8](repeating: 0xFF, count: 256)
        var even = right.n
        even[255] &= 0xFE
        let wrong: [([UInt8], [UInt8])] = [
            ([], []), ([0], [0]), (right.n, []), ([], right.e), (right.n, [1]), (right.n, [2]), (right.n, [1, 0, 0]), (even, right.e),
            (Array(right.n.prefix(128)) + [1], right.e), (right.n, ones), ([1] + [UInt8](repeating: 0, count: 2048) + [1], right.e),
        ]
        for (n, e) in wrong { #expect(throws: CryptoError.self) { _ = try PublicKey(rsa: RSAPublicNumbers(n: n, e: e)) } }
    }

    @Test("SubjectPublicKeyInfo comes back, and nothing else is read") func subjectPublicKeyInfo() throws {
        for key in [try ReferenceKeys.rsa.get(), try ReferenceKeys.p384.get()] {
            let der = key.publicKey.subjectPublicKeyInfo
            #expect(try PublicKey(subjectPublicKeyInfo: der) == key.publicKey)
            #expect(throws: CryptoError.self) { _ = try PublicKey(subjectPublicKeyInfo: der + [0]) }
            for count in 0..<der.count {
                #expect(throws: CryptoError.self) { _ = try PublicKey(subjectPublicKeyInfo: Array(der[..<count])) }
            }
        }
        #expect(throws: CryptoError.self) { _ = try PublicKey(subjectPublicKeyInfo: SecureRandom.bytes(300)) }
    }

    @Test("A failure leaves nothing in OpenSSL's error queue") func errorQueue() throws {
        _ = try? PublicKey(subjectPublicKeyInfo: [1, 2, 3])
        _ = try? PublicKey(ec: .p256, x: [UInt8](repeating: 1, count: 32), y: [UInt8](repeating: 1, count: 32))
        _ = try? PrivateKeyNumbers(pkcs8DER: SecretBytes([0x30, 0x00]))
        _ = try ReferenceKeys.p256.get().publicKey.verifies([], of: [], algorithm: .ecdsa(.sha256))
        _ = try ReferenceKeys.rsa.get().publicKey.verifies([UInt8](repeating: 3, count: 256), of: [], algorithm: .rsaPSS(.sha256))
        #expect(OpenSSLErrorQueue.error("asking", otherwise: "nothing").reason == "nothing")
    }
}

extension RSAPrivateNumbers {
    init(_ numbers: borrowing PrivateKeyNumbers) throws {
        let rsaPublic = numbers.rsaPublic
        let named = try #require(rsaPublic)
        var values: [String: [UInt8]] = [:]
        for name in ["d", "p", "q", "dp", "dq", "qi"] { values[name] = numbers.withNumber(name) { Array($0) } }
        self.init(
            n: named.n, e: named.e, d: try #require(values["d"]), p: try #require(values["p"]), q: try #require(values["q"]),
            dp: try #require(values["dp"]), dq: try #require(values["dq"]), qi: try #require(values["qi"]))
    }
}
