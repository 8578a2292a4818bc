internal import Glibc
internal import PlainText
internal import SecureMemory

/// Standard output and standard error of the commands.
enum Console {
    /// Writes to standard output as it is.
    static func write(_ text: String) { send(Array(text.utf8), to: STDOUT_FILENO) }

    static func line(_ text: String = "") { write(text + "\n") }

    static func writeBytes(_ bytes: [UInt8]) { send(bytes, to: STDOUT_FILENO) }

    /// Writes a secret to standard output, straight from its memory.
    static func write(_ secret: borrowing SecretBytes) { secret.withUnsafeBytes { send($0, to: STDOUT_FILENO) } }

    /// Writes a line to standard error.
    static func note(_ text: String) { send(Array((text + "\n").utf8), to: STDERR_FILENO) }

    static func error(_ failure: CommandFailure) {
        note(failure.lines.joined(separator: "\n"))
    }

    /// A line for each check, its name `width` wide, and a last one with the verdict: `verified` words, or the codes that failed. The name
    /// is the code, or, where the check is passed, what `holding` says.
    static func show(
        _ checks: [Check], width: Int, verified: String?, _ style: Style, holding: (Check) -> String? = { _ in nil }
    ) {
        list(checks, width: width, style, holding: holding)
        line(verified.map { style.good("verified") + ": " + $0 } ?? style.bad("rejected") + ": " + checks.failures.joined(separator: ", "))
    }

    /// The same without the last line.
    static func list(_ checks: [Check], width: Int, _ style: Style, holding: (Check) -> String? = { _ in nil }) {
        for check in checks {
            let mark = check.ok ? style.good("ok      ") : style.bad("FAILED  ")
            let name = check.ok ? holding(check) ?? check.code : check.code
            let gap = String(repeating: " ", count: max(2, width - name.count))
            let detail = name == check.detail ? "" : gap + (check.ok ? style.faint(check.detail) : check.detail)
            line("\(mark)\(name)\(detail)")
        }
    }

    /// Whether standard output is a terminal that wants colour (NO_COLOR, TERM=dumb say no).
    static var hasColour: Bool { isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil && environment("TERM") != "dumb" }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static func send(_ bytes: [UInt8], to descriptor: Int32) { bytes.withUnsafeBytes { send($0, to: descriptor) } }

    private static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count < 0, errno == EINTR { continue }
            // A closed pipe ends the output, not the command.
            guard count > 0 else { return }
            done += count
        }
    }
}

/// Colours of the terminal, or nothing where there is none.
struct Style {
    let isOn: Bool

    func good(_ text: String) -> String { wrap(text, "32") }
    func bad(_ text: String) -> String { wrap(text, "31") }
    func strong(_ text: String) -> String { wrap(text, "1") }
    func faint(_ text: String) -> String { wrap(text, "2") }

    private func wrap(_ text: String, _ code: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
