extension CBORValue {
    /// Reads exactly one data item from bytes that nobody vouches for.
    ///
    /// Lengths are definite: RFC 8949 allows indefinite ones, COSE signers do not use them, and a length that is known beforehand is a
    /// length that can be refused beforehand. A key occurs once per map, text is UTF-8, nothing follows the item.
    package static func parse(_ bytes: [UInt8], limits: CBORLimits = CBORLimits()) throws(CBORError) -> CBORValue {
        guard bytes.count <= limits.maximumBytes else { throw CBORError(.tooLarge, offset: 0) }
        var reader = CBORReader(bytes: bytes, limits: limits)
        let value = try reader.item(depth: 0)
        guard reader.offset == bytes.count else { throw CBORError(.trailingData, offset: reader.offset) }
        return value
    }
}

/// Reads items from the front of an array; `offset` never passes its end.
struct CBORReader {
    private let bytes: [UInt8]
    private let limits: CBORLimits
    private let maximumDepth: Int
    private(set) var offset = 0
    private var itemCount = 0

    init(bytes: [UInt8], limits: CBORLimits) {
        self.bytes = bytes
        self.limits = limits
        maximumDepth = Swift.min(limits.maximumDepth, CBORLimits.depthCeiling)
    }

    private var remaining: Int { bytes.count - offset }

    mutating func item(depth: Int) throws(CBORError) -> CBORValue {
        let start = offset
        guard depth <= maximumDepth else { throw CBORError(.tooDeep, offset: start) }
        itemCount += 1
        guard itemCount <= limits.maximumItems else { throw CBORError(.tooManyItems, offset: start) }
        let initial = try byte(start)
        let information = initial & 0x1F
        let major = initial >> 5
        if major == 7 { return try simpleOrFloat(information, start) }
        let argument = try argument(information, start)
        switch major {
        case 0: return .unsigned(argument)
        case 1: return .negative(argument)
        case 2: return .bytes(Array(try content(argument, start)))
        case 3:
            guard let text = String(validating: try content(argument, start), as: UTF8.self) else {
                throw CBORError(.invalidText, offset: start)
            }
            return .text(text)
        case 4: return try array(try elementCount(argument, bytesEach: 1, start), depth)
        case 5: return try map(try elementCount(argument, bytesEach: 2, start), depth)
        default: return .tagged(argument, try item(depth: depth + 1))
        }
    }

    private mutating func array(_ count: Int, _ depth: Int) throws(CBORError) -> CBORValue {
        var elements: [CBORValue] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try item(depth: depth + 1)) }
        return .array(elements)
    }

    private mutating func map(_ count: Int, _ depth: Int) throws(CBORError) -> CBORValue {
        var entries: [CBORMap.Element] = []
        entries.reserveCapacity(count)
        var seen = Set<[UInt8]>(minimumCapacity: count)
        for _ in 0..<count {
            let start = offset
            let key = try item(depth: depth + 1)
            switch key {
            case .unsigned, .negative, .bytes, .text: break
            default: throw CBORError(.unsupportedKey, offset: start)
            }
            // The shortest encoding is the key's identity, however it was written here.
            guard seen.insert(key.encoded()).inserted else { throw CBORError(.duplicateKey, offset: start) }
            entries.append((key, try item(depth: depth + 1)))
        }
        return .map(CBORMap(checked: entries))
    }

    /// A number of elements that the rest of the data has room for, so that memory for it may be taken.
    private func elementCount(_ argument: UInt64, bytesEach: Int, _ start: Int) throws(CBORError) -> Int {
        guard argument <= UInt64(remaining / bytesEach) else { throw CBORError(.truncated, offset: start) }
        let count = Int(argument)
        guard count * bytesEach <= limits.maximumItems - itemCount else { throw CBORError(.tooManyItems, offset: start) }
        return count
    }

    private mutating func content(_ length: UInt64, _ start: Int) throws(CBORError) -> ArraySlice<UInt8> {
        guard length <= UInt64(remaining) else { throw CBORError(.truncated, offset: start) }
        let end = offset + Int(length)
        defer { offset = end }
        return bytes[offset..<end]
    }

    private mutating func byte(_ start: Int) throws(CBORError) -> UInt8 {
        guard remaining > 0 else { throw CBORError(.truncated, offset: start) }
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func bigEndian(_ count: Int, _ start: Int) throws(CBORError) -> UInt64 {
        try content(UInt64(count), start).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The number behind the initial byte (RFC 8949, 3).
    private mutating func argument(_ information: UInt8, _ start: Int) throws(CBORError) -> UInt64 {
        let (value, leastValue): (UInt64, UInt64)
        switch information {
        case 0..<24: return UInt64(information)
        case 24: (value, leastValue) = (try bigEndian(1, start), 24)
        case 25: (value, leastValue) = (try bigEndian(2, start), 1 << 8)
        case 26: (value, leastValue) = (try bigEndian(4, start), 1 << 16)
        case 27: (value, leastValue) = (try bigEndian(8, start), 1 << 32)
        case 31: throw CBORError(.indefiniteLength, offset: start)
        default: throw CBORError(.malformed, offset: start)
        }
        guard value >= leastValue || !limits.requiresShortestForm else { throw CBORError(.notShortest, offset: start) }
        return value
    }

    private mutating func simpleOrFloat(_ information: UInt8, _ start: Int) throws(CBORError) -> CBORValue {
        switch information {
        case 0..<20: return .simple(information)
        case 20: return .boolean(false)
        case 21: return .boolean(true)
        case 22: return .null
        case 23: return .undefined
        case 24:
            let value = try byte(start)
            guard value >= 32 else { throw CBORError(.malformed, offset: start) }
            return .simple(value)
        case 25: return .float(Self.half(UInt16(truncatingIfNeeded: try bigEndian(2, start))))
        case 26: return .float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try bigEndian(4, start)))))
        case 27: return .float(Double(bitPattern: try bigEndian(8, start)))
        case 31: throw CBORError(.indefiniteLength, offset: start)
        default: throw CBORError(.malformed, offset: start)
        }
    }

    // IEEE 754 binary16 by hand: Float16 does not exist on every platform.
    private static func half(_ pattern: UInt16) -> Double {
        let sign: Double = pattern & 0x8000 == 0 ? 1 : -1
        let exponent = Int(pattern >> 10 & 0x1F)
        let fraction = Double(pattern & 0x3FF)
        switch exponent {
        case 0: return sign * Double(sign: .plus, exponent: -24, significand: fraction)
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Double(sign: .plus, exponent: exponent - 25, significand: fraction + 1024)
        }
    }
}
