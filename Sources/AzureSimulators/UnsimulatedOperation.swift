internal import PlainText

/// An operation of a real service that the simulators do not carry out: answered with 501, its name and what to do instead.
struct UnsimulatedOperation: Equatable, Sendable {
    static let status = 501
    static let code = "NotSupported"

    /// What it does, in the words of the service's documentation.
    let name: String
    /// One clause.
    let instead: String

    init(_ name: String, instead: String) {
        self.name = name
        self.instead = instead
    }

    var message: String { "The simulator does not carry out this operation: \(name). Instead: \(instead)." }

    var response: SimulatorResponse { SimulatorResponse(error: Self.status, code: Self.code, message: message) }
}

/// Versions of interfaces that are dates, such as 2026-04-01 and 2026-05-01-preview.
enum DatedVersion {
    /// Whether `text` is one, of that day or a later one.
    static func isDated(_ text: String, from day: String) -> Bool {
        let bytes = Array(text.utf8.prefix(10))
        guard text.utf8.count == 10 || text.utf8.dropFirst(10).elementsEqual("-preview".utf8), bytes.count == 10 else { return false }
        let isDate = bytes.enumerated().allSatisfy { index, byte in
            index == 4 || index == 7 ? byte == UInt8(ascii: "-") : ASCIISet.digits.contains(byte)
        }
        return isDate && !bytes.lexicographicallyPrecedes(day.utf8)
    }
}
