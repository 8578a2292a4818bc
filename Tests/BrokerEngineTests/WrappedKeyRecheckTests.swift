import BrokerCore
import BrokerTestKit
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SecureMemory
import Testing

@testable import BrokerEngine

@Suite("What the engine checks again about released keys") struct WrappedKeyRecheckTests {
    @Test(
        "an answer for another key is refused",
        arguments: [
            "https://one.vault.example/keys/other/d00a04794ffb49e1a0e088635fc92ef2",
            "https://one.vault.example/keys/k1/d00a04794ffb49e1a0e088635fc92ef2",
            "https://one.vault.example/keys/k/00000000000000000000000000000000",
            "https://one.vault.example/keys/k/d00a04794ffb49e1a0e088635fc92ef2/",
            "https://one.vault.example/keys/k/d00a04794ffb49e1a0e088635fc92ef2?x=y", "https://one.vault.example/keys/k/",
            "https://one.vault.example/keys/k", "https://one.vault.example",
            "https://one.vault.example/secrets/k/d00a04794ffb49e1a0e088635fc92ef2",
            "https://two.vault.example/keys/k/d00a04794ffb49e1a0e088635fc92ef2",
            "https://one.vault.example.evil.example/keys/k/d00a04794ffb49e1a0e088635fc92ef2",
            "https://one.vault.example:8443/keys/k/d00a04794ffb49e1a0e088635fc92ef2",
            "http://one.vault.example/keys/k/d00a04794ffb49e1a0e088635fc92ef2", "one.vault.example/keys/k/d00a04794ffb49e1a0e088635fc92ef2",
            "d00a04794ffb49e1a0e088635fc92ef2", "",
        ]) func otherKey(keyID: String) async throws
    {
        let error = try await failure(kid: "k/\(Honest.version)") { reference, wrapped in Changed(keyID: keyID).applied(to: wrapped) }
        #expect(error?.outcome == "upstreamInvalid at release")
    }

    @Test(
        "without a version asked for, the answer still needs one of the right form",
        arguments: ["", "/", "/1", "/latest", "/../other", "/\(String(repeating: "a", count: 33))"]) func version(suffix: String)
        async throws
    {
        let error = try await failure { reference, wrapped in Changed(keyID: "\(reference)\(suffix)").applied(to: wrapped) }
        #expect(error?.outcome == "upstreamInvalid at release")
    }

