extension CBORValue {
    /// The item in its shortest form with definite lengths (RFC 8949, 4.2.1, except that maps keep their order).
    package func encoded() -> [UInt8] {
        var output: [UInt8] = []
        write(into: &output)
        return output
    }

    private func write(into output: inout [UInt8]) {
        switch self {
        case .unsigned(let number): Self.writeHead(0, number, into: &output)
        case .negative(let number): Self.writeHead(1, number, into: &output)
        case .bytes(let content):
            Self.writeHead(2, UInt64(content.count), into: &output)
            output += content
        case .text(let content):
            Self.writeHead(3, UInt64(content.utf8.count), into: &output)
            output += content.utf8
        case .array(let elements):
            Self.writeHead(4, UInt64(elements.count), into: &output)
            for element in elements { element.write(into: &output) }
        case .map(let map):
            Self.writeHead(5, UInt64(map.count), into: &output)
            for entry in map {
                entry.key.write(into: &output)
                entry.value.write(into: &output)
            }
        case .tagged(let tag, let value):
            Self.writeHead(6, tag, into: &output)
            value.write(into: &output)
        case .boolean(let flag): output.append(flag ? 0xF5 : 0xF4)
        case .null: output.append(0xF6)
        case .undefined: output.append(0xF7)
        case .simple(let value): output += value < 24 ? [0xE0 | value] : [0xF8, value]
        case .float(let number):
            output.append(0xFB)
            Self.writeBigEndian(number.bitPattern, 8, into: &output)
        }
    }

    private static func writeHead(_ major: UInt8, _ argument: UInt64, into output: inout [UInt8]) {
        let initial = major << 5
        switch argument {
        case 0..<24: output.append(initial | UInt8(argument))
        case 24..<(1 << 8):
            output.append(initial | 24)
            writeBigEndian(argument, 1, into: &output)
        case (1 << 8)..<(1 << 16):
            output.append(initial | 25)
            writeBigEndian(argument, 2, into: &output)
        case (1 << 16)..<(1 << 32):
            output.append(initial | 26)
            writeBigEndian(argument, 4, into: &output)
        default:
            output.append(initial | 27)
            writeBigEndian(argument, 8, into: &output)
        }
    }

    private static func writeBigEndian(_ value: UInt64, _ count: Int, into output: inout [UInt8]) {
        for index in (0..<count).reversed() { output.append(UInt8(truncatingIfNeeded: value >> (UInt64(index) * 8))) }
    }
}
