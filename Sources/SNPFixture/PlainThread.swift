internal import Glibc
internal import Synchronization

/// Threads outside Swift's cooperative pool, for key generation that would keep one of its few threads busy for seconds.
package enum PlainThread {
    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private final class Slot<Value: Sendable>: Sendable { let value = Mutex<Value?>(nil) }

    /// Runs `body` on a new detached thread; on the caller's when no thread can be had.
    package static func detach(_ body: @escaping @Sendable () -> Void) {
        if let thread = start(body) { pthread_detach(thread) } else { body() }
    }

    /// Runs `body` twice at the same time, here and on a new thread, and waits for both.
    static func both<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> (Value, Value) {
        let slot = Slot<Value>()
        let thread = start {
            let value = body()
            slot.value.withLock { $0 = value }
        }
        let here = body()
        if let thread { pthread_join(thread, nil) }
        return (here, slot.value.withLock { $0 } ?? body())
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
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
            return nil
        }
        return thread
    }
}