    @Test("case 13: an answer in another case is this key's, and keeps the store's spelling") func otherCase() async throws {
        let keyID = "https://One.vault.example/keys/K/\(Honest.version.uppercased())"
        var subject = try EngineUnderTest()
        let key = try Honest.key(.oct)
        subject.wrapped = { reference, token throws(BrokerError) in
            Changed(keyID: keyID).applied(to: try Honest.wrapped(reference, token, key))
        }
        let engine = try subject.engine()
        let request = ReleaseRequest(key: try #require(KeyName("k/\(Honest.version)")))
        let released = try await engine.release(request, in: engine.makeContext(id: "test"))
        #expect(released.keyID == keyID)
    }

    @Test("a name that only Unicode calls equal is another key") func unicodeName() async throws {
        let error = try await failure(kid: "K") { reference, wrapped in
            Changed(keyID: "https://one.vault.example/keys/\u{212A}/\(Honest.version)").applied(to: wrapped)
        }
        #expect(error?.outcome == "upstreamInvalid at release")
    }

    @Test("a store that says no ends the request") func denied() async throws {
        var subject = try EngineUnderTest()
        subject.wrapped = { _, _ throws(BrokerError) in throw BrokerError(.releaseDenied, at: .release, "no") }
        #expect(try await subject.failure()?.outcome == "releaseDenied at release")
    }

    @Test("a key that is wrapped to somebody else does not open") func otherWrappingKey() async throws {
        let stranger = try PrivateKey.generateRSA(bits: 2048).publicKey
        let error = try await failure { _, wrapped in
            let ciphertext = try? Honest.wrap([UInt8](repeating: 7, count: 32), to: stranger, using: wrapped.algorithm)
            return Changed(ciphertext: ciphertext).applied(to: wrapped)
        }
        #expect(error?.outcome == "unwrapFailed at unwrap")
    }

    @Test("a key that is wrapped in another way than the answer says does not open") func otherAlgorithm() async throws {
        let error = try await failure { _, wrapped in Changed(algorithm: .ckmRSAAESKeyWrap).applied(to: wrapped) }
        #expect(error?.outcome == "unwrapFailed at unwrap")
    }

    // What is left needs no request: opening a key depends on nothing but the answer and the wrapping key.

    @Test("ciphertext of every length from 0 to 300 bytes is the same refusal", arguments: KeyWrapAlgorithm.allCases) func everyLength(
        algorithm: KeyWrapAlgorithm
    ) throws {
        let wrappingKey = try WrappingKey.generate(bits: 2048)
        let key = try PublicKey(rsa: wrappingKey.publicNumbers)
        // Beyond the first 256 bytes there is a true key encryption key, which alone makes the second part interesting.
        let true32 = try Honest.wrap([UInt8](repeating: 7, count: 32), to: key, using: algorithm)
        #expect(true32.count == 296)
        var messages: Set<String> = []
        for length in 0...300 {
            let random = SecureRandom.bytes(length)
            let zeros = [UInt8](repeating: 0, count: length)
            let ones = [UInt8](repeating: 0xFF, count: length)
            let half = length == true32.count ? random : Array((true32 + random).prefix(length))
            for ciphertext in [random, zeros, ones, half, Array((true32.prefix(256) + random).prefix(length))] {
                let error = failure(ciphertext, algorithm, wrappingKey)
                #expect(error?.outcome == "unwrapFailed at unwrap", "\(length) bytes")
                if let error { messages.insert("\(error) \(error.cause.map { "\($0)" } ?? "")") }
            }
        }
        #expect(messages.count == 1, "the words tell an attacker how far a ciphertext got: \(messages)")
        #expect(failure(true32, algorithm, wrappingKey) == nil)
    }

    @Test("content of another kind than the answer says is refused") func otherType() throws {
        let rsa = try Honest.key(.rsa)
        let ec = try Honest.key(.ec)
        let oct = try Honest.key(.oct)
        try expectRefusals([
            ("EC content as RSA", .rsa, ec.content, nil), ("RSA content as EC", .ec, rsa.content, nil),
            ("EC content as RSA, described as EC", .rsa, ec.content, ec.publicPart),
            ("RSA content as EC, described as RSA", .ec, rsa.content, rsa.publicPart), ("oct content as RSA", .rsa, oct.content, nil),
            ("oct content as EC", .ec, oct.content, nil), ("RSA content as oct, described as RSA", .oct, rsa.content, rsa.publicPart),
        ])
    }

    @Test("a private key that is not the described one is refused") func otherPublicPart() throws {
        let rsa = try Honest.key(.rsa)
        guard case .rsa(let n, let e)? = rsa.publicPart else { throw Honest.Missing() }
        let curves = try Honest.keys.get().filter { $0.type == .ec }
        try #require(curves.count == 3)
        guard case .ec(let curve, let x, let y)? = curves[0].publicPart else { throw Honest.Missing() }
        try expectRefusals([
            ("n differs", .rsa, rsa.content, .rsa(n: Array(n.dropLast()) + [n[n.count - 1] ^ 2], e: e)),
            ("n is empty", .rsa, rsa.content, .rsa(n: [], e: e)), ("e differs", .rsa, rsa.content, .rsa(n: n, e: [3])),
            ("described as EC", .rsa, rsa.content, curves[0].publicPart),
            ("another curve's key", .ec, curves[0].content, curves[1].publicPart),
            ("curve is named otherwise", .ec, curves[0].content, .ec(curve: "P-384", x: x, y: y)),
            ("x and y swapped", .ec, curves[0].content, .ec(curve: curve, x: y, y: x)),
            ("y differs", .ec, curves[0].content, .ec(curve: curve, x: x, y: Array(y.dropLast()) + [y[y.count - 1] ^ 1])),
            ("x is cut", .ec, curves[0].content, .ec(curve: curve, x: Array(x.dropFirst()), y: y)),
            ("described as RSA", .ec, curves[0].content, rsa.publicPart),
        ])
    }

    @Test("what is no private key in PKCS#8 is refused inside a correct wrap") func garbage() throws {
        for key in [try Honest.key(.rsa), try Honest.key(.ec)] {
            var flipped = key.content
            flipped[flipped.count / 2] ^= 0x10
            let contents: [(String, [UInt8])] = [
                ("one byte", [0]), ("random", SecureRandom.bytes(64)), ("zeros", [UInt8](repeating: 0, count: 1218)),
                ("cut", key.content.dropLast()), ("trailing byte", key.content + [0]), ("twice", key.content + key.content),
                ("one bit", flipped), ("text", Array("-----BEGIN PRIVATE KEY-----".utf8)),
                ("endless length", [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF] + key.content.dropFirst(4)),
            ]
            try expectRefusals(contents.map { ("\(key.type) \($0)", key.type, $1, key.publicPart) })
        }
    }

    @Test("what is described truly, or not at all, opens") func honestCounterparts() throws {
        let wrappingKey = try WrappingKey.generate(bits: 2048)
        let to = try PublicKey(rsa: wrappingKey.publicNumbers)
        for key in try Honest.keys.get() {
            for part in [key.publicPart, nil] {
                let wrapped = WrappedKey(
                    keyID: "id", type: key.type, operations: [], algorithm: .rsaAESKeyWrap384,
                    ciphertext: try Honest.wrap(key.content, to: to, using: .rsaAESKeyWrap384), publicPart: part)
                let released = try BrokerEngine.open(wrapped, with: wrappingKey)
                #expect(released.keyID == "id")
                #expect(released.text() == (try ExpectedJWK.text(of: key, operations: [])))
            }
        }
    }

    private struct Changed {
        var keyID: String?
        var ciphertext: [UInt8]?
        var algorithm: KeyWrapAlgorithm?

        func applied(to wrapped: WrappedKey) -> WrappedKey {
            WrappedKey(
                keyID: keyID ?? wrapped.keyID, type: wrapped.type, operations: wrapped.operations,
                algorithm: algorithm ?? wrapped.algorithm, ciphertext: ciphertext ?? wrapped.ciphertext, publicPart: wrapped.publicPart)
        }
    }

    /// A release whose store changes its honest answer.
    private func failure(kid: String = "k", _ change: @escaping @Sendable (KeyReference, WrappedKey) -> WrappedKey) async throws
        -> BrokerError?
    {
        var subject = try EngineUnderTest()
        let key = try Honest.key(.oct)
        subject.wrapped = { reference, token throws(BrokerError) in change(reference, try Honest.wrapped(reference, token, key)) }
        let error = try await subject.failure(kid: kid)
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1, store: 1))
        return error
    }

    private func failure(
        _ ciphertext: [UInt8], _ algorithm: KeyWrapAlgorithm, _ wrappingKey: borrowing WrappingKey, type: WrappedKey.KeyType = .oct,
        publicPart: WrappedKey.PublicPart? = nil
    ) -> BrokerError? {
        do {
            _ = try BrokerEngine.open(
                WrappedKey(keyID: "id", type: type, operations: [], algorithm: algorithm, ciphertext: ciphertext, publicPart: publicPart),
                with: wrappingKey)
            return nil
        } catch { return error }
    }

    private func expectRefusals(_ cases: [(name: String, type: WrappedKey.KeyType, content: [UInt8], part: WrappedKey.PublicPart?)]) throws
    {
        let wrappingKey = try WrappingKey.generate(bits: 2048)
        let to = try PublicKey(rsa: wrappingKey.publicNumbers)
        for (name, type, content, part) in cases {
            let ciphertext = try Honest.wrap(content, to: to, using: .rsaAESKeyWrap256)
            let error = failure(ciphertext, .rsaAESKeyWrap256, wrappingKey, type: type, publicPart: part)
            #expect(error?.outcome == "unwrapFailed at unwrap", "\(name)")
        }
    }
}
