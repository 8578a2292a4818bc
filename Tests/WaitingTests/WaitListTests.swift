import Synchronization
import Testing

@testable import Waiting

/// A place that some tasks wait for, as the owners of wait lists have it.
final class Place: Sendable {
    private let state = Mutex(WaitList<Int>())

    var count: Int { state.withLock { $0.count } }

    func wait() async -> Int? {
        let waiter = state.withLock { $0.add() }
        return await waiter.value { state.withLock { $0.remove(waiter) } }
    }

    func give(_ value: Int) -> Bool {
        let waiter = state.withLock { $0.takeFirst() }
        waiter?.resume(value)
        return waiter != nil
    }

    func giveAll(_ value: Int) { for waiter in state.withLock({ $0.takeAll() }) { waiter.resume(value) } }
}

/// Something that has happened.
final class Flag: Sendable {
    private let state = Atomic(false)
    var isRaised: Bool { state.load(ordering: .relaxed) }
    func raise() { state.store(true, ordering: .relaxed) }
}

func eventually(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

@Suite("Wait lists", .timeLimit(.minutes(5))) struct WaitListTests {
    private func start(_ count: Int, at place: Place) async -> [Task<Int?, Never>] {
        var tasks: [Task<Int?, Never>] = []
        for _ in 0..<count {
            tasks.append(Task { await place.wait() })
            await eventually { place.count == tasks.count }
        }
        return tasks
    }

    @Test("whoever came first is served first") func order() async {
        let place = Place()
        let tasks = await start(5, at: place)
        for number in 0..<5 { #expect(place.give(number)) }
        #expect(!place.give(5))
        for (number, task) in tasks.enumerated() { #expect(await task.value == number) }
    }

    @Test("shares take turns, and who comes first of a share goes first") func shares() {
        var list = WaitList<Int>()
        let waiters = ["a", "a", "a", "b", "b", "c"].map { list.add($0) }
        var order: [Int] = []
        while let next = list.takeFirst() { order.append(waiters.firstIndex { $0 === next } ?? -1) }
        #expect(order == [0, 3, 5, 1, 4, 2])
        _ = ["a", "b", "b"].map { list.add($0) }
        #expect(list.count(of: "b") == 2 && list.takeFirst { $0 == "b" }?.share == "b" && list.takeFirst { $0 == "x" } == nil)
        let newest = ["a", "a"].map { list.add($0) }.last
        #expect(list.takeLast(ifMoreThan: 3) == nil && list.takeLast(ifMoreThan: 2) === newest && list.count == 3)
    }

    @Test("whoever is cancelled leaves and takes no value from others") func cancelled() async {
        let place = Place()
        let tasks = await start(3, at: place)
        tasks[0].cancel()
        #expect(await tasks[0].value == nil)
        #expect(place.count == 2)
        #expect(place.give(1))
        place.giveAll(2)
        #expect(await tasks[1].value == 1)
        #expect(await tasks[2].value == 2)
        #expect(place.count == 0)
    }

    @Test("no value is lost between tasks that are served and cancelled at the same time") func race() async {
        let place = Place()
        for _ in 0..<2000 {
            let task = await start(1, at: place)[0]
            let giver = Task.detached { place.give(7) }
            task.cancel()
            let (given, got) = (await giver.value, await task.value)
            #expect(given == (got == 7))
        }
    }

    @Test("a value that comes before anybody waits is kept, and only the first counts") func early() async {
        let waiter = Waiter<Int>()
        waiter.resume(1)
        waiter.resume(2)
        #expect(await waiter.value(onCancel: { true }) == 1)
    }

    @Test("work on a thread of its own is left behind when its task is cancelled") func thread() async {
        let mayEnd = Flag()
        let work = Task {
            await BackgroundThread.run { while !mayEnd.isRaised {} }
        }
        work.cancel()
        #expect(await work.value == nil)
        mayEnd.raise()
        #expect(await BackgroundThread.run { 7 } == 7)
    }
}
