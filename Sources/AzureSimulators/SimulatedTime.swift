internal import PlainText

extension RFC3339 {
    /// `2026-01-02 03:04:05Z`, as Entra writes it; what lies outside of the years 0 to 9999 becomes the nearest moment inside, since tokens
    /// may say anything.
    static func spaced(_ seconds: Int64) -> String {
        format(min(max(seconds, -62_167_219_200), 253_402_300_799)).replacing("T", with: " ")
    }
}
