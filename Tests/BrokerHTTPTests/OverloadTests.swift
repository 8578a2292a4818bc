import BrokerConfiguration
import BrokerCore
import InMemoryLogging
import Logging
import StrictJSON
import Testing

@testable import BrokerHTTP

/// What a caller sees while there is no room for releases.
struct OverloadTests {
    private let full = ScriptedEngine(
        failing: BrokerError(
            .overloaded, at: .route, "the broker works on 2 releases and 3 more wait; come back later", retryAfter: .seconds(1)))

    private func release(id: String = "mine") -> String {
        request("POST", "/key/release", body: #"{"kid":"k"}"#, headers: ["X-Request-Id: \(id)"])
    }

    @Test(arguments: [ResponseProfile.compatible, .precise]) func aReleaseIsTurnedAway(profile: ResponseProfile)
        async throws
    {
        try await TestServer.run(full, options: TestServer.options { $0.profile = profile }) { server in
            let answer = try await server.ask(release())
            #expect(answer.status == 429)
            #expect(answer.header("retry-after") == "1")
            #expect(answer.header("x-request-id") == "mine")
            let document = try JSONCursor.parse(answer.body)
            #expect(try document.member("code").string() == "overloaded")
            #expect(try document.member("stage").string() == "route")
            let isRetryable = try document.member("retryable").boolean()
            #expect(isRetryable)
            #expect(try document.member("request_id").string() == "mine")
            let line = try await server.logLine { "\($0.message)" == "request" }
            #expect(line.metadata["status"] == "429" && line.metadata["code"] == "overloaded")
            #expect(line.metadata["route"] == "/key/release" && line.metadata["request_id"] == "mine")
            #expect(line.metadata["peer"] == nil)
        }
    }

    @Test func whatIsWrongWithARequestIsSaidFirst() async throws {
        let foreign = release().replacing("Host: 127.0.0.1", with: "Host: evil.example")
        let statuses = try await TestServer.run(full) { server in
            [
                try await server.post("/key/release", #"{"kid":7}"#).status, try await server.post("/key/release", "{").status,
                try await server.ask(foreign).status,
            ]
        }
        #expect(statuses == [400, 400, 403])
        #expect(full.questions.isEmpty)
    }

    @Test func manyInOneWriteAreAnsweredOneAfterTheOther() async throws {
        let count = 2000
        var text = ""
        for number in 0..<count { text += release(id: "\(number)") }
        text += request("GET", "/status", headers: ["X-Request-Id: last"])
        try await TestServer.run(full) { [text] server in
            let port = server.port
            let answers = try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(text)
                return try client.receiveAnswers(count + 1)
            }
            #expect(answers.dropLast().allSatisfy { $0.status == 429 })
            #expect(answers.last?.status == 200)
            #expect(answers.map { $0.header("x-request-id") } == (0..<count).map { "\($0)" } + ["last"])
        }
    }

    @Test func aPeerThatPipelinesDoesNotKeepTheEventLoop() async throws {
        var script = full.script
        let door = Latch()
        script.pause = { await door.wait() }
        let many = String(repeating: release(), count: 200)
        try await TestServer.run(ScriptedEngine(script)) { server in
            let port = server.port
            let client = try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(many)
                return client
            }
            // The first waits at the door, and meanwhile others are served.
            for _ in 0..<4 { #expect(try await server.ask(request("GET", "/status")).status == 200) }
            #expect(!client.hasInput(withinMilliseconds: 0))
            door.open()
            let answers = try await blocking { try client.receiveAnswers(200) }
            #expect(answers.allSatisfy { $0.status == 429 })
        }
    }
}
