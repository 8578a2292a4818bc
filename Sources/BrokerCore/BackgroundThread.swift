internal import Glibc

/// Threads of our own for work that would block Swift's cooperative pool, which has as many threads as the machine has cores.
public enum BackgroundThread {
    /// How a thread stands beside the others of the process.
    public enum Urgency: Sendable {
        case normal
        /// Leaves most of its core to whoever else wants it.
        case low
    }

    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a detached thread. Returns whether it started.
    public static func start(as urgency: Urgency = .normal, _ body: @escaping @Sendable () -> Void) -> Bool {
        let job = Unmanaged.passRetained(
            Job {
                if urgency == .low { standBack() }
                body()
            })
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, job.toOpaque())
        guard status == 0 else {
            job.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Makes the calling thread, which must be one of these, one that stands back. There is no way to the front again.
    ///
    /// Not `SCHED_IDLE`, although that gives its core up sooner: where others keep all cores busy, such a thread runs so rarely that a lock which it holds (of the
    /// allocator, say) stops everybody for seconds.
    public static func standBack() {
        // On Linux a thread has a niceness of its own; 0 names the calling thread.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    }

    /// Runs `body` on a thread of its own and waits for it without blocking the caller's thread.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            let started = start { continuation.resume(returning: body()) }
            if !started { continuation.resume(returning: body()) }
        }
    }
}
