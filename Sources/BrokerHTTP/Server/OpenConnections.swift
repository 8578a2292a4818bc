internal import CProcessShims
internal import Dispatch
internal import Synchronization

/// Gives memory back to the system when many connections are gone.
///
/// malloc(3) keeps what was freed below what is still in use: 10,000 idle connections left 220 MiB behind. Walking the heap costs
/// milliseconds, so it is done when half of the connections there were are gone, and never for a few.
final class OpenConnections: Sendable {
    private struct State {
        var open = 0
        /// The most that were open at a time since memory was given back.
        var most = 0
    }

    /// Fewer are not worth it.
    static let fewest = 64

    private let state = Mutex(State())
    private let giveBack: @Sendable () -> Void

    init(giveBack: @escaping @Sendable () -> Void = OpenConnections.trim) { self.giveBack = giveBack }

    func opened() {
        state.withLock { state in
            state.open += 1
            state.most = max(state.most, state.open)
        }
    }

    func closed() {
        let isTime = state.withLock { state in
            state.open -= 1
            guard state.most - state.open >= max(Self.fewest, state.open) else { return false }
            state.most = state.open
            return true
        }
        if isTime { giveBack() }
    }

    /// A moment later: what belongs to a connection is freed after it is closed. One at a time.
    private static let queue = DispatchQueue(label: "freed memory", qos: .utility)

    @Sendable private static func trim() { queue.asyncAfter(deadline: .now() + .seconds(1)) { broker_memory_give_back() } }
}
