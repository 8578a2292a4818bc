/// Changes of inputs that are the same on every machine: no clock and no system randomness.
struct Mutations {
    private var state: UInt64
    private let seeds: [[UInt8]]
    private let maximumBytes: Int

    /// Bytes that formats give a meaning to.
    private static let marks = Array("{}[]\",:.=-+/\\\r\n %0918".utf8) + [0, 1, 0x1E, 0x7F, 0x80, 0xFF, 0x30, 0x82]

    init(of seeds: [[UInt8]], name: String, maximumBytes: Int) {
        self.seeds = seeds
        self.maximumBytes = maximumBytes
        state = name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// SplitMix64.
    private mutating func random(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ value >> 31) % UInt64(max(1, limit)))
    }

    /// One to four changes of one of the seeds.
    mutating func next() -> [UInt8] {
        var bytes = seeds[random(seeds.count)]
        for _ in 0...random(4) { change(&bytes) }
        return Array(bytes.prefix(maximumBytes))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes.append(UInt8(random(256))) }
        let place = random(bytes.count)
        let end = min(bytes.count, place + 1 + random(16))
        switch random(8) {
        case 0: bytes[place] ^= 1 << UInt8(random(8))
        case 1: bytes[place] = Self.marks[random(Self.marks.count)]
        case 2: bytes[place] = UInt8(random(256))
        case 3: bytes.insert(Self.marks[random(Self.marks.count)], at: place)
        case 4: bytes.removeSubrange(place..<end)
        case 5: bytes.insert(contentsOf: bytes[place..<end], at: random(bytes.count))
        case 6: bytes.removeSubrange(place...)
        default:
            let other = seeds[random(seeds.count)]
            bytes = Array(bytes[..<place] + other.dropFirst(random(other.count)))
        }
    }
}
