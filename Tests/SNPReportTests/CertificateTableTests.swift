import SNPReport
import Testing

@Suite("The host's certificate table") struct CertificateTableTests {
    private static let vcek: [UInt8] = [0x63, 0xDA, 0x75, 0x8D, 0xE6, 0x64, 0x45, 0x64, 0xAD, 0xC5, 0xF4, 0xB9, 0x3B, 0xE8, 0xAC, 0xCD]

    private static func entry(_ guid: [UInt8], _ offset: UInt32, _ length: UInt32) -> [UInt8] {
        func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        return guid + word(offset) + word(length)
    }

    private static let end = [UInt8](repeating: 0, count: 24)

    @Test func entriesAreReadInOrder() throws {
        let other = [UInt8](repeating: 0xEE, count: 16)
        let table = Self.entry(Self.vcek, 72, 3) + Self.entry(other, 75, 2) + Self.end + [1, 2, 3, 4, 5] + [0, 0]
        let entries = try CertificateTable.entries(in: table)
        #expect(entries.map(\.kind) == [.vcek, .other])
        #expect(entries.map(\.content) == [[1, 2, 3], [4, 5]])
        #expect(entries[0].guid == "63da758d-e664-4564-adc5-f4b93be8accd")
    }

    @Test(arguments: [0, 24, 4096, 16384]) func zerosAreNoCertificates(count: Int) throws {
        #expect(try CertificateTable.entries(in: [UInt8](repeating: 0, count: count)).isEmpty)
    }

    @Test func hostileTablesAreRefused() {
        let outside: [[UInt8]] = [
            // Inside the header, past the end, overflowing, empty, without an end, too long.
            Self.entry(Self.vcek, 0, 8) + Self.end + [1, 2, 3], Self.entry(Self.vcek, 47, 1) + Self.end + [1, 2, 3],
            Self.entry(Self.vcek, 48, 4) + Self.end + [1, 2, 3], Self.entry(Self.vcek, 52, 1) + Self.end + [1, 2, 3],
            Self.entry(Self.vcek, .max, .max) + Self.end + [1, 2, 3], Self.entry(Self.vcek, 48, .max) + Self.end + [1, 2, 3],
            Self.entry(Self.vcek, 48, 0) + Self.end, Self.entry(Self.vcek, 24, 1), Self.entry(Self.vcek, 24, 1) + [1, 2, 3], [1],
            [UInt8](repeating: 1, count: 4096), [UInt8](repeating: 0, count: 32 * 1024 + 1),
        ]
        for table in outside {
            #expect(throws: CertificateTable.Malformed.self, "\(table.prefix(32))") { try CertificateTable.entries(in: table) }
        }
    }

    @Test func everyCutAndEveryFlippedByteOfAHeaderIsAnAnswerOrAnError() {
        let table = Self.entry(Self.vcek, 48, 3) + Self.end + [1, 2, 3]
        for count in 0..<table.count { _ = try? CertificateTable.entries(in: Array(table.prefix(count))) }
        for index in 0..<48 {
            for bit in 0..<8 {
                var changed = table
                changed[index] ^= 1 << bit
                guard let entries = try? CertificateTable.entries(in: changed) else { continue }
                #expect(entries.allSatisfy { $0.content.count <= 3 })
            }
        }
    }
}
