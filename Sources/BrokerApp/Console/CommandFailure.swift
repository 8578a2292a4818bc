internal import BrokerCore

/// Documented exit statuses; `sysexits.h` where it has one.
enum ExitStatus: Int32 {
    case done = 0
    /// The answer is no: evidence rejected, policy not satisfied, release denied.
    case refused = 1
    /// It could not be done: network, device, file.
    case impossible = 2
    case usage = 64
    case configuration = 78
}

/// Why a command ends early: one line, and what to do about it.
struct CommandFailure: Error {
    let status: ExitStatus
    let message: String
    let nextStep: String?

    init(_ status: ExitStatus, _ message: String, nextStep: String? = nil) {
        self.status = status
        self.message = message
        self.nextStep = nextStep
    }

    init(_ error: BrokerError) {
        message = error.message
        switch error.code {
        case .verificationRejected, .releaseDenied, .keyNotFound: status = .refused
        case .invalidRequest, .noProvider: status = .usage
        case .misconfigured: status = .configuration
        case .evidenceUnavailable, .endorsementMismatch, .identityFailed, .upstreamUnavailable, .upstreamThrottled, .upstreamInvalid,
            .deadlineExceeded, .overloaded, .unwrapFailed, .internal:
            status = .impossible
        }
        nextStep = nil
    }
}
