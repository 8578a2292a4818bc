internal import BrokerCore
internal import PlainText
internal import Synchronization

/// How a source has answered of late, and when one that asked for fewer requests is asked again.
///
/// AMD's service throttles each client for longer than any request waits, and is not known to say for how long (AMDEndorsements.md, "Key
/// distribution service"). So a refusal ends the asking, in whatever request, until a time that grows with each further one.
final class SourceHealth: Sendable {
    /// How long a source is left alone after a refusal that names no time: doubled by each further one, up to the second number.
    static let firstPause: Int64 = 600
    static let longestPause: Int64 = 3600

    private struct Trouble {
        /// When it began, and when the source was asked last; seconds since 1970.
        let since: Int64
        var asked: Int64
        /// How many times in a row it asked for fewer requests.
        var refusals = 0
        /// How long after `asked` it is left alone.
        var pause: Int64 = 0
    }

    private let trouble = Mutex<Trouble?>(nil)
    /// Between 0 and 1, so that machines that were refused together do not come back together.
    private let jitter: @Sendable () -> Double

    init(jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }) { self.jitter = jitter }

    /// How much longer the source must not be asked; `nil` when it may. A clock that was set back ends the pause.
    func pause(at now: Int64) -> Duration? {
        trouble.withLock { trouble in
            guard let trouble, now >= trouble.asked, now < trouble.asked + trouble.pause else { return nil }
            return .seconds(trouble.asked + trouble.pause - now)
        }
    }

    /// The source answered, with certificates or without. How many seconds it had not, where it had not.
    func answered(at now: Int64) -> Int64? {
        trouble.withLock { trouble in
            defer { trouble = nil }
            return trouble.map { max(now - $0.since, 0) }
        }
    }

    /// The source did not answer, or asked for fewer requests. A sentence for the log where this is news.
    func failed(_ error: BrokerError, at now: Int64) -> String? {
        trouble.withLock { trouble in
            let isFirst = trouble == nil
            var state = trouble ?? Trouble(since: now, asked: now)
            state.asked = now
            state.pause = 0
            let isRefusal = error.code == .upstreamThrottled || error.retryAfter != nil
            if isRefusal {
                let own = min(Self.firstPause << min(Int64(state.refusals), 3), Self.longestPause)
                let pause = error.retryAfter.map { max($0.components.seconds, 1) } ?? own
                state.pause = pause + Int64((Double(pause) * jitter() / 4).rounded(.up))
                state.refusals += 1
            }
            trouble = state
            return isRefusal ? Self.words(state) : isFirst ? "\(error.message); it is asked again when it is needed" : nil
        }
    }

    /// What an operator should know at present; `nil` when all is well.
    func notice(at now: Int64) -> String? {
        trouble.withLock { $0 }.map { trouble in
            trouble.pause > 0 ? Self.words(trouble) : "no answer since \(RFC3339.format(trouble.since))"
        }
    }

    private static func words(_ trouble: Trouble) -> String {
        "asks for fewer requests since \(RFC3339.format(trouble.since)), and is not asked again before "
            + RFC3339.format(trouble.asked + trouble.pause)
    }
}
