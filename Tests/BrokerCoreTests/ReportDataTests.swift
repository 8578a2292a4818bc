import BrokerCore
import Testing

@Suite("Report data") struct ReportDataTests {
    @Test("runtime data is bound by its SHA-256 and 32 zero bytes") func hashed() {
        // FIPS 180-4 example "abc".
        let digest: [UInt8] = [
            0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA, 0x41, 0x41, 0x40, 0xDE, 0x5D, 0xAE, 0x22, 0x23, 0xB0, 0x03, 0x61, 0xA3, 0x96,
            0x17, 0x7A, 0x9C, 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD,
        ]
        #expect(RuntimeData(Array("abc".utf8)).reportData.bytes == digest + [UInt8](repeating: 0, count: 32))
        #expect(ReportData(sha256Of: "abc".utf8) == RuntimeData(Array("abc".utf8)).reportData)
    }

    @Test("64 bytes are taken as they are, any other number is refused") func exact() {
        let bytes = [UInt8](0..<64)
        #expect(ReportData(exactly: bytes)?.bytes == bytes)
        for count in [0, 32, 63, 65] { #expect(ReportData(exactly: [UInt8](repeating: 1, count: count)) == nil) }
    }
}
