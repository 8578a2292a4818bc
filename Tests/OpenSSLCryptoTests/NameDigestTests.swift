import COpenSSL
import Testing

@testable import OpenSSLCrypto

/// Names that OpenSSL calls equal must have one digest, or an authority would not be found.
@Suite("Digests of names")
struct NameDigestTests {
    private enum Kind: Int32, CaseIterable {
        case utf8 = 12
        case numeric = 18
        case printable = 19
        case t61 = 20
        case ia5 = 22
        case visible = 26
        case universal = 28
        case bmp = 30

        /// The text in this kind's bytes; nil where it cannot hold it.
        func bytes(of text: String) -> [UInt8]? {
            let scalars = text.unicodeScalars.map(\.value)
            switch self {
            case .utf8: return Array(text.utf8)
            case .bmp:
                return scalars.allSatisfy { $0 < 0x10000 }
                    ? scalars.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } : nil
            case .universal:
                return scalars.flatMap { value in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
            case .t61: return scalars.allSatisfy { $0 < 0x100 } ? scalars.map { UInt8($0) } : nil
            case .numeric, .printable, .ia5, .visible:
                return scalars.allSatisfy { $0 < 0x80 } ? scalars.map { UInt8($0) } : nil
            }
        }
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        switch content.count {
        case ..<128: [tag, UInt8(content.count)] + content
        case ..<256: [tag, 0x81, UInt8(content.count)] + content
        default: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
    }

    /// One attribute: 2.5.4.`type`.
    private static func attribute(_ type: UInt8, _ kind: Kind, _ text: String) -> [UInt8]? {
        kind.bytes(of: text).map {
            element(0x30, element(0x06, [0x55, 0x04, type]) + element(UInt8(kind.rawValue), $0))
        }
    }

    private static func name(_ sets: [[[UInt8]]]) -> [UInt8] {
        element(0x30, sets.flatMap { element(0x31, $0.flatMap(\.self)) })
    }

    private static func digest(_ der: [UInt8]) throws -> UInt64 {
        try der.withUnsafeBytes { try NameDigest.of(try DERReader.sequence(in: $0, "test"), "test") }
    }

    /// What OpenSSL says; nil where it cannot read one of them.
    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool? {
        func parsed(_ der: [UInt8]) -> OpaquePointer? {
            der.withUnsafeBufferPointer { bytes in
                var cursor = bytes.baseAddress
                return d2i_X509_NAME(nil, &cursor, bytes.count)
            }
        }
        defer { ERR_clear_error() }
        let (first, second) = (parsed(left), parsed(right))
        defer {
            X509_NAME_free(first)
            X509_NAME_free(second)
        }
        guard let first, let second else { return nil }
        return X509_NAME_cmp(first, second) == 0
    }

    @Test("Whatever OpenSSL calls equal has one digest: case, spaces, kinds of string, order in a set")
    func equality() throws {
        // Some of these are one name to OpenSSL. U+4142 is "AB" where its bytes are read one by one; U+212A is a K only to those who fold Unicode.
        let texts = [
            "Example Root CA", "example root ca", "EXAMPLE  ROOT\tCA", " Example Root CA ", "ExampleRoot CA",
            "Zürich é",
            "zürich é", "ZÜRICH É", "\u{4142}", "AB", "\u{212A}", "K", "k", "1 2 3", "123", "😀 smile", "😀 SMILE", "",
            "a.b", "a-b",
        ]
        var names: [[UInt8]] = []
        for text in texts {
            for kind in Kind.allCases {
                guard let common = Self.attribute(3, kind, text), let country = Self.attribute(6, .printable, "DE")
                else { continue }
                names.append(Self.name([[country], [common]]))
                if let other = Self.attribute(10, kind, text) {
                    names += [
                        Self.name([[common, other]]), Self.name([[other, common]]), Self.name([[other], [common]]),
                    ]
                }
            }
        }
        let digests = try names.map(Self.digest)
        var equal = 0
        for (index, left) in names.enumerated() {
            for other in names.indices.dropFirst(index + 1) {
                guard Self.areEqual(left, names[other]) == true else { continue }
                equal += 1
                if digests[index] != digests[other] {
                    Issue.record("\(left) and \(names[other]) have different digests")
                }
            }
        }
        #expect(equal > 500)
    }

    @Test("Different words, attributes and numbers of them have different digests")
    func difference() throws {
        func make(_ type: UInt8, _ text: String) throws -> [[UInt8]] {
            [try #require(Self.attribute(type, .utf8, text))]
        }
        let names = [
            Self.name([]), Self.name([try make(3, "Root A")]), Self.name([try make(3, "Root B")]),
            Self.name([try make(10, "Root A")]), Self.name([try make(3, "Root A"), try make(3, "Root A")]),
            Self.name([try make(3, "A Root")]), Self.name([try make(3, "Root"), try make(10, "A")]),
            Self.name([try make(3, "A"), try make(10, "Root")]),
        ]
        #expect(Set(try names.map(Self.digest)).count == names.count)
    }

    @Test("What is no name is an error, wherever it ends")
    func malformed() throws {
        let name = Self.name([[try #require(Self.attribute(3, .utf8, "Example"))]])
        for count in 0..<name.count {
            #expect(throws: CryptoError.self) { _ = try Self.digest(Array(name.prefix(count))) }
        }
        for index in name.indices {
            for value in UInt8.min...UInt8.max {
                var changed = name
                changed[index] = value
                // No byte of it may be read beyond its end, whatever the result.
                _ = try? Self.digest(changed)
            }
        }
        let oid: [UInt8] = [0x06, 0x03, 0x55, 0x04, 0x03]
        for attribute in [oid, oid + [0x0C, 0x01, 0x41, 0x0C, 0x01, 0x41], [0x0C, 0x01, 0x41, 0x0C, 0x01, 0x41]] {
            #expect(throws: CryptoError.self) { _ = try Self.digest(Self.name([[Self.element(0x30, attribute)]])) }
        }
    }
}
