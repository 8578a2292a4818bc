internal import Synchronization

/// Tells the work of a connection that its peer has gone.
final class Disconnection: Sendable {
    private struct State {
        var hasHappened = false
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var hasHappened: Bool { state.withLock { $0.hasHappened } }

    /// Runs `action` once when the peer goes, or now when it already has. Replaces an earlier action; `nil` removes it.
    func whenHappens(_ action: (@Sendable () -> Void)?) {
        let isLate = state.withLock { state in
            state.action = state.hasHappened ? nil : action
            return state.hasHappened
        }
        if isLate { action?() }
    }

    func happened() {
        let action = state.withLock { state in
            state.hasHappened = true
            defer { state.action = nil }
            return state.action
        }
        action?()
    }
}
