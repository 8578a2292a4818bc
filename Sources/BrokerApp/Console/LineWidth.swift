internal import Glibc

/// How long a line of standard output may be.
enum LineWidth {
    /// Characters in a line of a terminal that does not say.
    private static let usual = 80
    /// Narrower than this, wrapping helps nobody.
    private static let least = 20

    /// What `COLUMNS` says, or else the terminal; `nil`, for lines of any length, where standard output is neither told nor a terminal.
    static var current: Int? {
        if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0 { return max(columns, least) }
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return usual }
        return max(Int(size.ws_col), least)
    }

    /// The text in lines of at most `width` characters; a word that is longer than that is broken.
    static func wrapped(_ text: String, to width: Int?) -> [String] {
        guard let width else { return [text] }
        var lines: [String] = [""]
        for word in text.split(separator: " ") {
            var rest = word
            if lines[lines.count - 1].count + (lines[lines.count - 1].isEmpty ? 0 : 1) + rest.count <= width {
                lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + String(rest)
                continue
            }
            if !lines[lines.count - 1].isEmpty { lines.append("") }
            while rest.count > width {
                lines[lines.count - 1] = String(rest.prefix(width))
                lines.append("")
                rest = rest.dropFirst(width)
            }
            lines[lines.count - 1] = String(rest)
        }
        return lines
    }
}
