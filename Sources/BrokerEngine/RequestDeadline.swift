internal import Waiting
internal import BrokerCore
internal import Logging

extension BrokerEngine {
    /// A whole request: `work` is cancelled at the context's deadline, or when the caller goes away. `stage` is where it begins.
    func bounded<Value: ~Copyable & Sendable>(
        by context: RequestContext, beginningAt stage: BrokerError.Stage,
        _ work: @escaping @Sendable () async throws(BrokerError) -> Value
    ) async throws(BrokerError) -> Value {
        do throws(BrokerError) {
            // Nobody is asked on behalf of a caller who no longer waits.
            guard !Task.isCancelled, !context.deadline.hasPassed else { throw .cancelled(at: stage) }
            return try await withDeadline(context.deadline, work)
        } catch {
            throw error.isCancellation && context.deadline.hasPassed ? late(at: error.stage) : error
        }
    }

    private func late(at stage: BrokerError.Stage) -> BrokerError {
        guard stage != .route else {
            return BrokerError(
                .overloaded, at: .route, "the request's deadline passed while it waited for its turn", retryAfter: .seconds(1))
        }
        return BrokerError(
            .deadlineExceeded, at: stage, "no answer within \(options.requestTimeout.settingText); the \(stage.rawValue) stage was given up"
        )
    }

    /// Asks a provider, and leaves it behind when the request is cancelled: a provider may take no notice of that.
    func asked<Value: Sendable>(
        at stage: BrokerError.Stage, in context: RequestContext, _ work: @escaping @Sendable () async throws(BrokerError) -> Value
    ) async throws(BrokerError) -> Value {
        guard !Task.isCancelled else { throw .cancelled(at: stage) }
        let start = ContinuousClock.now
        defer { if let timing = RequestRecord.Timing(stage) { context.recorder.add(start.duration(to: .now), to: timing) } }
        let answer = try await abandonable { () async throws(BrokerError) in
            do throws(BrokerError) { return try await work() } catch {
                // The caller has its answer; what kept the provider is of interest to the operator.
                if Task.isCancelled { context.logger.info("given up", metadata: ["stage": "\(stage)", "reason": "\(error.message)"]) }
                throw error
            }
        }
        guard let answer else { throw .cancelled(at: stage) }
        return answer
    }
}

extension RequestRecord.Timing {
    /// What is measured of a stage at which a provider is asked.
    fileprivate init?(_ stage: BrokerError.Stage) {
        switch stage {
        case .evidence: self = .evidence
        case .verify: self = .verify
        case .identity: self = .identity
        case .release: self = .release
        case .startup, .decode, .caller, .route, .endorsement, .unwrap, .audit: return nil
        }
    }
}
