import AzureServices
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Logging
import SecureMemory
import Synchronization

/// Remembers how long it was asked to sleep, and does not.
final class RecordedSleep: Sendable {
    private let slept = Mutex<[Duration]>([])
    var durations: [Duration] { slept.withLock { $0 } }
    var sleeper: Sleeper { { duration in self.slept.withLock { $0.append(duration) } } }
}

/// A number that concurrent tasks count up.
final class Counter: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }

    @discardableResult func increment() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}

let canary = "canary-access-token"

func answer(_ status: Int, _ body: String = "{}", headers: [(String, String)] = []) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers.map { (name: $0.0, value: $0.1) }, body: Array(body.utf8))
}

/// As IMDS answers: every value a string.
func metadataToken(_ token: String = canary, expiresIn: Int = 86_399) -> HTTPResponse {
    answer(
        200,
        #"{"access_token":"\#(token)","refresh_token":"","expires_in":"\#(expiresIn)","resource":"https://vault.azure.net","token_type":"Bearer"}"#
    )
}

/// A source in front of a scripted metadata service or token endpoint.
struct IdentityFixture {
    let transport: ScriptedTransport
    let clock = ManualClock()
    let sleep = RecordedSleep()
    let log = RecordedLog()
    let source: any AccessTokenSource

    init(_ options: AzureIdentityOptions = AzureIdentityOptions(), environment: [String: String] = [:], transport: ScriptedTransport) throws
    {
        self.transport = transport
        source = try makeAccessTokenSource(
            options, environment: environment, transport: transport, clock: clock, logger: log.logger(), sleep: sleep.sleeper)
    }

    init(
        _ options: AzureIdentityOptions = AzureIdentityOptions(), environment: [String: String] = [:],
        script: [Result<HTTPResponse, HTTPTransportError>]
    ) throws { try self.init(options, environment: environment, transport: ScriptedTransport(script: script)) }

    func token(_ audience: String = "https://vault.azure.net", timeout: Duration = .seconds(3600)) async throws -> String {
        try await source.accessToken(for: audience, in: .forTest(timeout: timeout, log: log)).reveal()
    }

    func failure(timeout: Duration = .seconds(3600)) async -> BrokerError? {
        do {
            _ = try await source.accessToken(for: "https://vault.azure.net", in: .forTest(timeout: timeout, log: log))
            return nil
        } catch { return error }
    }
}

extension AzureIdentityOptions {
    init(
        use: Use = .auto, cloud: AzureCloud = .public, clientID: String? = nil, objectID: String? = nil, resourceID: String? = nil,
        imdsEndpoint: String? = nil
    ) {
        self.init(use: use, cloud: cloud, timeout: .seconds(10))
        self.clientID = clientID
        self.objectID = objectID
        self.resourceID = resourceID
        self.imdsEndpoint = imdsEndpoint
    }
}
