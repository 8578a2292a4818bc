internal import UVMEndorsements

extension FuzzTarget {
    /// CBOR: a second reader takes the same and understands the same.
    static let cbor = FuzzTarget("cbor", maximumBytes: 1024, seeds: CBORTarget.seeds, run: CBORTarget.run)
}

private enum CBORTarget {
    private static let limits = CBORLimits(maximumBytes: 900, maximumDepth: 5, maximumItems: 60)

    @Sendable static func seeds() -> [[UInt8]] {
        let map = CBORMap([(1, "a"), (-7, .bytes([1, 2])), ("key", [1, 2, 3]), (.bytes([9]), .null)])
        let values: [CBORValue] = [
            .map(map), [.tagged(18, [1, .bytes([]), .null]), .boolean(true), .simple(200), .undefined], .float(1.5), .negative(.max),
            .unsigned(1 << 40), [[[[.text("ü")]]]],
        ]
        return values.map { $0.encoded() } + [
            [0xF9, 0x3E, 0x00], [0xFA, 0x7F, 0xC0, 0, 0], [0x18, 0x05], [0x1B, 0, 0, 0, 0, 0, 0, 0, 1],
        ]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        var second = SecondReader(rest: input[...])
        let canonical = input.count <= limits.maximumBytes ? second.item(0) : nil
        let expected = second.rest.isEmpty && second.items <= limits.maximumItems ? canonical : nil
        guard let value = try? read(input) else {
            try require(expected == nil, "refused, and a second reader takes it")
            return false
        }
        guard let expected else { throw BrokenProperty(description: "taken, and a second reader refuses it") }
        let encoded = value.encoded()
        if !second.hasFloat { try require(encoded == expected, "written again it is \(encoded), by the second reader \(expected)") }
        let again = try CBORValue.parse(encoded)
        try require(again == value && again.encoded() == encoded, "read again it is something else")
        var strict = limits
        strict.requiresShortestForm = true
        let isShortest = (try? CBORValue.parse(input, limits: strict)) != nil
        if !second.hasFloat { try require(isShortest == (encoded == input), "shortest form: \(isShortest)") }
        return true
    }

    private static func read(_ input: [UInt8]) throws -> CBORValue {
        let value = Result { try CBORValue.parse(input, limits: limits) }
        return try planted(
            value, instead: input.count % 4 == 1 ? Result { try CBORValue.parse(Array(input.dropLast()), limits: limits) } : value
        )
        .get()
    }

    /// RFC 8949, of definite length, as its shortest encoding; nil where it is not well-formed or not allowed here.
    private struct SecondReader {
        var rest: ArraySlice<UInt8>
        var items = 0
        var hasFloat = false

        mutating func item(_ depth: Int) -> [UInt8]? {
            items += 1
            guard depth <= 5, items <= 1000, let first = rest.popFirst() else { return nil }
            let (major, low) = (first >> 5, Int(first & 31))
            let width = low < 24 ? 0 : low < 28 ? 1 << (low - 24) : -1
            guard width >= 0, rest.count >= width else { return nil }
            let argument = low < 24 ? UInt64(low) : rest.prefix(width).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let head = Array(rest.prefix(width))
            rest = rest.dropFirst(width)
            switch major {
            case 0, 1: return Self.head(major, argument)
            case 2, 3:
                guard argument <= rest.count else { return nil }
                let content = Array(rest.prefix(Int(argument)))
                rest = rest.dropFirst(content.count)
                guard major == 2 || String(validating: content, as: UTF8.self) != nil else { return nil }
                return Self.head(major, argument) + content
            case 4: return list(Self.head(4, argument), argument, depth)
            case 5: return map(argument, depth)
            case 6: return item(depth + 1).map { Self.head(6, argument) + $0 }
            default:
                guard width < 2 else {
                    hasFloat = true
                    return [first] + head
                }
                // A simple value below 32 has one byte.
                return width == 0 ? [first] : argument >= 32 ? [first] + head : nil
            }
        }

        private mutating func list(_ head: [UInt8], _ count: UInt64, _ depth: Int) -> [UInt8]? {
            var result = head
            guard count <= rest.count else { return nil }
            for _ in 0..<count {
                guard let item = item(depth + 1) else { return nil }
                result += item
            }
            return result
        }

        private mutating func map(_ count: UInt64, _ depth: Int) -> [UInt8]? {
            var result = Self.head(5, count)
            var keys: Set<[UInt8]> = []
            guard count <= rest.count / 2 else { return nil }
            for _ in 0..<count {
                guard let key = item(depth + 1), key[0] >> 5 < 4, keys.insert(key).inserted, let value = item(depth + 1) else { return nil }
                result += key + value
            }
            return result
        }

        private static func head(_ major: UInt8, _ argument: UInt64) -> [UInt8] {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: argument >> UInt64(56 - 8 * $0)) }
            let start = major << 5
            if argument < 24 { return [start | UInt8(argument)] }
            for (low, width) in [(24, 1), (25, 2), (26, 4)] where argument >> UInt64(8 * width) == 0 {
                return [start | UInt8(low)] + bytes.suffix(width)
            }
            return [start | 27] + bytes
        }
    }
}
