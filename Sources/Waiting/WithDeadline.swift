internal import Synchronization

/// Runs `operation` in a task of its own, which is cancelled when `deadline` passes or when the calling task is cancelled, and comes back
/// when it has ended. `operation` has to listen: what may not goes through `abandonable`.
package func withDeadline<Value: ~Copyable & Sendable, Failure: Error>(
    _ deadline: Deadline, _ operation: @escaping @Sendable () async throws(Failure) -> Value
) async throws(Failure) -> Value {
    let task = Task { () async -> Outcome<Value, Failure> in
        do throws(Failure) { return Outcome(.success(try await operation())) } catch { return Outcome(.failure(error)) }
    }
    let timer = DeadlineTimer(at: deadline.instant) { task.cancel() }
    defer { timer.cancel() }
    let outcome = await withTaskCancellationHandler {
        await task.value
    } onCancel: {
        task.cancel()
    }
    return try outcome.take().get()
}

/// Runs `operation` in a task of its own. When the calling task is cancelled, that one is cancelled too and left behind, and the answer is
/// `nil`: for somebody else's work, which may take no notice. What it brings later is dropped.
package func abandonable<Value: Sendable, Failure: Error>(_ operation: @escaping @Sendable () async throws(Failure) -> Value)
    async throws(Failure) -> Value?
{
    let waiter = Waiter<Result<Value, Failure>>()
    let task = Task {
        do throws(Failure) { waiter.resume(.success(try await operation())) } catch { waiter.resume(.failure(error)) }
    }
    guard let result = await waiter.value(onCancel: {}) else {
        task.cancel()
        return nil
    }
    return try result.get()
}

/// What a task ended with: a task's own result cannot be a value that cannot be copied.
private final class Outcome<Value: ~Copyable & Sendable, Failure: Error>: Sendable {
    private let result: Mutex<Result<Value, Failure>?>

    init(_ result: consuming sending Result<Value, Failure>) { self.result = Mutex(result) }

    func take() -> Result<Value, Failure> {
        guard let result = result.withLock({ $0.take() }) else { preconditionFailure("an outcome was taken twice") }
        return result
    }
}
