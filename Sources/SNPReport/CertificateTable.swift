internal import OpenSSLCrypto

/// The host's certificate table of an extended report (GHCB 56421, "SNP Extended Guest Request"; GuestDevice.md, "Certificate table").
///
/// It comes from the host, so nothing in it is believed: entries are bounded before they are read, and whatever is a certificate is
/// verified by its user.
package enum CertificateTable {
    package enum Kind: String, Sendable {
        case vcek, vlek
        /// ASK, or ASVK beside a VLEK.
        case ask
        case ark
        case other
    }

    package struct Entry: Sendable, Equatable {
        package let kind: Kind
        /// In textual order, lower case.
        package let guid: String
        package let content: [UInt8]
    }

    /// What is wrong with a table, in words.
    package struct Malformed: Error, Sendable, CustomStringConvertible { package let description: String }

    /// SEV_FW_BLOB_MAX_SIZE, and with it the longest table that the kernel passes on. configfs-tsm allows 32 KiB.
    package static let maximumBytes = 32 * 1024
    package static let entryCount = 24

    /// The entries in their order; none for an empty table or one of zeros.
    package static func entries(in table: [UInt8]) throws(Malformed) -> [Entry] {
        guard table.count <= maximumBytes else {
            throw Malformed(description: "the certificate table has \(table.count) bytes, at most \(maximumBytes) are allowed")
        }
        var headers: [(guid: [UInt8], offset: Int, length: Int)] = []
        var position = 0
        while true {
            // A table that is filled to its last byte ends without an empty entry only when there is nothing in it.
            guard position + entryCount <= table.count else {
                if table.allSatisfy({ $0 == 0 }) { return [] }
                throw Malformed(description: "the certificate table has no end")
            }
            let entry = table[position..<position + entryCount]
            position += entryCount
            if entry.allSatisfy({ $0 == 0 }) { break }
            let words = [16, 20].map { offset in
                entry[entry.startIndex + offset..<entry.startIndex + offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            }
            headers.append((Array(entry.prefix(16)), words[0], words[1]))
        }
        var entries: [Entry] = []
        for header in headers {
            guard header.offset >= position, header.length > 0, header.offset <= table.count, header.length <= table.count - header.offset
            else {
                throw Malformed(
                    description: "an entry of the certificate table lies outside of it (offset \(header.offset), length \(header.length))")
            }
            let guid = text(header.guid)
            entries.append(
                Entry(kind: kinds[guid] ?? .other, guid: guid, content: Array(table[header.offset..<header.offset + header.length])))
        }
        return entries
    }

    private static let kinds: [String: Kind] = [
        "63da758d-e664-4564-adc5-f4b93be8accd": .vcek, "a8074bc2-a25a-483e-aae6-39c045a0b8a1": .vlek,
        "4ab7b379-bbac-4fe4-a02f-05aef327c782": .ask, "c0b406a4-a803-4952-9743-3fb6014cd0ae": .ark,
    ]

    private static func text(_ guid: [UInt8]) -> String {
        [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Hex.encode(guid[$0]) }.joined(separator: "-")
    }
}
