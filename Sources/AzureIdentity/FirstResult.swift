internal import BrokerCore
internal import Synchronization

/// One result for one waiter; the first that arrives counts, the others are dropped.
final class FirstResult<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Result<Value, BrokerError>, Never>)
        case finished(Result<Value, BrokerError>)
        case delivered
    }

    private let state = Mutex(State.open)

    func finish(_ result: Result<Value, BrokerError>) {
        let waiter: CheckedContinuation<Result<Value, BrokerError>, Never>? = state.withLock { state in
            switch state {
            case .open:
                state = .finished(result)
                return nil
            case .waiting(let continuation):
                state = .delivered
                return continuation
            case .finished, .delivered:
                return nil
            }
        }
        waiter?.resume(returning: result)
    }

    /// Called once.
    func result() async -> Result<Value, BrokerError> {
        await withCheckedContinuation { continuation in
            let ready: Result<Value, BrokerError>? = state.withLock { state in
                guard case .finished(let result) = state else {
                    state = .waiting(continuation)
                    return nil
                }
                state = .delivered
                return result
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
