internal import Waiting
internal import BrokerCore
internal import HTTPTransport

extension BrokerEngine {
    /// Runs a provider's work and stops waiting at the context's deadline or when the caller goes away, also where the provider ignores
    /// both.
    func bounded<Value: Sendable>(
        by context: RequestContext, at stage: BrokerError.Stage, _ work: @escaping @Sendable () async throws(BrokerError) -> Value
    ) async throws(BrokerError) -> Value {
        let race = FirstResult<Value>()
        let late = BrokerError(
            .deadlineExceeded, at: stage, "no answer within \(options.requestTimeout.settingText); the \(stage.rawValue) stage was given up"
        )
        let gone = BrokerError(.deadlineExceeded, at: stage, "the caller went away")
        // Nobody is asked on behalf of a caller who no longer waits.
        guard !Task.isCancelled else { throw gone }
        guard !context.deadline.hasPassed else { throw late }
        let worker = Task {
            let result: Result<Value, BrokerError>
            do throws(BrokerError) { result = .success(try await work()) } catch { result = .failure(error) }
            race.finish(result)
        }
        defer { worker.cancel() }
        return try await race.result(by: context.deadline, late: late, gone: gone) { error in race.finish(.failure(error)) }
    }
}
