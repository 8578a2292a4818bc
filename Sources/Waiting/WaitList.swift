internal import Synchronization

/// Tasks that wait for a value each, first come, first served. Lives inside the lock of its owner.
///
/// Cancellation handlers run under locks of Swift's runtime which resuming takes too, and `remove` in such a handler takes the owner's
/// lock: so whoever is taken from the list is resumed only after the owner's lock was given back.
package struct WaitList<Value: Sendable>: Sendable {
    private var waiters: [Waiter<Value>] = []

    package init() {}

    package var count: Int { waiters.count }

    package var isEmpty: Bool { waiters.isEmpty }

    /// A place at the end, for a task that then waits for `Waiter.value(onCancel:)` and takes its place back with `remove` when cancelled.
    package mutating func add() -> Waiter<Value> {
        let waiter = Waiter<Value>()
        waiters.append(waiter)
        return waiter
    }

    /// Takes out whoever has waited longest, who must then be resumed.
    package mutating func takeFirst() -> Waiter<Value>? { waiters.isEmpty ? nil : waiters.removeFirst() }

    /// Takes out everybody, who must then be resumed.
    package mutating func takeAll() -> [Waiter<Value>] {
        defer { waiters = [] }
        return waiters
    }

    /// Takes a place back; whether it was still there. Whoever was taken out before is going to be resumed.
    @discardableResult package mutating func remove(_ waiter: Waiter<Value>) -> Bool {
        guard let index = waiters.firstIndex(where: { $0 === waiter }) else { return false }
        waiters.remove(at: index)
        return true
    }
}

/// One task that waits for one value. The first that comes counts; the others are dropped.
package final class Waiter<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Value?, Never>)
        /// Came before anybody waited.
        case kept(Value?)
        case done
    }

    private let state = Mutex(State.open)

    package init() {}

    package func resume(_ value: Value) { finish(value) }

    /// The value; `nil` when the calling task is cancelled first. `leave` is called then and says whether no value is on its way. Called
    /// once.
    package func value(onCancel leave: @Sendable () -> Bool) async -> Value? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let kept: Value?? = state.withLock { state in
                    guard case .kept(let value) = state else {
                        state = .waiting(continuation)
                        return nil
                    }
                    state = .done
                    return .some(value)
                }
                if let kept { continuation.resume(returning: kept) }
            }
        } onCancel: {
            if leave() { finish(nil) }
        }
    }

    private func finish(_ value: Value?) {
        let continuation: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .open:
                state = .kept(value)
                return nil
            case .waiting(let continuation):
                state = .done
                return continuation
            case .kept, .done: return nil
            }
        }
        continuation?.resume(returning: value)
    }
}
