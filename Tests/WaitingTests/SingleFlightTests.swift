import Synchronization
import Testing

@testable import Waiting

@Suite("Single flight", .timeLimit(.minutes(5))) struct SingleFlightTests {
    private struct Failed: Error, Equatable { let number: Int }

    private let flights = SingleFlight<String, Int, Failed>()

    private func start(_ deadline: Deadline, _ work: @escaping @Sendable (@escaping @Sendable () -> Deadline) async throws(Failed) -> Int)
        async -> Task<Int?, any Error>
    {
        let flights = flights
        let before = flights.waitingCount()
        let task = Task { try await flights.value(for: "k", until: { deadline }, work: work) }
        await eventually { flights.waitingCount() == before + 1 }
        return task
    }

    @Test("works once for all who wait, towards the latest of their deadlines") func shared() async throws {
        let deadlines = [4000, 6000, 5000].map { Deadline.after(.seconds($0)) }
        let mayLand = Flag()
        let first = await start(deadlines[0]) { latest in
            await eventually { mayLand.isRaised }
            return latest() == deadlines[1] ? 7 : 0
        }
        var tasks = [first]
        for deadline in deadlines[1...] { tasks.append(await start(deadline) { _ in 8 }) }
        mayLand.raise()
        for task in tasks { #expect(try await task.value == 7) }
        #expect(flights.waitingCount() == 0)
        #expect(try await flights.value(for: "k", until: { deadlines[0] }) { _ in 9 } == 9)
    }

    @Test("whoever is cancelled leaves alone, and the last one ends the work") func leaving() async throws {
        let (early, late) = (Deadline.after(.seconds(4000)), Deadline.after(.seconds(6000)))
        let ended = Flag()
        let first = await start(late) { latest in
            while !Task.isCancelled { await Task.yield() }
            ended.raise()
            return 7
        }
        let second = await start(early) { _ in 8 }
        first.cancel()
        #expect(try await first.value == nil)
        #expect(!ended.isRaised)
        #expect(flights.waitingCount() == 1)
        second.cancel()
        #expect(try await second.value == nil)
        await eventually { ended.isRaised }
        // What it brought is dropped.
        #expect(try await flights.value(for: "k", until: { early }) { _ in 9 } == 9)
    }

    @Test("a failure is told to all, but one that is the first caller's own to that one alone", arguments: [false, true])
    func failures(isOwn: Bool) async throws {
        let flights = flights
        let deadline = Deadline.after(.seconds(6000))
        let mayFail = Flag()
        let works = Atomic(0)
        let work: @Sendable (@escaping @Sendable () -> Deadline) async throws(Failed) -> Int = { _ throws(Failed) in
            let number = works.add(1, ordering: .relaxed).newValue
            await eventually { mayFail.isRaised }
            throw Failed(number: number)
        }
        let calls = (0..<4).map { _ in
            Task { try await flights.value(for: "k", until: { deadline }, isOwn: { _ in isOwn }, work: work) }
        }
        await eventually { flights.waitingCount() == 4 }
        mayFail.raise()
        var numbers: Set<Int> = []
        for call in calls {
            let error = await #expect(throws: Failed.self) { try await call.value }
            numbers.insert(error?.number ?? 0)
        }
        #expect(numbers == (isOwn ? [1, 2, 3, 4] : [1]))
    }
}
