import COpenSSL
import Glibc
import Synchronization
import Testing

@testable import OpenSSLCrypto

@Suite("Wrapping keys made by several threads")
struct WrappingKeyWorkshopTests {
    /// What came out of `count` primes that as many threads looked for at the same time.
    private func moduli(of workshop: WrappingKeyWorkshop, primes count: Int) async throws -> [[UInt8]] {
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            for _ in 0..<count { group.addTask { try workshop.contribute()?.publicNumbers.n } }
            return try await group.reduce(into: []) { moduli, modulus in if let modulus { moduli.append(modulus) } }
        }
    }

    @Test("Every second prime makes a key, and no prime is in two keys")
    func pairs() async throws {
        let workshop = WrappingKeyWorkshop(keyBits: 2048)
        var moduli = try await moduli(of: workshop, primes: 13)
        #expect(moduli.count == 6)
        // The odd one waits for the next.
        moduli += try await self.moduli(of: workshop, primes: 1)
        #expect(moduli.count == 7)
        let context = try #require(BN_CTX_new())
        defer { BN_CTX_free(context) }
        for (index, left) in moduli.enumerated() {
            for right in moduli[(index + 1)...] {
                let common = try BigNumber()
                let a = try BigNumber(left)
                let b = try BigNumber(right)
                #expect(BN_gcd(common.handle, a.handle, b.handle, context) == 1)
                let isOne = common.isOne
                #expect(isOne)
            }
        }
    }

    @Test("A key is announced once, by its own public half, before its second prime is proven and the key is made")
    func announced() throws {
        let workshop = WrappingKeyWorkshop(keyBits: 2048)
        let pauses = Mutex(0)
        var announced: [(RSAPublicNumbers, pausesBefore: Int)] = []
        func contribute() throws -> RSAPublicNumbers? {
            try workshop.contribute(announce: { announced.append(($0, pauses.withLock { $0 })) }) {
                pauses.withLock { $0 += 1 }
            }?.publicNumbers
        }
        let none = try contribute()
        #expect(none == nil)
        #expect(announced.isEmpty)
        let numbers = try contribute()
        #expect(announced.count == 1)
        #expect(numbers != nil && announced.first?.0 == numbers)
        // A report after trial division, and one after each of seven rounds.
        #expect(announced.first.map { pauses.withLock { $0 } - $0.pausesBefore } == 8)
    }

    @Test("A prime that is discarded is in no key")
    func discarded() throws {
        let workshop = WrappingKeyWorkshop(keyBits: 2048)
        for _ in 0..<2 {
            let none = try workshop.contribute()?.bits
            #expect(none == nil)
            workshop.discard()
        }
        let none = try workshop.contribute()?.bits
        #expect(none == nil)
        let bits = try workshop.contribute()?.bits
        #expect(bits == 2048)
    }

    @Test("The search pauses after each of the rounds that a prime takes, on the caller's thread")
    func pauses() throws {
        let thread = pthread_self()
        let pauses = Mutex((count: 0, elsewhere: 0))
        let workshop = WrappingKeyWorkshop(keyBits: 2048)
        let none = try workshop.contribute(pause: {
            pauses.withLock { pauses in
                pauses.count += 1
                if pthread_equal(pthread_self(), thread) == 0 { pauses.elsewhere += 1 }
            }
        })?.bits
        #expect(none == nil)
        #expect(pauses.withLock { $0.count } >= Int(RSAPrimeSearch.roundCount))
        #expect(pauses.withLock { $0.elsewhere } == 0)
    }

    @Test("Lengths that are not made are refused", arguments: [0, 17, 1024, 2047, 8192, -2048])
    func lengths(bits: Int) {
        let workshop = WrappingKeyWorkshop(keyBits: bits)
        #expect(throws: CryptoError.self) { try workshop.contribute()?.bits }
    }
}
