internal import Glibc

/// Threads of our own for work that would block Swift's cooperative pool, which has as many threads as the machine has cores.
public enum BackgroundThread {
    private final class Job: Sendable {
        let niceness: Int32
        let body: @Sendable () -> Void
        init(niceness: Int32, body: @escaping @Sendable () -> Void) {
            self.niceness = niceness
            self.body = body
        }
    }

    /// Starts a detached thread; `niceness` above 0 makes it yield to everything else. Returns whether it started.
    public static func start(niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void) -> Bool {
        let job = Unmanaged.passRetained(Job(niceness: niceness, body: body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
                // On Linux a thread has a niceness of its own; 0 names the calling thread.
                if job.niceness > 0 { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, job.niceness) }
                job.body()
                return nil
            }, job.toOpaque())
        guard status == 0 else {
            job.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Runs `body` on a thread of its own and waits for it without blocking the caller's thread.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            let started = start { continuation.resume(returning: body()) }
            if !started { continuation.resume(returning: body()) }
        }
    }
}
