internal import Waiting
internal import BrokerCore
internal import HTTPTransport

extension FirstResult {
    /// Waits for the result. At the deadline, or when the caller goes away, `leave` is called with the error that says so and sees to it
    /// that the error or something better is delivered.
    func result(by deadline: Deadline, late: BrokerError, gone: BrokerError, leave: @escaping @Sendable (BrokerError) -> Void)
        async throws(BrokerError) -> Value
    {
        let timer = DeadlineTimer(at: deadline.instant) { leave(late) }
        defer { timer.cancel() }
        let outcome = await withTaskCancellationHandler {
            await self.result()
        } onCancel: {
            leave(gone)
        }
        return try outcome.get()
    }
}
