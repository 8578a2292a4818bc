internal import Glibc

/// Threads of our own for work that would block Swift's cooperative pool, which has as many threads as the machine has cores.
public enum BackgroundThread {
    /// How a thread stands beside the others of the process.
    public enum Urgency: Sendable {
        case normal
        /// Runs only while nobody else wants its core.
        case idle
    }

    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a detached thread. Returns whether it started.
    public static func start(as urgency: Urgency = .normal, _ body: @escaping @Sendable () -> Void) -> Bool {
        let job = Unmanaged.passRetained(
            Job {
                if urgency == .idle { becomeIdle() }
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

    /// Makes the calling thread, which must be one of these, an idle one. There is no way back.
    public static func becomeIdle() {
        // A nice thread alone may keep its core for some milliseconds after another one woke; an idle one gives it up at once (sched(7)).
        var parameters = sched_param()
        guard sched_setscheduler(0, schedIdle, &parameters) != 0 else { return }
        // A sandbox may know no policies. On Linux a thread has a niceness of its own; 0 names the calling thread.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
    }

    /// `SCHED_IDLE` of linux/sched.h, which Glibc shows to GNU sources only.
    private static let schedIdle: Int32 = 5

    /// Runs `body` on a thread of its own and waits for it without blocking the caller's thread.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            let started = start { continuation.resume(returning: body()) }
            if !started { continuation.resume(returning: body()) }
        }
    }
}
