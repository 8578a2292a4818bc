import Waiting
import AzureSimulators
import CurlTransport
import HTTPTransport
import StrictJSON
import Testing

struct FaultTests {
    @Test("faults apply to the next calls of their route and to no others") func counted() async throws {
        try await Cloud.run({ $0.faults = [.throttle(.keyGet, retryAfter: 7, count: 2)] }) { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, ["kty": "EC"])
            func get() async throws -> Answer {
                try await cloud.send(.get, Cloud.vault, "/keys/k1?api-version=7.4", bearer: cloud.bearer())
            }
            #expect(try await cloud.send(.get, Cloud.vault, "/keys?api-version=7.4", bearer: cloud.bearer()).status == 200)
            for _ in 0..<2 {
                let answer = try await get()
                #expect(answer.status == 429)
                #expect(answer.code == "Throttled")
                #expect(answer.header("retry-after") == "7")
            }
            #expect(try await get().status == 200)
            #expect(cloud.simulators.requestCounts[.keyGet] == 3)
            #expect(cloud.simulators.requestCount(.keyStore) == 4)
            #expect(cloud.simulators.requestCount(.attestation) == 0)
        }
    }

    @Test("beyond so many requests of a route in a time, each host asks to wait for the rest of it") func limited() async throws {
        try await Cloud.run({ $0.limits = [RateLimit(.maaCertificates, count: 2, window: .seconds(600))] }) { cloud in
            func certs(_ host: String) async throws -> Answer { try await cloud.send(.get, host, "/certs") }
            for _ in 0..<2 { #expect(try await certs(Cloud.attestation).status == 200) }
            let refused = try await certs(Cloud.attestation)
            #expect(refused.status == 429)
            #expect((1...600).contains(Int(refused.header("retry-after") ?? "") ?? 0))
            #expect(try await certs("sharedweu.weu.attest.azure.net").status == 200)
        }
    }

    @Test("IMDS can be made to update, and to fail", arguments: [404, 410, 429, 500, 503]) func instanceMetadata(_ status: Int) async throws
    {
        try await Cloud.run { cloud in
            let body = Array(#"{"error":"unknown","error_description":"busy"}"#.utf8)
            cloud.simulators.inject(FaultRule(.status(status, body: body), on: .imdsToken))
            let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
            let answer = try await cloud.metadata(path)
            #expect(answer.status == status)
            #expect(answer.response.body == body)
            #expect(try await cloud.metadata(path).status == 200)
        }
    }

    @Test("answers can be late, cut, damaged or replaced") func effects() async throws {
        try await Cloud.run { cloud in
            func certs() async throws -> Answer { try await cloud.send(.get, Cloud.attestation, "/certs") }
            let good = try await certs().response.body
            cloud.simulators.inject(FaultRule(.flipBit, on: .maaCertificates))
            let flipped = try await certs().response.body
            #expect(flipped.count == good.count)
            #expect(zip(flipped, good).filter { $0 != $1 }.count == 1)
            cloud.simulators.inject(FaultRule(.truncate(toBytes: 10), on: .maaCertificates))
            #expect(try await certs().response.body == Array(good.prefix(10)))
            cloud.simulators.inject(FaultRule(.replaceBody { $0 + [0] }, on: .maaCertificates))
            #expect(try await certs().response.body == good + [0])
            cloud.simulators.inject(FaultRule(.delay(.milliseconds(200)), on: .maaCertificates))
            let time = try await ContinuousClock().measure { _ = try await certs() }
            #expect(time >= .milliseconds(200))
            cloud.simulators.inject(FaultRule(.status(500), on: .maaCertificates, count: nil))
            for _ in 0..<3 { #expect(try await certs().status == 500) }
            cloud.simulators.clearFaults()
            #expect(try await certs().response.body == good)
        }
    }

    @Test("a hanging route answers nobody, and does not keep the simulators from stopping") func hang() async throws {
        let stopping = Slot(ContinuousClock.now)
        try await Cloud.run { cloud in
            cloud.simulators.inject(FaultRule(.hang, on: .maaCertificates))
            let request = HTTPRequest(.get, .service(try Endpoint(Cloud.attestation)), path: "/certs", deadline: .after(.milliseconds(300)))
            await #expect(throws: HTTPTransportError.deadlineExceeded) { try await cloud.transport.send(request) }
            stopping.value = .now
        }
        // Less than the ten minutes for which the route hangs, however busy the machine is.
        #expect(stopping.value.duration(to: .now) < .seconds(590))
    }
}
