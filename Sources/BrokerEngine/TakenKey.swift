public import BrokerCore
public import OpenSSLCrypto
internal import Synchronization

/// A wrapping key that was taken for one release.
///
/// Its public half is known at once, so that the machine can be proven with it. The whole key may come some milliseconds later, and nothing is sealed to it before.
public final class TakenKey: Sendable {
    public let publicNumbers: RSAPublicNumbers
    private let rest: Rest

    private enum Rest: Sendable {
        case here(Slot)
        case coming(FirstResult<Slot>)
    }

    /// A place for one key: arrays and results cannot hold values that cannot be copied.
    final class Slot: Sendable {
        let publicNumbers: RSAPublicNumbers
        private let key: Mutex<WrappingKey?>

        init(_ key: consuming WrappingKey) {
            publicNumbers = key.publicNumbers
            self.key = Mutex(key)
        }

        func rehearsal() -> WrappingKey.Rehearsal? { key.withLock { $0?.rehearsal() } }

        func take() -> WrappingKey? { key.withLock { $0.take() } }
    }

    init(_ slot: Slot) {
        publicNumbers = slot.publicNumbers
        rest = .here(slot)
    }

    init(_ publicNumbers: RSAPublicNumbers, rest: FirstResult<Slot>) {
        self.publicNumbers = publicNumbers
        self.rest = .coming(rest)
    }

    /// The whole key, once it is there. Called once.
    public func whole(in context: RequestContext) async throws(BrokerError) -> WrappingKey {
        let slot: Slot
        switch rest {
        case .here(let ready): slot = ready
        case .coming(let coming):
            slot = try await coming.result(
                by: context.deadline, late: WrappingKeyPool.tooLate, gone: WrappingKeyPool.gone
            ) { error in
                coming.finish(.failure(error))
            }
        }
        // A fault while the key was made must not reach a key store, so the key must be the one that was announced.
        guard let key = slot.take(), key.publicNumbers == publicNumbers else {
            throw BrokerError(.internal, at: .release, "a wrapping key was taken twice, or is another than announced")
        }
        return key
    }
}
