/// Runs `operation` in a task of its own, which is cancelled when `deadline` passes or when the calling task is cancelled, and comes back
/// when it has ended. `operation` has to listen: what may not goes through `abandonable`.
package func withDeadline<Value: ~Copyable & Sendable, Failure: Error>(
    _ deadline: Deadline, _ operation: @escaping @Sendable () async throws(Failure) -> Value
) async throws(Failure) -> Value {
    let outcome = Place<Result<Value, Failure>>()
    let task = Task {
        do throws(Failure) { outcome.put(.success(try await operation())) } catch { outcome.put(.failure(error)) }
    }
    let timer = DeadlineTimer(at: deadline.instant) { task.cancel() }
    defer { timer.cancel() }
    await withTaskCancellationHandler {
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
    guard let result = await waiter.value(onCancel: { true }) else {
        task.cancel()
        return nil
    }
    return try result.get()
}

/// Where a task leaves what its result cannot be: a value that cannot be copied.
private final class Place<Value: ~Copyable>: @unchecked Sendable {
    // Unchecked because the task puts one value before it ends, and the other side takes it afterwards.
    private let memory = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    deinit { memory.deallocate() }

    func put(_ value: consuming Value) { memory.initialize(to: value) }

    func take() -> Value { memory.move() }
}
