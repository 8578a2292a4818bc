internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Sends one request over and over to an HTTP/1.1 server and keeps the time of each answer.
enum LoadGenerator {
    /// The server could not be reached at all.
    struct Unreachable: Error, Sendable, CustomStringConvertible { let description: String }

    /// Runs the plan to its end, or until the task is cancelled; what was counted up to then is the result.
    static func run(_ plan: LoadPlan) async throws(Unreachable) -> LoadReport {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let run = LoadRun(plan)
        let outcome: Result<LoadReport, Unreachable>
        do {
            for index in 0..<max(plan.connections, 1) { try await connect(index, run, on: group.any()).get() }
            outcome = .success(await run.report())
        } catch {
            await run.abandon()
            outcome = .failure(Unreachable(description: "\(error)"))
        }
        try? await group.shutdownGracefully()
        return try outcome.get()
    }

    /// Opens a connection; the first one that opens starts the clock for all.
    static func connect(_ index: Int, _ run: LoadRun, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(5)).channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(LoadConnection(index: index, run: run))
                }
            }
        let channel: EventLoopFuture<any Channel> =
            switch run.plan.target {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path):
                ClientBootstrap(group: loop).channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(LoadConnection(index: index, run: run))
                    }
                }.connect(unixDomainSocketPath: path)
            }
        return channel.map { _ in }
    }
}

/// What all connections of a run share.
final class LoadRun: Sendable {
    private struct State {
        var report = LoadReport()
        var answered = 0
        var isOver = false
        var lastCounted: ContinuousClock.Instant
        var waiter: CheckedContinuation<Void, Never>?
    }

    let plan: LoadPlan
    let start: ContinuousClock.Instant
    let countFrom: ContinuousClock.Instant
    let end: ContinuousClock.Instant
    private let state: Mutex<State>

    init(_ plan: LoadPlan) {
        self.plan = plan
        start = .now
        countFrom = start.advanced(by: plan.warmUp)
        end = countFrom.advanced(by: plan.duration)
        state = Mutex(State(lastCounted: countFrom))
    }

    /// When request number `number` of connection `index` is due.
    func due(_ number: Int, of index: Int) -> ContinuousClock.Instant? {
        guard let rate = plan.rate, rate > 0 else { return nil }
        let position = Double(number * max(plan.connections, 1) + index)
        return start.advanced(by: .seconds(position / rate))
    }

    var isOver: Bool { state.withLock { $0.isOver } || ContinuousClock.now >= end }

    func answered(_ status: Int, due: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        let (seconds, attoseconds) = due.duration(to: now).components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.isOver, now >= countFrom, now <= end else { return nil }
            state.report.statuses[status, default: 0] += 1
            if (200..<300).contains(status) {
                state.report.latencies.append(nanoseconds)
            } else {
                state.report.otherLatencies.append(nanoseconds)
            }
            state.lastCounted = now
            state.answered += 1
            guard let limit = plan.requests, state.answered >= limit else { return nil }
            state.isOver = true
            return state.waiter.take()
        }
        waiter?.resume()
    }

    func failed(_ reason: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard !state.isOver, now >= countFrom, now <= end else { return }
            state.report.failures[reason, default: 0] += 1
        }
    }

    /// Waits for the end.
    func report() async -> LoadReport {
        let timer = Task { [self] in
            try? await Task.sleep(until: end, clock: .continuous)
            finish()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.isOver { state.waiter = continuation }
                    return state.isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            finish()
        }
        timer.cancel()
        return state.withLock { state in
            var report = state.report
            report.latencies.sort()
            report.otherLatencies.sort()
            let isShort = plan.requests.map { state.answered >= $0 } ?? false
            report.elapsed = countFrom.duration(to: isShort ? state.lastCounted : min(end, .now))
            return report
        }
    }

    func abandon() async { finish() }

    private func finish() {
        let waiter = state.withLock { state in
            state.isOver = true
            return state.waiter.take()
        }
        waiter?.resume()
    }
}
