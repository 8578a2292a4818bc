/// DER written by hand: certificates without a valid signature cost nothing.
enum DERText {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        switch content.count {
        case ..<0x80: [tag, UInt8(content.count)] + content
        case ..<0x100: [tag, 0x81, UInt8(content.count)] + content
        default: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap(\.self)) }

    private static func name(_ text: String) -> [UInt8] {
        sequence(element(0x31, sequence([0x06, 0x03, 0x55, 0x04, 0x03], element(0x0C, Array(text.utf8)))))
    }

    /// ecdsa-with-SHA384.
    private static let algorithm = sequence([0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03])

    /// `extensions`: object identifier without its head, and value.
    static func certificate(key: [UInt8], extensions: [(oid: [UInt8], value: [UInt8])]) -> [UInt8] {
        let list = extensions.flatMap { sequence(element(0x06, $0.oid), element(0x04, $0.value)) }
        let validity = sequence(element(0x17, Array("240101000000Z".utf8)), element(0x17, Array("340101000000Z".utf8)))
        let content = sequence(
            [0xA0, 0x03, 0x02, 0x01, 0x02], [0x02, 0x01, 0x00], algorithm, name("SEV-Milan"), validity, name("SEV-VCEK"), key,
            element(0xA3, element(0x30, list)))
        return sequence(content, algorithm, element(0x03, [0x00] + sequence([0x02, 0x01, 0x01], [0x02, 0x01, 0x01])))
    }
}
