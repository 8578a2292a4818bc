internal import Glibc

/// Threads of our own for work that would block Swift's cooperative pool, which has as many threads as the machine has cores.
public enum BackgroundThread {
    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a detached thread. Returns whether it started.
    public static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let job = Unmanaged.passRetained(Job(body))
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

    /// Runs `body` on a thread of its own and waits for it without blocking the caller's thread. `nil` when the calling task is cancelled
    /// first, or when there is no thread to be had; a thread that was left behind ends with `body`, and its result is dropped.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        let waiter = Waiter<Value>()
        guard start({ waiter.resume(body()) }) else { return nil }
        return await waiter.value(onCancel: { true })
    }
}
