internal import PlainText

extension FormItem {
    /// Reads `application/x-www-form-urlencoded` text, as in queries and token requests. `nil` for broken escapes, text that is not UTF-8,
    /// or more than `maximumItems` items.
    static func decode(_ text: some Collection<UInt8>, maximumItems: Int = 100) -> [FormItem]? {
        var items: [FormItem] = []
        for part in text.split(separator: UInt8(ascii: "&")) {
            guard items.count < maximumItems else { return nil }
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = pair.first.flatMap({ unescape($0) }) else { return nil }
            guard pair.count == 2 else {
                items.append(FormItem(name: name, value: ""))
                continue
            }
            guard let value = unescape(pair[1]) else { return nil }
            items.append(FormItem(name: name, value: value))
        }
        return items
    }

    private static func unescape(_ text: some Collection<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
