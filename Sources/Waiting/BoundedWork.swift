internal import Synchronization

extension BackgroundThread {
    /// Runs `body` on a thread of its own and waits for it until `deadline`, or until the calling task is cancelled. `nil` when it was not
    /// done by then; the thread ends whenever `body` returns, and its result is dropped.
    public static func run<Value: Sendable>(until deadline: Deadline, _ body: @escaping @Sendable () -> Value) async -> Value? {
        let answer = FirstAnswer<Value>()
        let timer = Task {
            try? await Task.sleep(until: deadline.instant, clock: .continuous)
            answer.give(nil)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                answer.expect(continuation)
                if !start({ answer.give(body()) }) { answer.give(nil) }
            }
        } onCancel: {
            answer.give(nil)
        }
    }

    /// One answer for one waiter; what comes later, or before the waiter, is kept or dropped as it must be.
    private final class FirstAnswer<Value: Sendable>: Sendable {
        private enum State {
            case open
            case waiting(CheckedContinuation<Value?, Never>)
            case given
        }

        private let state = Mutex(State.open)

        func expect(_ continuation: CheckedContinuation<Value?, Never>) {
            let isLate = state.withLock { state in
                guard case .open = state else { return true }
                state = .waiting(continuation)
                return false
            }
            if isLate { continuation.resume(returning: nil) }
        }

        func give(_ value: Value?) {
            let waiter: CheckedContinuation<Value?, Never>? = state.withLock { state in
                defer { state = .given }
                if case .waiting(let waiter) = state { return waiter }
                return nil
            }
            waiter?.resume(returning: value)
        }
    }
}
