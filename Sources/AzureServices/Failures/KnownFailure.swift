package import BrokerCore
internal import PlainText

/// One answer of an Azure service that people meet again and again: how it is recognised, what causes it and what helps.
package struct KnownFailure: Sendable, Equatable {
    /// Stable, kebab-case; the `cause` of `BrokerError.Details`.
    package let cause: String
    /// Texts of answers that mean it, compared without case. A text that ends in a digit is not followed by another one.
    package let signs: [String]
    /// What is wrong, in one sentence without a full stop.
    package let summary: String
    /// What to do, most likely help first.
    package let nextSteps: [String]
    /// The only action that it is about; `nil` where it can meet any.
    package let action: KeyAction?

    init(_ cause: String, _ signs: [String], _ summary: String, _ nextSteps: [String], action: KeyAction? = nil) {
        self.cause = cause
        self.signs = signs
        self.summary = summary
        self.nextSteps = nextSteps
        self.action = action
    }

    /// The same for an error of the broker.
    package var details: BrokerError.Details { BrokerError.Details(cause: cause, summary: summary, nextSteps: nextSteps) }
}

extension KnownFailure {
    /// The first entry of the catalogue that one of the texts of an answer to `action` shows: error codes, messages.
    package static func find(in texts: [String?], for action: KeyAction = .release) -> KnownFailure? {
        let answers = texts.compactMap { $0?.lowercased() }
        return catalogue.first { entry in
            (entry.action ?? action) == action
                && entry.signs.contains { sign in answers.contains { shows(sign.lowercased(), in: $0) } }
        }
    }

    /// An entry by its cause.
    package static func named(_ cause: String) -> KnownFailure? { catalogue.first { $0.cause == cause } }

    private static func shows(_ sign: String, in text: String) -> Bool {
        let text = Array(text.utf8)
        let sign = Array(sign.utf8)
        guard let last = sign.last, text.count >= sign.count else { return false }
        for start in 0...(text.count - sign.count) where text[start..<start + sign.count].elementsEqual(sign) {
            let end = start + sign.count
            // AADSTS70021 and AADSTS700213 are two things.
            if ASCIISet.digits.contains(last), end < text.count, ASCIISet.digits.contains(text[end]) { continue }
            return true
        }
        return false
    }
}
