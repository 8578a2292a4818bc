internal import Logging

/// Versions of the keys interface (KeyStores.md, "Versions").
enum KeyAPIVersion {
    static let known: Set<String> = [
        "2016-10-01", "7.0", "7.1", "7.2", "7.3-preview", "7.3", "7.4-preview.1", "7.4", "7.5", "7.6-preview.1", "7.6-preview.2", "7.6",
        "2025-06-01-preview", "2025-07-01", "2026-01-01-preview", "2026-03-01-preview", "2026-04-01", "2026-05-01-preview",
        "2026-07-01-preview",
    ]
    /// The day of the newest one above.
    private static let newest = "2026-07-01"
    /// Versions without exportable keys.
    static let withoutRelease: Set<String> = ["2016-10-01", "7.0", "7.1", "7.2"]

    /// Takes the known ones and, with a line in the log, every later date: clients are newer than simulators.
    static func check(_ version: String?, _ logger: Logger) throws(KeyStoreRefusal) -> String {
        guard let version else { throw .badParameter("The api-version query parameter is required.") }
        if known.contains(version) { return version }
        guard DatedVersion.isDated(version, from: newest) else {
            throw .badParameter("The specified version (\(version.prefix(40))) is not recognized.")
        }
        logger.notice("this api-version is newer than the simulators; it is answered as the newest that they know: \(version)")
        return version
    }

    static func hasSecureWrap(_ version: String) -> Bool { DatedVersion.isDated(version, from: "2026-01-01") }
}
