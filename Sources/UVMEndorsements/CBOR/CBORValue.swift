/// A CBOR data item (RFC 8949) as a Swift value.
///
/// Whether a number or a length was written in its shortest form is not kept.
package indirect enum CBORValue: Sendable {
    /// 0 to 2^64 - 1.
    case unsigned(UInt64)
    /// -1 - n for the n given: -1 to -2^64.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    case map(CBORMap)
    case tagged(UInt64, CBORValue)
    case boolean(Bool)
    case null
    case undefined
    /// A simple value without a name in RFC 8949: 0 to 19 or 32 to 255.
    case simple(UInt8)
    /// A half, single or double precision number.
    case float(Double)

    /// An integer of either sign.
    package init(_ number: Int64) { self = number >= 0 ? .unsigned(UInt64(number)) : .negative(UInt64(-1 - number)) }

    /// The value of an integer that `Int64` can hold.
    package var integer: Int64? {
        switch self {
        case .unsigned(let number): Int64(exactly: number)
        case .negative(let number): Int64(exactly: number).map { -1 - $0 }
        default: nil
        }
    }

    package var bytes: [UInt8]? {
        guard case .bytes(let content) = self else { return nil }
        return content
    }

    package var text: String? {
        guard case .text(let content) = self else { return nil }
        return content
    }

    package var array: [CBORValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var map: CBORMap? {
        guard case .map(let map) = self else { return nil }
        return map
    }

    /// The kind of the value for messages: "an integer", "a byte string".
    package var kindName: String {
        switch self {
        case .unsigned, .negative: "an integer"
        case .bytes: "a byte string"
        case .text: "a text string"
        case .array: "an array"
        case .map: "a map"
        case .tagged: "a tagged value"
        case .boolean: "a boolean"
        case .null: "null"
        case .undefined, .simple: "a simple value"
        case .float: "a floating-point number"
        }
    }
}

extension CBORValue: Equatable {
    /// The same shortest encoding: text byte by byte instead of by canonical equivalence, maps in the same order.
    package static func == (left: CBORValue, right: CBORValue) -> Bool { left.encoded() == right.encoded() }
}

extension CBORValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self.init(value) }
    package init(arrayLiteral elements: CBORValue...) { self = .array(elements) }
}
