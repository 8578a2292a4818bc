internal import Dispatch
internal import Glibc
internal import Synchronization

/// Ends the program on SIGTERM and SIGINT also where nothing else can: on the first while the start hangs before listening, on the second
/// in any case.
///
/// Handlers run on a queue of their own, so that they need none of the threads that may hang. The exit status is 128 and the signal's
/// number, as a shell has it.
// Unchecked because of the sources: Dispatch lets any thread use them, and they are kept and not touched again.
final class SignalGuard: @unchecked Sendable {
    private struct State {
        var isListening = false
        var count = 0
    }

    private let state = Mutex(State())
    private let sources: [any DispatchSourceSignal]

    init() {
        let queue = DispatchQueue(label: "signals")
        sources = [SIGTERM, SIGINT].map { DispatchSource.makeSignalSource(signal: $0, queue: queue) }
        for (signal, source) in zip([SIGTERM, SIGINT], sources) {
            source.setEventHandler { [weak self] in self?.received(signal) }
            source.resume()
        }
    }

    /// From here on the first signal drains the server.
    func listening() { state.withLock { $0.isListening = true } }

    private func received(_ signal: Int32) {
        let mustEnd = state.withLock { state in
            state.count += 1
            return state.count > 1 || !state.isListening
        }
        if mustEnd { _exit(128 + signal) }
    }
}
