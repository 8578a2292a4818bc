internal import Glibc

/// Moments as people and JSON write them.
package enum RFC3339 {
    /// `2025-12-10T22:14:21Z` for seconds since 1970; the number itself outside of the years 0 to 9999, which have no such form.
    package static func format(_ seconds: Int64) -> String { format(seconds, milliseconds: nil) }

    /// The same with milliseconds.
    package static func format(_ seconds: Int64, milliseconds: Int?) -> String {
        guard (-62_167_219_200...253_402_300_799).contains(seconds) else { return "\(seconds)" }
        let time = UTCTime(seconds)
        let fraction = milliseconds.map { "." + UTCTime.digits($0, 3) } ?? ""
        return "\(UTCTime.digits(time.year, 4))-\(UTCTime.digits(time.month))-\(UTCTime.digits(time.day))T\(time.clock)\(fraction)Z"
    }
}

/// A date in the one form that RFC 9110, 5.6.7, lets a server send.
package enum HTTPDate {
    /// The present second, by the system's clock.
    package static func now() -> String { text(secondsSince1970: present) }

    package static var present: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }

    /// Seconds since 1970; `nil` where the text is not exactly such a date.
    package static func parse(_ text: String) -> Int64? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == ":" })
        guard text.utf8.count == 29, words.count == 8, let day = Int32(words[1]), let month = months.firstIndex(of: String(words[2])),
            let year = Int32(words[3]), (1970...9999).contains(year), let hour = Int32(words[4]), let minute = Int32(words[5]),
            let second = Int32(words[6])
        else { return nil }
        var parts = tm()
        (parts.tm_mday, parts.tm_mon, parts.tm_year) = (day, Int32(month), year - 1900)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        let seconds = Int64(timegm(&parts))
        // Written again it must be the same: no 31 February, no other day of the week, no other zone.
        return self.text(secondsSince1970: seconds) == text ? seconds : nil
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// For example `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func text(secondsSince1970 seconds: Int64) -> String {
        let time = UTCTime(seconds)
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][time.weekday % 7]
        return "\(weekday), \(UTCTime.digits(time.day)) \(months[(time.month - 1) % 12]) \(time.year) \(time.clock) GMT"
    }
}

/// A moment taken apart by the C library.
private struct UTCTime {
    let year: Int
    let month: Int
    let day: Int
    /// 0 is Sunday.
    let weekday: Int
    /// `22:14:21`.
    let clock: String

    init(_ seconds: Int64) {
        var (seconds, parts) = (time_t(seconds), tm())
        gmtime_r(&seconds, &parts)
        year = Int(parts.tm_year) + 1900
        month = Int(parts.tm_mon) + 1
        day = Int(parts.tm_mday)
        weekday = Int(parts.tm_wday)
        clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { Self.digits(Int($0)) }.joined(separator: ":")
    }

    static func digits(_ number: Int, _ count: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}
