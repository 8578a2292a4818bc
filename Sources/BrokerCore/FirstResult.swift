internal import Synchronization

/// One result for one waiter; the first that arrives counts, the others are dropped.
public final class FirstResult<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Result<Value, BrokerError>, Never>)
        case finished(Result<Value, BrokerError>)
        case delivered
    }

    private let state = Mutex(State.open)

    public init() {}

    /// Delivers, unless something was delivered before.
    public func finish(_ result: Result<Value, BrokerError>) {
        let waiter: CheckedContinuation<Result<Value, BrokerError>, Never>? = state.withLock { state in
            switch state {
            case .open:
                state = .finished(result)
                return nil
            case .waiting(let continuation):
                state = .delivered
                return continuation
            case .finished, .delivered: return nil
            }
        }
        waiter?.resume(returning: result)
    }

    /// Waits for the first result. Called once.
    public func result() async -> Result<Value, BrokerError> {
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
