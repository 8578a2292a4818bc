import Synchronization

/// Where a hung provider waits: until the test opens it, whatever happens to its task.
final class Gate: Sendable {
    private let state = Mutex((isOpen: false, waiting: [CheckedContinuation<Void, Never>]()))

    /// How many wait now.
    var waiting: Int { state.withLock { $0.waiting.count } }

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Comes back when `condition` holds. It is looked at again and again, so nothing depends on how long that takes; a test's time limit ends the wait for
/// something that never comes.
func eventually(_ condition: () -> Bool) async throws { while !condition() { try await Task.sleep(for: .milliseconds(2)) } }
