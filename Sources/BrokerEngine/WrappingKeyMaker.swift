internal import Dispatch
internal import Synchronization

/// A thread that makes keys for those who wait.
final class WrappingKeyMaker: Sendable {
    let hasOwnThread: Bool
    /// Rings when the thread is wanted again.
    let bell = DispatchSemaphore(value: 0)
    private let gaveUp = Atomic(false)
    /// Whether nobody wanted its work for so long that it makes keys for the pool instead.
    var standsBack: Bool { gaveUp.load(ordering: .relaxed) }
    init(hasOwnThread: Bool) { self.hasOwnThread = hasOwnThread }
    func giveUp() { gaveUp.store(true, ordering: .relaxed) }
}
