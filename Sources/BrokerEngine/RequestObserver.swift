package import BrokerCore
internal import Waiting

/// Who is told about requests: the log, the audit, metrics.
package protocol RequestObserver: Sendable {
    /// The request has its answer, which leaves when this returns and not where it throws; inside the request's deadline. For an audit.
    func willAnswer(_ record: RequestRecord) async throws(BrokerError)

    /// The request is over, for better or worse. Called once, with a record that is complete; must not wait.
    func completed(_ record: RequestRecord)
}

extension RequestObserver { package func willAnswer(_ record: RequestRecord) async throws(BrokerError) {} }

extension BrokerEngine {
    /// A whole use case: the one place where a request's record is completed.
    func recorded<Value: ~Copyable & Sendable>(
        _ operation: RequestRecord.Operation, in context: RequestContext, beginningAt stage: BrokerError.Stage,
        _ work: @escaping @Sendable () async throws(BrokerError) -> Value
    ) async throws(BrokerError) -> Value {
        context.recorder.note { $0.operation = operation }
        do throws(BrokerError) {
            let value = try await bounded(by: context, beginningAt: stage) { [self] () async throws(BrokerError) -> Value in
                let value = try await work()
                try await tellAnswer(in: context)
                return value
            }
            complete(context, nil)
            return value
        } catch {
            complete(context, error)
            throw error
        }
    }

    private func tellAnswer(in context: RequestContext) async throws(BrokerError) {
        for observer in observers { try await observer.willAnswer(context.recorder.record) }
    }

    private func complete(_ context: RequestContext, _ error: BrokerError?) {
        guard let record = context.recorder.complete(error) else { return }
        for observer in observers { observer.completed(record) }
    }
}
