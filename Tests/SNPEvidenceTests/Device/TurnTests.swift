import Waiting
import BrokerCore
import HTTPTransport
import Synchronization
import Testing

@testable import SNPEvidence

@Suite("Requests to the firmware, one by one", .timeLimit(.minutes(2))) struct TurnTests {
    private final class Order: Sendable {
        private let state = Mutex<[Int]>([])
        var numbers: [Int] { state.withLock { $0 } }
        func append(_ number: Int) { state.withLock { $0.append(number) } }
        private let inside = Atomic(0)
        /// How many are inside, the caller included.
        func enter() -> Int { inside.add(1, ordering: .relaxed).newValue }
        func leave() { inside.subtract(1, ordering: .relaxed) }
    }

    @Test("whoever waits too long is told what is in the way, and takes nobody's turn") func busy() async throws {
        let turn = Turn()
        try await turn.enter(path: "/dev/x")
        do throws(BrokerError) {
            try await withDeadline(.after(.milliseconds(20))) { () async throws(BrokerError) in try await turn.enter(path: "/dev/x") }
            Issue.record("two at a time")
        } catch {
            #expect(error.code == .deadlineExceeded && error.stage == .evidence)
            #expect(error.message.contains("/dev/x is still busy with an earlier request"))
        }
        let next = Task { try await turn.enter(path: "/dev/x") }
        turn.leave()
        try await next.value
        turn.leave()
        try await turn.enter(path: "/dev/x")
    }

    @Test("never two at a time, and everybody's turn comes") func exclusive() async throws {
        let turn = Turn()
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    try await turn.enter(path: "/dev/x")
                    #expect(order.enter() == 1)
                    await Task.yield()
                    order.append(number)
                    order.leave()
                    turn.leave()
                }
            }
            try await group.waitForAll()
        }
        #expect(order.numbers.sorted() == Array(0..<100))
    }
}
