internal import Glibc
internal import PlainText

/// One log line as bytes, its end included.
struct LogLine {
    /// `2026-11-23T20:00:00.123Z`.
    let time: String
    let level: String
    let label: String
    let message: String
    /// Sorted by name.
    let fields: [(name: String, value: String)]

    func bytes(_ format: LogLineFormat) -> [UInt8] {
        switch format {
        case .text: text()
        case .json: json()
        }
    }

    /// `TIME LEVEL LABEL [name=value name="two words"] message`: whatever a message says, it cannot be taken for the fields in front of it.
    func text() -> [UInt8] {
        var line: [UInt8] = []
        line.append(contentsOf: time.utf8)
        line.append(UInt8(ascii: " "))
        line.append(contentsOf: level.utf8)
        line.append(UInt8(ascii: " "))
        LogText.escape(label, into: &line)
        if !fields.isEmpty {
            line.append(contentsOf: " [".utf8)
            for (index, field) in fields.enumerated() {
                if index > 0 { line.append(UInt8(ascii: " ")) }
                appendBare(field.name, &line)
                line.append(UInt8(ascii: "="))
                appendBare(field.value, &line)
            }
            line.append(UInt8(ascii: "]"))
        }
        line.append(UInt8(ascii: " "))
        LogText.escape(message, into: &line)
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// `{"time":…,"level":…,"logger":…,"message":…,"fields":{…}}`; `fields` only where there are any.
    func json() -> [UInt8] {
        var line: [UInt8] = []
        appendMember("time", time, first: true, &line)
        appendMember("level", level, &line)
        appendMember("logger", label, &line)
        appendMember("message", message, &line)
        if !fields.isEmpty {
            line.append(contentsOf: ",\"fields\":".utf8)
            for (index, field) in fields.enumerated() { appendMember(field.name, field.value, first: index == 0, &line) }
            line.append(UInt8(ascii: "}"))
        }
        line.append(contentsOf: "}\n".utf8)
        return line
    }

    private func appendMember(_ name: String, _ value: String, first: Bool = false, _ line: inout [UInt8]) {
        line.append(UInt8(ascii: first ? "{" : ","))
        appendQuoted(name, &line)
        line.append(UInt8(ascii: ":"))
        appendQuoted(value, &line)
    }

    private func appendQuoted(_ text: String, _ line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        LogText.escape(text, into: &line)
        line.append(UInt8(ascii: "\""))
    }

    private func appendBare(_ text: String, _ line: inout [UInt8]) {
        let isPlain = text.utf8.consists(of: .visible - "\"\\[]=", count: 1...LogText.limit)
        if isPlain { line.append(contentsOf: text.utf8) } else { appendQuoted(text, &line) }
    }

    static let clock: @Sendable () -> timespec = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }

    static func now() -> String { timestamp(clock()) }

    /// RFC 3339 in UTC with milliseconds.
    static func timestamp(_ time: timespec) -> String {
        RFC3339.format(Int64(time.tv_sec), milliseconds: Int(time.tv_nsec) / 1_000_000)
    }
}
