internal import BrokerCore
internal import Synchronization

/// A key that was announced and given to a release before it was whole, if it was.
final class WrappingKeyPromise: Sendable {
    private let state = Mutex<FirstResult<TakenKey.Slot>?>(nil)
    var isMade: Bool { state.withLock { $0 != nil } }
    func make(_ rest: FirstResult<TakenKey.Slot>) { state.withLock { $0 = rest } }
    /// Whether there was a promise to keep.
    func keep(_ result: Result<TakenKey.Slot, BrokerError>) -> Bool {
        guard let rest = state.withLock({ $0 }) else { return false }
        rest.finish(result)
        return true
    }
}
