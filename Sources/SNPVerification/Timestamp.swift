/// Writes moments for messages.
package enum Timestamp {
    /// `2025-12-10T22:14:21Z` for seconds since 1970 (proleptic Gregorian calendar).
    package static func text(_ seconds: Int64) -> String {
        let days = seconds.dividedFloor(by: 86400)
        let time = seconds - days * 86400
        // Days are counted from 0000-03-01, so that a leap day is the last of its year: eras of 400 years have 146097 days.
        let shifted = days + 719_468
        let era = shifted.dividedFloor(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return pad(year, 4) + "-" + pad(month < 10 ? month + 3 : month - 9, 2) + "-" + pad(day, 2) + "T" + pad(time / 3600, 2) + ":"
            + pad(time / 60 % 60, 2) + ":" + pad(time % 60, 2) + "Z"
    }

    private static func pad(_ value: Int64, _ digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}

extension Int64 {
    fileprivate func dividedFloor(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
