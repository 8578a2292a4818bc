internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// What an input is after some decoders.
package struct InputView: Sendable, Equatable {
    package let bytes: [UInt8]
    /// What was taken off, outermost first: "UTF-16", "wrapped base64".
    package let layers: [String]

    /// How often it was decoded from base64.
    var base64Count: Int { layers.count { $0.hasSuffix("base64") } }
    /// Whether decoding was the last step.
    var isDecoded: Bool { layers.last?.hasSuffix("base64") == true || layers.last == "hexadecimal" }
    var decodings: Int { base64Count + layers.count { $0 == "hexadecimal" } }
}

/// Puts the decoders one behind the other: byte order marks and UTF-16, quotation marks, written-out line ends, base64, hexadecimal.
/// Each takes off a layer where it fits; a text that could be two things gives two views.
enum InputViews {
    private static let maximumLayers = 6
    private static let maximumDecodings = 3
    private static let maximumViews = 48

    /// The input itself and everything that decoders make of it. `layers` were taken off before.
    static func of(_ input: [UInt8], layers: [String] = []) -> [InputView] {
        var views = [InputView(bytes: input, layers: layers)]
        var next = 0
        while next < views.count, views.count < maximumViews {
            if views[next].layers.count < layers.count + maximumLayers { views += inside(views[next]) }
            next += 1
        }
        return views
    }

    private static func inside(_ view: InputView) -> [InputView] {
        if let (layer, text) = TextForm.decoded(view.bytes) { return [InputView(bytes: text, layers: view.layers + [layer])] }
        var found: [InputView] = []
        func add(_ layer: String, _ bytes: [UInt8]?) {
            if let bytes, !bytes.isEmpty { found.append(InputView(bytes: bytes, layers: view.layers + [layer])) }
        }
        let text = view.bytes.trimmed(.whiteSpace)
        add("quotation marks", TextForm.unquoted(text))
        add("written-out line ends", TextForm.withLineEnds(text))
        guard view.decodings < maximumDecodings else { return found }
        add("hexadecimal", HexText.decode(text))
        let joined = text.filter { !ASCIISet.whiteSpace.contains($0) }
        let isWrapped = joined.count < text.count
        add(isWrapped ? "wrapped base64" : "base64", joined.count < 4 ? nil : Base64.decodeLenient(String(decoding: joined, as: UTF8.self)))
        return found
    }
}

/// Hexadecimal as tools print it: either case, `0x` in front, and colons, commas, hyphens or white space between the bytes.
package enum HexText {
    private static let separators = ASCIISet.whiteSpace + ":,-"

    package static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)[...]) }

    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var digits: [UInt8] = []
        for group in text.split(whereSeparator: separators.contains) {
            let hasMark =
                group.count > 2 && group.first == UInt8(ascii: "0") && group.dropFirst().first?.asciiLowercased == UInt8(ascii: "x")
            let rest = hasMark ? group.dropFirst(2) : group
            guard rest.count.isMultiple(of: 2) else { return nil }
            digits += rest
            // Most texts are not hexadecimal, and some are long.
            guard rest.prefix(8).consists(of: .hexDigits) else { return nil }
        }
        guard !digits.isEmpty else { return nil }
        return Hex.decode(String(decoding: digits, as: UTF8.self))
    }
}

/// Members of the JSON that services answer with.
enum JSONMembers {
    private static let depthLimit = 4

    /// The texts of those members, wherever they are nested, with the name of each; names are compared without case.
    static func texts(in bytes: [UInt8], named names: Set<String>) -> [(name: String, text: [UInt8])] {
        guard !names.isEmpty, TextForm.startsJSON(bytes), let document = try? JSONValue.parse(bytes, limits: TextForm.jsonLimits) else {
            return []
        }
        var found: [(String, [UInt8])] = []
        collect(document, names, depth: 0, into: &found)
        return found
    }

    private static func collect(_ value: JSONValue, _ names: Set<String>, depth: Int, into found: inout [(String, [UInt8])]) {
        guard depth < depthLimit else { return }
        switch value {
        case .object(let object):
            for (name, member) in object {
                guard names.contains(name.lowercased()) else {
                    collect(member, names, depth: depth + 1, into: &found)
                    continue
                }
                for case .string(let text) in elements(member) where !text.isEmpty { found.append((name, Array(text.utf8))) }
                if case .object = member { collect(member, names, depth: depth + 1, into: &found) }
            }
        case .array(let values): for value in values { collect(value, names, depth: depth + 1, into: &found) }
        default: break
        }
    }

    private static func elements(_ value: JSONValue) -> [JSONValue] { if case .array(let values) = value { values } else { [value] } }
}
