/// What is checked before the parser sees a byte. Jansson's own nesting limit is a compile-time 2048, reached with the tree already built.
struct DocumentScan {
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// Refuses NUL bytes, too deep nesting and too many values, and requires an object or array at the top.
    static func check(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) throws(JSONError) {
        let maximumDepth = min(limits.maximumDepth, JSONLimits.depthCeiling)
        var depth = 0
        var values = 0
        var sawStart = false
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case 0: throw failure(.syntax, "a NUL byte is not allowed", bytes, position)
            case quote:
                guard sawStart else { throw failure(.syntax, "expected an object or an array at the top level", bytes, position) }
                position = try endOfCheckedString(in: bytes, openedAt: position) - 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                values += 1
                if depth > maximumDepth { throw failure(.tooDeep, "nested deeper than \(maximumDepth) levels", bytes, position) }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): values += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                position += 1
                continue
            default: break
            }
            if values > limits.maximumValues { throw failure(.tooLarge, "more than \(limits.maximumValues) values", bytes, position) }
            if !sawStart {
                guard depth == 1 else { throw failure(.syntax, "expected an object or an array at the top level", bytes, position) }
                sawStart = true
            }
            position += 1
        }
        guard sawStart else { throw JSONError(.syntax, "the document is empty", line: 1, position: 0) }
    }

    /// The position behind a string's closing quote, or behind the document where there is none.
    private static func endOfCheckedString(in bytes: UnsafeBufferPointer<UInt8>, openedAt start: Int) throws(JSONError) -> Int {
        var position = start + 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == quote { return position + 1 }
            if byte == 0 { throw failure(.syntax, "a NUL byte is not allowed", bytes, position) }
            position += 1
            guard byte == backslash, position < bytes.count else { continue }
            if bytes[position] == 0 { throw failure(.syntax, "a NUL byte is not allowed", bytes, position) }
            position += 1
        }
        return bytes.count
    }

    /// Where integers end that `Int64` cannot hold, in ascending order.
    static func endsOfBigIntegers(in bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
        var ends: [Int] = []
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == quote {
                position = endOfString(in: bytes, openedAt: position)
            } else if isNumberByte(byte) {
                let start = position
                while position < bytes.count, isNumberByte(bytes[position]) { position += 1 }
                let number = bytes[start..<position]
                let digits = number.first == UInt8(ascii: "-") ? number.dropFirst() : number
                // The shortest integer beyond Int64 has 19 digits. A text that is no integer is left to the parser.
                guard digits.count >= 19, digits.allSatisfy(isDigit) else { continue }
                if Int64(String(decoding: number, as: UTF8.self)) == nil { ends.append(position) }
            } else {
                position += 1
            }
        }
        return ends
    }

    private static func endOfString(in bytes: UnsafeBufferPointer<UInt8>, openedAt start: Int) -> Int {
        var position = start + 1
        while position < bytes.count, bytes[position] != quote { position += bytes[position] == backslash ? 2 : 1 }
        return position + 1
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: isDigit(byte)
        }
    }

    private static func failure(_ kind: JSONError.Kind, _ reason: String, _ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> JSONError
    {
        let line = bytes[..<position].reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        return JSONError(kind, reason, line: line, position: position)
    }
}
