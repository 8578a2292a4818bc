import Testing

@testable import Waiting

@Suite("Work with a deadline", .timeLimit(.minutes(5))) struct WithDeadlineTests {
    private struct Stopped: Error, Equatable { let words: String }

    /// Something that is given up, and not copied.
    private struct Secret: ~Copyable, Sendable {
        let number: Int
        let wiped: Flag
        deinit { wiped.raise() }
    }

    private static let listening: @Sendable () async throws(Stopped) -> Int = { () async throws(Stopped) in
        while !Task.isCancelled { await Task.yield() }
        throw Stopped(words: "cancelled")
    }

    @Test("brings its value, also one that cannot be copied, or its error") func results() async throws {
        let wiped = Flag()
        do {
            let secret = try await withDeadline(.after(.seconds(600))) { () async throws(Stopped) in Secret(number: 7, wiped: wiped) }
            #expect(secret.number == 7)
        }
        #expect(wiped.isRaised)
        await #expect(throws: Stopped(words: "no")) {
            try await withDeadline(.after(.seconds(600))) { () async throws(Stopped) -> Int in throw Stopped(words: "no") }
        }
    }

    @Test("is cancelled at the deadline, and what it says then is the answer") func late() async {
        let deadline = Deadline.after(.milliseconds(20))
        await #expect(throws: Stopped(words: "cancelled")) { try await withDeadline(deadline, Self.listening) }
        #expect(deadline.hasPassed)
    }

    @Test("is cancelled when the caller is") func gone() async {
        let call = Task { try await withDeadline(.after(.seconds(600)), Self.listening) }
        call.cancel()
        await #expect(throws: Stopped(words: "cancelled")) { try await call.value }
    }

    @Test("somebody else's work that does not listen is cancelled and left behind") func abandoned() async throws {
        let begun = Flag()
        let mayEnd = Flag()
        let sawCancellation = Flag()
        let call = Task {
            try await abandonable { () async throws(Stopped) -> Int in
                begun.raise()
                while !mayEnd.isRaised { await Task.yield() }
                if Task.isCancelled { sawCancellation.raise() }
                return 7
            }
        }
        await eventually { begun.isRaised }
        call.cancel()
        #expect(try await call.value == nil)
        mayEnd.raise()
        await eventually { sawCancellation.isRaised }
        #expect(try await abandonable { () async throws(Stopped) in 8 } == 8)
    }
}
