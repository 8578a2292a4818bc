/// Runs `operation` in a task of its own, which is cancelled when `deadline` passes or when the calling task is cancelled, and comes back
/// when it has ended. `operation` has to listen: what may not goes through `abandonable`.
package func withDeadline<Value: ~Copyable & Sendable, Failure: Error>(
    _ deadline: Deadline, _ operation: @escaping @Sendable () async throws(Failure) -> Value
) async throws(Failure) -> Value {
    // A task's own result cannot be a value that cannot be copied, so the task leaves it here, always, before it ends.
    nonisolated(unsafe) let outcome = UnsafeMutablePointer<Result<Value, Failure>>.allocate(capacity: 1)
    defer { outcome.deallocate() }
    let task = Task {
        do throws(Failure) { outcome.initialize(to: .success(try await operation())) } catch { outcome.initialize(to: .failure(error)) }
    }
    let timer = DeadlineTimer(at: deadline.instant) { task.cancel() }
    defer { timer.cancel() }
    await withTaskCancellationHandler {
        await task.value
    } onCancel: {
        task.cancel()
    }
    return try outcome.move().get()
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
