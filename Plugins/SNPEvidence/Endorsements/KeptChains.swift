internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import Synchronization

/// Verified chains in memory, by product, chip, kind of key and every level of the TCB. They do not age: what is taken out is verified
/// again, with the report and the time of that moment.
final class KeptChains: Sendable {
    private struct State {
        var chains: [EndorsementSubject: [Certificate]] = [:]
        /// The subjects, the one used last at the end.
        var order: [EndorsementSubject] = []
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    subscript(subject: EndorsementSubject) -> [Certificate]? {
        state.withLock { state in
            guard let chain = state.chains[subject] else { return nil }
            if state.order.last != subject {
                state.order.removeAll { $0 == subject }
                state.order.append(subject)
            }
            return chain
        }
    }

    /// Keeps the chain; the one that was not used for longest makes room. Returns the one that was kept for the subject before.
    @discardableResult func keep(_ chain: [Certificate], for subject: EndorsementSubject) -> [Certificate]? {
        state.withLock { state in
            let former = state.chains.updateValue(chain, forKey: subject)
            state.order.removeAll { $0 == subject }
            state.order.append(subject)
            if state.order.count > capacity { state.chains[state.order.removeFirst()] = nil }
            return former
        }
    }

    /// What there is to live on, in words: the chain used last and the end of its first certificate.
    var words: String {
        state.withLock { state in
            guard let last = state.order.last, let end = state.chains[last]?.map(\.notAfter).min() else { return "no chain is kept" }
            return "the chain for TCB \(last.tcb.hex) is kept and serves until \(RFC3339.format(end))"
        }
    }
}
