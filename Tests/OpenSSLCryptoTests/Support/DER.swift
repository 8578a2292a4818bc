/// As much of DER as tests need to take a structure apart and put it together wrongly.
enum DER {
    struct Failure: Error {}

    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        if count < 0x80 { return [tag, UInt8(count)] + content }
        if count < 0x100 { return [tag, 0x81, UInt8(count)] + content }
        return [tag, 0x82, UInt8(count >> 8), UInt8(count & 0xFF)] + content
    }

    static func content(of element: [UInt8]) throws -> [UInt8] {
        let (start, count) = try header(element[...])
        return Array(element[start..<start + count])
    }

    static func children(of element: [UInt8]) throws -> [[UInt8]] {
        var rest = try content(of: element)[...]
        var result: [[UInt8]] = []
        while !rest.isEmpty {
            let (start, count) = try header(rest)
            result.append(Array(rest[rest.startIndex..<start + count]))
            rest = rest[(start + count)...]
        }
        return result
    }

    private static func header(_ bytes: ArraySlice<UInt8>) throws -> (start: Int, count: Int) {
        let first = bytes.startIndex
        guard bytes.count >= 2 else { throw Failure() }
        var start = first + 2
        var count = Int(bytes[first + 1])
        if count >= 0x80 {
            let size = count & 0x7F
            guard size <= 2, bytes.count >= 2 + size else { throw Failure() }
            count = bytes[start..<start + size].reduce(0) { $0 << 8 | Int($1) }
            start += size
        }
        guard start + count <= bytes.endIndex else { throw Failure() }
        return (start, count)
    }
}
