import CProcessShims
import CVectorRegisters
import SecureMemory
import Testing

/// C4 and C5: what stays of secrets in registers, and who may look at the process.
@Suite("Hardening of the process") struct ProcessHardeningTests {
    private static func registers(after between: @convention(c) () -> Void) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Int(BROKER_TEST_REGISTER_BYTES))
        broker_test_registers_after(between, &output)
        return output
    }

    @Test("C4: every vector register is zero after the wipe, and was not before") func wipe() {
        #expect(Self.registers(after: {}).filter { $0 == 0xA5 }.count >= 256, "the registers can be read")
        #expect(Self.registers(after: { wipeVectorRegisters() }).allSatisfy { $0 == 0 })
    }

    @Test("C5: a hardened process writes no core and lets nobody attach") func harden() {
        #expect(broker_test_dumpable_after(broker_process_harden) == 0)
        #expect(broker_test_dumpable_after { 0 } != 0)
    }

    @Test("C5: a secret lies in memory that no core has, whatever its size", arguments: [1, 32, 16 << 10, (16 << 10) + 1, 1 << 20])
    func undumped(size: Int) throws {
        let secret = SecretBytes(capacity: size) { output in
            output.initializeMemory(as: UInt8.self, repeating: 0x5A)
            return size
        }
        let address = secret.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let flags = try #require(try MappedMemory.flags(at: address))
        #expect(flags.contains("dd"), "MADV_DONTDUMP: \(flags)")
        let isWhole = secret.withUnsafeBytes { $0.allSatisfy { $0 == 0x5A } }
        #expect(isWhole)
    }

    @Test("More secrets than the secure heap holds, and none of them is zeroed too late or shared") func manySecrets() {
        for _ in 0..<3 {
            let holders = (0..<300).map { Holder(UInt8(truncatingIfNeeded: $0)) }
            for (index, holder) in holders.enumerated() { #expect(holder.isWhole(UInt8(truncatingIfNeeded: index))) }
        }
    }

    private final class Holder: Sendable {
        private let secret: SecretBytes
        init(_ value: UInt8) {
            secret = SecretBytes(capacity: 12 << 10) { output in
                guard output.allSatisfy({ $0 == 0 }) else { return 0 }
                output.initializeMemory(as: UInt8.self, repeating: value)
                return output.count
            }
        }
        func isWhole(_ value: UInt8) -> Bool { secret.withUnsafeBytes { $0.count == 12 << 10 && $0.allSatisfy { $0 == value } } }
    }
}
