import CurlTransport
import HTTPTransport
import Testing

/// Deadlines, cancellation and shutdown. What is measured runs in a process of its own, where no other test keeps the threads busy.
@Suite(.timeLimit(.minutes(2))) struct WaitingTests {
    private static func silentServer(after text: String = "") throws -> LoopbackServer {
        try LoopbackServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.send(text)
            connection.waitForEnd()
        }
    }

    @Test func aServerThatHangsIsLeftAtTheDeadline() async {
        await #expect(processExitsWith: .success) {
            let transport = try makeTransport()
            for text in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"] {
                let server = try Self.silentServer(after: text)
                let start = ContinuousClock.now
                #expect(await failure(of: get(server, within: .milliseconds(300)), with: transport) == .deadlineExceeded)
                let time = ContinuousClock.now - start
                // A server that hangs has no end of its own: that there is an answer is the upper bound.
                #expect(time >= .milliseconds(290), "\(time)")
            }
        }
    }

    @Test func aDeadlineInThePastSendsNothing() async throws {
        let server = try Self.silentServer()
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        #expect(await failure(of: get(server, within: .seconds(-1)), with: transport) == .deadlineExceeded)
        #expect(server.acceptedConnections == 0)
    }

    @Test func aRequestThatWaitsForItsTurnHasADeadlineToo() async throws {
        let server = try Self.silentServer()
        defer { server.stop() }
        let transport = try makeTransport(connections: 1)
        defer { transport.shutdown() }
        let first = Task { await failure(of: get(server), with: transport) }
        while server.acceptedConnections == 0 { await Task.yield() }
        #expect(await failure(of: get(server, within: .milliseconds(200)), with: transport) == .deadlineExceeded)
        #expect(server.acceptedConnections == 1)
        first.cancel()
        #expect(await first.value == .cancelled)
    }

    @Test func aPlaceThatBecomesFreeIsGivenToTheNext() async throws {
        let server = try LoopbackServer { connection in
            guard let request = connection.readRequest() else { return }
            if request.head.hasPrefix("GET /hang") { connection.waitForEnd() } else { connection.answer("ok") }
        }
        defer { server.stop() }
        let transport = try makeTransport(connections: 1)
        defer { transport.shutdown() }
        let hanging = Task { await failure(of: get(server, "/hang"), with: transport) }
        while server.acceptedConnections == 0 { await Task.yield() }
        let next = Task { try await transport.send(get(server)).text }
        hanging.cancel()
        #expect(await hanging.value == .cancelled)
        #expect(try await next.value == "ok")
    }

    @Test func anOriginThatHangsLeavesPlacesForTheOthers() async throws {
        let dead = try Self.silentServer()
        let alive = try LoopbackServer { connection in while connection.readRequest() != nil { connection.answer("ok") } }
        defer {
            dead.stop()
            alive.stop()
        }
        let transport = try makeTransport(connections: 4)
        defer { transport.shutdown() }
        let stuck = (0..<10).map { _ in Task { await failure(of: get(dead), with: transport) } }
        while dead.acceptedConnections < 2 { await Task.yield() }
        #expect(try await transport.send(get(alive)).text == "ok")
        #expect(dead.acceptedConnections == 2)
        for task in stuck { task.cancel() }
        for task in stuck { #expect(await task.value == .cancelled) }
    }

    @Test func cancellingWakesTheTransfer() async {
        await #expect(processExitsWith: .success) {
            let server = try Self.silentServer()
            let other = try LoopbackServer { connection in while connection.readRequest() != nil { connection.answer("ok") } }
            let transport = try makeTransport()
            var times: [Duration] = []
            // What this machine takes for an exchange now: the measure of a busy one.
            var exchange = Duration.zero
            for round in 1...5 {
                let task = Task { await failure(of: get(server), with: transport) }
                while server.acceptedConnections < round { await Task.yield() }
                let start = ContinuousClock.now
                task.cancel()
                #expect(await task.value == .cancelled)
                times.append(ContinuousClock.now - start)
                exchange = max(exchange, try await ContinuousClock().measure { _ = try await transport.send(get(other)) })
            }
            // A transfer that is only looked at now and then, every second, would take hundreds of exchanges.
            #expect(times.min()! < max(.milliseconds(200), exchange * 20), "\(times) \(exchange)")
        }
    }

    @Test func aTaskThatIsAlreadyCancelledSendsNothing() async throws {
        let server = try Self.silentServer()
        defer { server.stop() }
        let transport = try makeTransport()
        defer { transport.shutdown() }
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await failure(of: get(server), with: transport)
        }
        task.cancel()
        #expect(await task.value == .cancelled)
        #expect(server.acceptedConnections == 0)
    }

    @Test func cancellingAtAnyMomentResumesEveryCallerOnce() async throws {
        let server = try LoopbackServer { connection in while connection.readRequest() != nil { connection.answer("ok") } }
        defer { server.stop() }
        let transport = try makeTransport(connections: 8)
        defer { transport.shutdown() }
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task { await failure(of: get(server), with: transport) }
                    for _ in 0..<(number % 40) { await Task.yield() }
                    task.cancel()
                    let error = await task.value
                    return error == nil || error == .cancelled
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        #expect(try await transport.send(get(server)).text == "ok")
    }

    @Test func shutdownEndsRequestsUnderWayAndRefusesLaterOnes() async throws {
        let server = try Self.silentServer()
        defer { server.stop() }
        let transport = try makeTransport(connections: 4)
        let tasks = (0..<10).map { _ in Task { await failure(of: get(server), with: transport) } }
        while server.acceptedConnections < 2 { await Task.yield() }
        transport.shutdown()
        for task in tasks { #expect(await task.value == .stopped) }
        #expect(await failure(of: get(server), with: transport) == .stopped)
        transport.shutdown()
        #expect(await failure(of: get(server), with: transport) == .stopped)
    }

    @Test func shutdownWhileRequestsArriveLeavesNobodyWaiting() async throws {
        let server = try LoopbackServer { connection in while connection.readRequest() != nil { connection.answer("ok") } }
        defer { server.stop() }
        for round in 0..<20 {
            let transport = try makeTransport()
            await withTaskGroup(of: HTTPTransportError?.self) { group in
                for _ in 0..<30 { group.addTask { await failure(of: get(server), with: transport) } }
                group.addTask {
                    for _ in 0..<(round * 5) { await Task.yield() }
                    transport.shutdown()
                    return nil
                }
                for await error in group { #expect(error == nil || error == .stopped) }
            }
        }
    }

    @Test func aTransportThatIsLetGoEndsItsConnections() async throws {
        let (ended, announce) = AsyncStream<Void>.makeStream()
        let server = try LoopbackServer { connection in
            while connection.readRequest() != nil { connection.answer("ok") }
            announce.yield()
        }
        defer { server.stop() }
        do {
            let transport = try makeTransport()
            #expect(try await transport.send(get(server)).text == "ok")
        }
        // The kept connection is closed by the transport's thread on its way out.
        for await _ in ended { break }
    }
}
