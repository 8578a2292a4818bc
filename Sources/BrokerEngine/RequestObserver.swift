package import BrokerCore
internal import Waiting

/// Who is told about requests: the log, the audit, metrics.
package protocol RequestObserver: Sendable {
    /// The request has its answer, which leaves when this returns and not where it throws; inside the request's deadline. For an audit.
    func willAnswer(_ record: RequestRecord) async throws(BrokerError)

    /// Why it could not let an answer leave now; empty where it could. Stands in the way of readiness.
    var obstacles: [String] { get }

    /// The request is over, for better or worse. Called once, with a record that is complete; must not wait.
    func completed(_ record: RequestRecord)
}

extension RequestObserver {
    package func willAnswer(_ record: RequestRecord) async throws(BrokerError) {}
    package var obstacles: [String] { [] }
}

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

    /// Tells the observers of a request that a front end turned away before there was more than its head.
    package func refused(_ operation: RequestRecord.Operation, _ error: BrokerError, in context: RequestContext) {
        context.recorder.note { $0.operation = operation }
        complete(context, error)
    }

    /// Who asks, with what the request's head says of it.
    package func identify(_ caller: Caller, authorization: [String]) throws(BrokerError) -> Caller {
        try callers.identify(caller, authorization: authorization)
    }

    /// Why the caller may not even ask; `nil` where it may.
    package func refusal(of caller: Caller, _ operation: RequestRecord.Operation) -> BrokerError? { callers.refusal(of: caller, operation) }

    /// Holds an answer back that refuses a caller something, where that caller is refused too often.
    package func rest(beforeRefusing caller: Caller) async {
        let pause = callers.pause(beforeRefusing: caller)
        if pause > .zero { try? await Task.sleep(for: pause) }
    }

    private func tellAnswer(in context: RequestContext) async throws(BrokerError) {
        guard !observers.isEmpty else { return }
        let start = ContinuousClock.now
        defer { context.recorder.add(start.duration(to: .now), to: .audit) }
        for observer in observers { try await observer.willAnswer(context.recorder.record) }
    }

    private func complete(_ context: RequestContext, _ error: BrokerError?) {
        guard let record = context.recorder.complete(error) else { return }
        watch.note(record)
        for observer in observers { observer.completed(record) }
    }
}
