internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerHTTP
internal import StrictJSON

/// Documented exit statuses; `sysexits.h` where it has one.
enum ExitStatus: Int32 {
    case done = 0
    /// The answer is no: evidence rejected, policy not satisfied, release denied.
    case refused = 1
    /// It could not be done: network, device, file.
    case impossible = 2
    /// The answer is yes but for what was left out, which it names.
    case limited = 3
    case usage = 64
    case configuration = 78

    /// The code of failures that no provider or service caused.
    var code: String {
        switch self {
        case .done: "done"
        case .refused: "refused"
        case .impossible: "impossible"
        case .limited: "limited"
        case .usage: "usage"
        case .configuration: BrokerError.Code.misconfigured.rawValue
        }
    }
}

/// Why a command ends early: one line, and what to do about it.
struct CommandFailure: Error {
    let status: ExitStatus
    let message: String
    /// What a person can do, most likely help first.
    let nextSteps: [String]
    /// The broker's own error, where one is behind it.
    let cause: BrokerError?
    /// What is wrong with the configuration, where that is the matter.
    let problems: [ConfigurationProblem]

    init(
        _ status: ExitStatus, _ message: String, nextStep: String? = nil, nextSteps: [String] = [], problems: [ConfigurationProblem] = []
    ) {
        self.status = status
        self.message = message
        self.nextSteps = (nextStep.map { [$0] } ?? []) + nextSteps
        self.cause = nil
        self.problems = problems
    }

    init(_ error: BrokerError) {
        message = error.message
        switch error.code {
        case .verificationRejected, .releaseDenied, .keyNotFound, .callerRefused: status = .refused
        case .invalidRequest, .noProvider: status = .usage
        case .misconfigured: status = .configuration
        case .evidenceUnavailable, .endorsementMismatch, .identityFailed, .upstreamUnavailable, .upstreamThrottled, .upstreamInvalid,
            .deadlineExceeded, .overloaded, .unwrapFailed, .auditUnavailable, .internal:
            status = .impossible
        }
        nextSteps = error.details?.nextSteps ?? []
        cause = error
        problems = []
    }

    /// Standard error's account of it.
    var lines: [String] {
        ["attestation-broker: \(message)"] + problems.map { "  \($0)" } + (cause?.details.map { ["  why: \($0.summary)"] } ?? [])
            + nextSteps.map { "  next: \($0)" }
    }

    /// The member `error` of every document that a command prints when its exit status is not 0 (CommandLine.md, "Failure").
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("code", .string(cause?.code.rawValue ?? status.code)), ("message", .string(message)),
            ("next_steps", .array(nextSteps.map { .string($0) })), ("exit_status", .integer(Int64(status.rawValue))),
        ]
        if let cause {
            members += [("stage", .string(cause.stage.rawValue)), ("retryable", .boolean(cause.isRetryable))]
            if let delay = cause.retryAfter { members.append(("retry_after", .integer(ErrorAnswers.wholeSeconds(delay)))) }
            if let details = cause.details { members.append(("details", DetailsDocument.json(details))) }
        }
        if !problems.isEmpty { members.append(("problems", .array(problems.map(\.json)))) }
        return .object(JSONObject(members))
    }
}

extension Console {
    /// Prints the one document of a command's `--json`. Where the command fails, the document says so in its member `error`.
    static func json(_ document: JSONValue, failure: CommandFailure? = nil) {
        var document = document
        if let failure {
            var members = JSONObject()
            if case .object(let object) = document { members = object }
            members.set("error", failure.json)
            document = .object(members)
        }
        writeBytes(document.serialized(pretty: true) + [UInt8(ascii: "\n")])
    }

    /// Ends a command whose answer was printed; without a failure it goes on.
    static func end(_ failure: CommandFailure?) throws { if let failure { throw ExitCode(failure.status.rawValue) } }
}
