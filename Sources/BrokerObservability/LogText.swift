internal import PlainText

/// Makes text from anywhere fit for one line of a log: without tokens, and without anything that could end the line or steer a terminal.
enum LogText {
    /// Longest text of one field, in Unicode scalars.
    static let limit = 4096

    /// Names of metadata whose value is never written.
    private static let secretNames: [[UInt8]] = [
        "authorization", "access_token", "token", "bearer", "client_secret", "secret", "password", "api_key",
    ].map { Array($0.utf8) }

    /// Whatever the case of its letters, and with hyphens for low lines too.
    static func isSecret(name: String) -> Bool {
        let bytes = name.utf8
        return secretNames.contains { secret in
            secret.count == bytes.count
                && zip(secret, bytes).allSatisfy { $0 == ($1 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $1.asciiLowercased) }
        }
    }

    /// Without what looks like a token, and without whatever follows the word `Bearer`.
    static func redacted(_ text: String) -> String { TokenText.replaced(in: text, by: "<redacted>", afterBearer: true) }

    /// Appends `text` with the escapes of JSON: quotation marks, backslashes, and every character that moves the cursor, hides or
    /// reorders text.
    static func escape(_ text: String, into line: inout [UInt8]) {
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else {
                line.append(contentsOf: "…".utf8)
                return
            }
            count += 1
            switch scalar {
            case "\"", "\\": line.append(contentsOf: [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)])
            case "\n": line.append(contentsOf: "\\n".utf8)
            case "\r": line.append(contentsOf: "\\r".utf8)
            case "\t": line.append(contentsOf: "\\t".utf8)
            default:
                if scalar.isVisible {
                    line.append(contentsOf: scalar.utf8)
                } else {
                    for unit in scalar.utf16 { appendEscape(unit, &line) }
                }
            }
        }
    }

    private static func appendEscape(_ unit: UInt16, _ line: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        line.append(contentsOf: "\\u".utf8)
        line.append(contentsOf: String(repeating: "0", count: 4 - digits.utf8.count).utf8)
        line.append(contentsOf: digits.utf8)
    }
}
