internal import Synchronization

/// Tasks that wait for a value each, first come, first served; where they belong to several shares, those take turns. Lives inside the lock
/// of its owner.
///
/// Cancellation handlers run under locks of Swift's runtime which resuming takes too, and `remove` in such a handler takes the owner's
/// lock: so whoever is taken from the list is resumed only after the owner's lock was given back.
package struct WaitList<Value: Sendable>: Sendable {
    private var entries: [(waiter: Waiter<Value>, share: String)] = []
    /// When each share that waits was served last.
    private var turns: [String: UInt64] = [:]
    private var turn: UInt64 = 0

    package init() {}

    package var count: Int { entries.count }

    package var isEmpty: Bool { entries.isEmpty }

    package func count(of share: String) -> Int { entries.reduce(0) { $0 + ($1.share == share ? 1 : 0) } }

    /// A place at the end, for a task that then waits for `Waiter.value(onCancel:)` and takes its place back with `remove` when cancelled.
    package mutating func add(_ share: String = "") -> Waiter<Value> {
        let waiter = Waiter<Value>()
        entries.append((waiter, share))
        return waiter
    }

    /// Takes out whoever has waited longest of the share that was served longest ago, who must then be resumed.
    package mutating func takeFirst() -> Waiter<Value>? { takeFirst { _ in true }?.waiter }

    /// The same among the shares that satisfy `condition`.
    package mutating func takeFirst(where condition: (String) -> Bool) -> (waiter: Waiter<Value>, share: String)? {
        var chosen: Int?
        var known: [String: Bool] = [:]
        for (index, entry) in entries.enumerated() where known[entry.share] == nil {
            let isPossible = condition(entry.share)
            known[entry.share] = isPossible
            guard isPossible else { continue }
            if let best = chosen, turns[entries[best].share] ?? 0 <= turns[entry.share] ?? 0 { continue }
            chosen = index
        }
        guard let chosen else { return nil }
        turn += 1
        let entry = entries.remove(at: chosen)
        turns[entry.share] = turn
        forget(entry.share)
        return entry
    }

    /// Takes out the newest of the share with most who wait, if these are more than `count`; it must then be resumed.
    package mutating func takeLast(ifMoreThan count: Int) -> Waiter<Value>? {
        let counts = entries.reduce(into: [String: Int]()) { $0[$1.share, default: 0] += 1 }
        guard let most = counts.max(by: { $0.value < $1.value }), most.value > count,
            let index = entries.lastIndex(where: { $0.share == most.key })
        else { return nil }
        return entries.remove(at: index).waiter
    }

    /// Takes out everybody, who must then be resumed.
    package mutating func takeAll() -> [Waiter<Value>] {
        defer { (entries, turns) = ([], [:]) }
        return entries.map(\.waiter)
    }

    /// Takes a place back; whether it was still there. Whoever was taken out before is going to be resumed.
    @discardableResult package mutating func remove(_ waiter: Waiter<Value>) -> Bool {
        guard let index = entries.firstIndex(where: { $0.waiter === waiter }) else { return false }
        forget(entries.remove(at: index).share)
        return true
    }

    /// A share of which nobody waits has no turn to lose.
    private mutating func forget(_ share: String) {
        if turns[share] != nil, !entries.contains(where: { $0.share == share }) { turns[share] = nil }
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
