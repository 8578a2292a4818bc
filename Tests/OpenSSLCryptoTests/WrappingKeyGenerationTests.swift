import CVectorRegisters
import SecureMemory
import Testing

@testable import OpenSSLCrypto

@Suite("Making wrapping keys") struct WrappingKeyGenerationTests {
    @Test(
        "The openssl command finds nothing wrong with a new wrapping key", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"),
        arguments: [2048, 2048, 2048, 3072, 4096]) func soundness(bits: Int) throws
    {
        let key = try PrivateKey(try WrappingKeyGeneration.key(bits: bits))
        // Proves primality of both factors and every relation between the numbers (RFC 8017, section 3.2).
        let command = try OpenSSLCommand()
        let file = try command.file("key.pem", key.pem().array)
        #expect(try command.run(["rsa", "-in", file, "-check", "-noout"]).contains("RSA key ok"))
        let numbers = try RSAPrivateNumbers(try PrivateKeyNumbers(key))
        #expect(numbers.e == [1, 0, 1] && numbers.n.count == bits / 8 && numbers.n[0] >= 0x80)
        // FIPS 186-5, A.1.3: both primes in the upper half of their length and far apart, and a private exponent that is not small.
        #expect(numbers.p.count == bits / 16 && numbers.q.count == bits / 16)
        #expect(numbers.p[0] & 0xC0 == 0xC0 && numbers.q[0] & 0xC0 == 0xC0)
        #expect(numbers.q.lexicographicallyPrecedes(numbers.p))
        #expect(numbers.p.prefix(12) != numbers.q.prefix(12))
        #expect(numbers.d.count > bits / 16)
    }

    @Test("A key that does not open what was sealed to it is not given away") func pairwiseTest() throws {
        let other = try #require(try ReferenceKeys.rsa.get().publicKey.rsaNumbers)
        // The private numbers of one key under the public ones of another.
        let refused = CryptoError(operation: "generating an RSA key", reason: "the new key does not open what was sealed to it")
        #expect(throws: refused) {
            _ = try WrappingKeyGeneration.key(bits: 2048) { p, q throws(CryptoError) in
                let key = try WrappingKeyGeneration.assemble(p: p, q: q)
                func number(_ name: String) throws(CryptoError) -> BigNumber {
                    guard let number = key.number(name) else { throw CryptoError(operation: "test", reason: name) }
                    return number
                }
                var assembly = try KeyAssembly("test")
                assembly.add(
                    n: try BigNumber(other.n), e: try BigNumber(other.e), d: try number("d"), p: try number("rsa-factor1"),
                    q: try number("rsa-factor2"), dp: try number("rsa-exponent1"), dq: try number("rsa-exponent2"),
                    qi: try number("rsa-coefficient1"))
                return try assembly.key(type: "RSA", hasPrivatePart: true)
            }
        }
    }

    @Test("A failed assembly is the error of the generation") func failedAssembly() {
        let fault = CryptoError(operation: "test", reason: "no memory")
        #expect(throws: fault) { _ = try WrappingKeyGeneration.key(bits: 2048) { _, _ throws(CryptoError) in throw fault } }
    }

    @Test("C4: after a private operation no vector register holds a part of the key") func registers() throws {
        let key = try ReferenceKeys.rsa.get()
        let numbers = try RSAPrivateNumbers(try PrivateKeyNumbers(key))
        let wrapping = try WrappingKey.generate(bits: 2048)
        let ciphertext = try KeyWrap.wrap(try key.pkcs8DER(), to: try PublicKey(rsa: wrapping.publicNumbers), using: .rsaAESKeyWrap256)
        var registers = [UInt8](repeating: 0, count: Int(BROKER_TEST_REGISTER_BYTES))
        let secret = try wrapping.unwrap(ciphertext, using: .rsaAESKeyWrap256)
        broker_test_read_vector_registers(&registers)
        let afterUnwrap = registers
        registers = [UInt8](repeating: 0, count: registers.count)
        let released = try PrivateKeyNumbers(pkcs8DER: secret, known: key.publicKey.rsaNumbers)
        broker_test_read_vector_registers(&registers)
        let count = secret.count
        let size = released.withNumber("d") { $0.count }
        #expect(count > 1000 && size ?? 0 > 200)
        for private_ in [numbers.d, numbers.p, numbers.q, numbers.dp, numbers.dq, numbers.qi] {
            for piece in Self.pieces(private_) {
                #expect(!Self.contains(afterUnwrap, piece) && !Self.contains(registers, piece))
            }
        }
        // zmm16 to zmm31, where there are any: Swift's code between the operation and the look does not use them.
        #expect(afterUnwrap.suffix(1024).allSatisfy { $0 == 0 } && registers.suffix(1024).allSatisfy { $0 == 0 })
    }

    /// Eight bytes each, as a number is written and as it lies in memory.
    private static func pieces(_ number: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: number.count - 8, by: 8).flatMap { start in
            let piece = Array(number[start..<start + 8])
            return [piece, piece.reversed()]
        }
    }

    private static func contains(_ bytes: [UInt8], _ piece: [UInt8]) -> Bool {
        bytes.indices.dropLast(piece.count - 1).contains { bytes[$0] == piece[0] && Array(bytes[$0..<$0 + piece.count]) == piece }
    }
}
