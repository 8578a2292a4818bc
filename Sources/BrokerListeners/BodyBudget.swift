internal import Synchronization

/// Bounds the bytes of requests that all connections of an interface together hold, shared out by caller.
package final class BodyBudget: Sendable {
    /// So much of each body costs nothing: a request for a key is far shorter, and nobody can keep it out.
    package static let free = 16 << 10

    private struct State {
        var left: Int
        var taken: [String: Int] = [:]
    }

    private let state: Mutex<State>
    private let most: Int

    /// One caller has at most three quarters of it, and in any case room for one body of that length.
    package init(_ bytes: Int, longestBody: Int) {
        state = Mutex(State(left: bytes))
        most = max(bytes - bytes / 4, min(bytes, longestBody))
    }

    /// Reserves `bytes` for a caller, or nothing when there are not enough left.
    package func take(_ bytes: Int, for share: String) -> Bool {
        guard bytes > 0 else { return true }
        return state.withLock { state in
            guard bytes <= state.left, (state.taken[share] ?? 0) + bytes <= most else { return false }
            state.left -= bytes
            state.taken[share, default: 0] += bytes
            return true
        }
    }

    package func give(_ bytes: Int, of share: String) {
        guard bytes > 0 else { return }
        state.withLock { state in
            state.left += bytes
            let taken = (state.taken[share] ?? 0) - bytes
            state.taken[share] = taken > 0 ? taken : nil
        }
    }
}
