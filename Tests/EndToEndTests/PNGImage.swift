import Foundation

/// The pixels of a screenshot: PNG with eight bits a channel, not interlaced (PNG specification, ISO/IEC 15948), which is what browsers write.
struct PNGImage {
    struct Malformed: Error { let reason: String }

    let width: Int
    let height: Int
    /// Red, green, blue of each pixel, row by row.
    let pixels: [UInt32]

    init(_ data: Data) throws {
        let bytes = [UInt8](data)
        guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else { throw Malformed(reason: "signature") }
        func number(_ offset: Int) -> Int { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
        var position = 8
        var header: [UInt8] = []
        var compressed: [UInt8] = []
        while position + 12 <= bytes.count {
            let length = number(position)
            guard position + 12 + length <= bytes.count else { throw Malformed(reason: "chunk") }
            let kind = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
            let content = bytes[position + 8..<position + 8 + length]
            if kind == "IHDR" { header = Array(content) }
            if kind == "IDAT" { compressed += content }
            position += 12 + length
        }
        guard header.count == 13, header[8] == 8, [2, 6].contains(header[9]), header[12] == 0 else { throw Malformed(reason: "kind") }
        width = header[0..<4].reduce(0) { $0 << 8 | Int($1) }
        height = header[4..<8].reduce(0) { $0 << 8 | Int($1) }
        let channels = header[9] == 6 ? 4 : 3
        let rows = try Inflate.zlib(compressed)
        pixels = try Self.unfiltered(rows, width: width, height: height, channels: channels)
    }

    /// How many pixels have exactly that colour, 0xRRGGBB.
    func count(of colour: UInt32) -> Int { pixels.count { $0 == colour } }

    private static func unfiltered(_ data: [UInt8], width: Int, height: Int, channels: Int) throws -> [UInt32] {
        let stride = width * channels
        guard data.count == height * (stride + 1) else { throw Malformed(reason: "size") }
        var previous = [UInt8](repeating: 0, count: stride)
        var pixels: [UInt32] = []
        pixels.reserveCapacity(width * height)
        for row in 0..<height {
            let start = row * (stride + 1)
            let filter = data[start]
            var line = Array(data[start + 1..<start + 1 + stride])
            for index in 0..<stride {
                let left = index >= channels ? line[index - channels] : 0
                let up = previous[index]
                let corner = index >= channels ? previous[index - channels] : 0
                switch filter {
                case 0: break
                case 1: line[index] &+= left
                case 2: line[index] &+= up
                case 3: line[index] &+= UInt8((Int(left) + Int(up)) / 2)
                case 4: line[index] &+= paeth(left, up, corner)
                default: throw Malformed(reason: "filter")
                }
            }
            for pixel in 0..<width {
                let at = pixel * channels
                pixels.append(UInt32(line[at]) << 16 | UInt32(line[at + 1]) << 8 | UInt32(line[at + 2]))
            }
            previous = line
        }
        return pixels
    }

    private static func paeth(_ a: UInt8, _ b: UInt8, _ c: UInt8) -> UInt8 {
        let estimate = Int(a) + Int(b) - Int(c)
        let distances = [abs(estimate - Int(a)), abs(estimate - Int(b)), abs(estimate - Int(c))]
        if distances[0] <= distances[1], distances[0] <= distances[2] { return a }
        return distances[1] <= distances[2] ? b : c
    }
}

/// Decompression for the tests (RFC 1950 and 1951).
enum Inflate {
    private static let lengthBase = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
    ]
    private static let lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
    private static let distanceBase = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289,
        16385, 24577,
    ]
    private static let distanceBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]

    struct Malformed: Error {}

    static func zlib(_ data: [UInt8]) throws -> [UInt8] {
        guard data.count > 6 else { throw Malformed() }
        var reader = Bits(Array(data[2...]))
        var output: [UInt8] = []
        while true {
            let isLast = try reader.take(1) == 1
            switch try reader.take(2) {
            case 0: try reader.stored(into: &output)
            case 1:
                let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
                try block(&reader, Codes(lengths), Codes([Int](repeating: 5, count: 30)), into: &output)
            case 2:
                let (literals, distances) = try dynamicCodes(&reader)
                try block(&reader, literals, distances, into: &output)
            default: throw Malformed()
            }
            if isLast { return output }
        }
    }

    private static func dynamicCodes(_ reader: inout Bits) throws -> (Codes, Codes) {
        let literals = try reader.take(5) + 257
        let distances = try reader.take(5) + 1
        let count = try reader.take(4) + 4
        var lengths = [Int](repeating: 0, count: 19)
        for index in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].prefix(count) {
            lengths[index] = try reader.take(3)
        }
        let codes = Codes(lengths)
        var all: [Int] = []
        while all.count < literals + distances {
            switch try codes.read(&reader) {
            case 16:
                guard let last = all.last else { throw Malformed() }
                all += [Int](repeating: last, count: try reader.take(2) + 3)
            case 17: all += [Int](repeating: 0, count: try reader.take(3) + 3)
            case 18: all += [Int](repeating: 0, count: try reader.take(7) + 11)
            case let length: all.append(length)
            }
        }
        guard all.count == literals + distances else { throw Malformed() }
        return (Codes(Array(all[..<literals])), Codes(Array(all[literals...])))
    }

    private static func block(_ reader: inout Bits, _ literals: Codes, _ distances: Codes, into output: inout [UInt8]) throws {
        while true {
            let symbol = try literals.read(&reader)
            if symbol < 256 {
                output.append(UInt8(symbol))
            } else if symbol == 256 {
                return
            } else {
                guard symbol - 257 < lengthBase.count else { throw Malformed() }
                let length = lengthBase[symbol - 257] + (try reader.take(lengthBits[symbol - 257]))
                let code = try distances.read(&reader)
                guard code < distanceBase.count else { throw Malformed() }
                let distance = distanceBase[code] + (try reader.take(distanceBits[code]))
                guard distance <= output.count else { throw Malformed() }
                for _ in 0..<length { output.append(output[output.count - distance]) }
            }
        }
    }

    /// Bits, the lowest of each byte first.
    private struct Bits {
        private let data: [UInt8]
        private var position = 0
        private var held = 0
        private var count = 0

        init(_ data: [UInt8]) { self.data = data }

        mutating func take(_ wanted: Int) throws -> Int {
            while count < wanted {
                guard position < data.count else { throw Malformed() }
                held |= Int(data[position]) << count
                position += 1
                count += 8
            }
            let value = held & ((1 << wanted) - 1)
            held >>= wanted
            count -= wanted
            return value
        }

        mutating func stored(into output: inout [UInt8]) throws {
            held = 0
            count = 0
            let length = try take(16)
            _ = try take(16)
            guard position + length <= data.count else { throw Malformed() }
            output += data[position..<position + length]
            position += length
        }
    }

    /// A canonical Huffman code: how many codes there are of each length, and the symbols in their order.
    private struct Codes {
        private var counts = [Int](repeating: 0, count: 16)
        private var symbols: [Int] = []

        init(_ lengths: [Int]) {
            for length in lengths { counts[length] += 1 }
            counts[0] = 0
            symbols = lengths.indices.filter { lengths[$0] > 0 }.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
        }

        func read(_ reader: inout Bits) throws -> Int {
            var code = 0
            var first = 0
            var index = 0
            for length in 1...15 {
                code |= try reader.take(1)
                if code - counts[length] < first { return symbols[index + code - first] }
                index += counts[length]
                first = (first + counts[length]) << 1
                code <<= 1
            }
            throw Malformed()
        }
    }
}
