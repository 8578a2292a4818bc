/// Why the signature of a release answer is not believed, in words that quote nothing of it.
struct UntrustedAnswer: Error, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
