internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification

extension FuzzTarget {
    /// AMD's extensions of leaf certificates, in a certificate that is made around them.
    static let amdExtensions = FuzzTarget("amd-extensions", maximumBytes: 512, seeds: ExtensionsTarget.seeds, run: ExtensionsTarget.run)
}

/// An input is a list of extensions: which one, the length of its value, the value.
private enum ExtensionsTarget {
    private static let key = Result { try PrivateKey.generateEC(.p384).publicKey.subjectPublicKeyInfo }
    /// 1.3.6.1.4.1.3704.1
    private static let prefix: [UInt8] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0x9C, 0x78, 0x01]
    /// Structure, product name, the patch levels, chip, provider, and one that is not AMD's.
    private static let arcs: [[UInt8]] = [[1], [2]] + (1...10).map { [3, $0] } + [[4], [5], [6]]

    @Sendable static func seeds() -> [[UInt8]] {
        func item(_ arc: Int, _ value: [UInt8]) -> [UInt8] { [UInt8(arc), UInt8(value.count)] + value }
        func level(_ arc: Int, _ level: UInt8) -> [UInt8] { item(arc + 1, integers[Int(level)]) }
        let levels = level(1, 4) + level(2, 0) + level(3, 24) + level(8, 219) + level(4, 0) + level(5, 0) + level(6, 0) + level(7, 0)
        let common = item(0, [2, 1, 0]) + item(1, DERText.element(0x16, Array("Milan-B0".utf8))) + levels
        return [
            common + item(12, [UInt8](0..<64)), common + item(13, DERText.element(0x16, Array("Azure".utf8))),
            levels + level(9, 1) + item(12, DERText.element(0x04, [UInt8](0..<8))), item(12, [UInt8](0..<8)),
        ]
    }

    /// INTEGERs 0 to 255 in DER.
    private static let integers: [[UInt8]] = (0...255).map { $0 < 128 ? [2, 1, UInt8($0)] : [2, 2, 0, UInt8($0)] }

    private static func items(_ input: [UInt8]) -> [(arc: [UInt8], value: [UInt8])] {
        var items: [(arc: [UInt8], value: [UInt8])] = []
        var rest = input[...]
        while let arc = rest.popFirst(), let count = rest.popFirst(), items.count < 32 {
            let value = Array(rest.prefix(Int(count)))
            rest = rest.dropFirst(value.count)
            items.append((arcs[Int(arc) % arcs.count], value))
        }
        return items
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let items = items(input)
        let der = DERText.certificate(key: try key.get(), extensions: items.map { (prefix + $0.arc, $0.value) })
        let certificate = try Certificate(der: der)
        try require(certificate.extensions.map(\.value) == items.map(\.value), "the values of the extensions")
        let second = Expected(items)
        guard let found = try? LeafExtensions(certificate) else {
            try require(second == nil, "refused, and a second reader takes them")
            return false
        }
        guard let second else { throw BrokenProperty(description: "taken, and a second reader refuses them") }
        let levels = planted(found.patchLevels, instead: found.patchLevels[2] ?? 0 > 100 ? [:] : found.patchLevels)
        try require(levels == second.levels, "levels \(found.patchLevels), by the second reader \(second.levels)")
        try require(found.hardwareID == second.hardwareID && found.productName == second.product, "chip or product")
        if let tcb = found.tcb(for: .milan) {
            let order = [1, 2, 4, 5, 6, 7, 3, 8].enumerated()
            let raw = order.reduce(UInt64(0)) { $0 + UInt64(second.levels[$1.element] ?? 0) << UInt64(8 * $1.offset) }
            try require(tcb.raw == raw && second.levels[9] ?? 0 == 0, "the TCB \(tcb.hex)")
        }
        return true
    }

    private struct Expected {
        var levels: [Int: UInt8] = [:]
        var product: String?
        var hardwareID: [UInt8]?

        /// nil where something is not as AMD 57230 has it.
        init?(_ items: [(arc: [UInt8], value: [UInt8])]) {
            var hasProvider = false
            for (arc, value) in items {
                switch arc {
                case [1]: guard isInteger(value) else { return nil }
                case [2]:
                    guard let text = text(value) else { return nil }
                    product = text
                case [4]:
                    let inner = value.count == 66 || value.count == 10 ? Array(value.dropFirst(2)) : value
                    guard [8, 64].contains(inner.count), inner == value || DERText.element(4, inner) == value else { return nil }
                    hardwareID = inner
                case [5]:
                    guard text(value) != nil else { return nil }
                    hasProvider = true
                case [6], [3, 10]: continue
                default:
                    guard let level = integers.firstIndex(of: value) else { return nil }
                    levels[Int(arc[1])] = UInt8(level)
                }
            }
            if hasProvider, hardwareID != nil { return nil }
        }
    }

    /// From 0 to 2^64 - 1 in the shortest form.
    private static func isInteger(_ value: [UInt8]) -> Bool {
        let number = value.dropFirst(2).drop { $0 == 0 }
        let content = (number.first ?? 0x80) >= 0x80 ? [0] + number : Array(number)
        return number.count <= 8 && value == DERText.element(2, content)
    }

    private static func text(_ value: [UInt8]) -> String? {
        for head in [2, 3] where value.count >= head {
            let content = Array(value[head...])
            guard [0x0C, 0x13, 0x16].contains(value[0]), DERText.element(value[0], content) == value else { continue }
            return content.allSatisfy { (0x20...0x7E).contains($0) } ? content.text : nil
        }
        return nil
    }
}
