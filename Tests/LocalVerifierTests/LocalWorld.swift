import AttestationTokens
import BrokerCore
import BrokerTestKit
import HTTPTransport
import Issuing
import Logging
import OpenSSLCrypto
import SNPFixture
import SNPReport
import SNPVerification
import SecureMemory
import Synchronization
import Waiting

@testable import BrokerEngine
@testable import LocalVerifier

/// A fixture chip, a local judge, and an authority and a store that let everything through.
struct LocalWorld {
    /// Keys of 4096 bits take seconds, so all tests share them.
    static let authority = Result { try FixtureAuthority.generate(product: .milan, now: now) }
    static let now: Int64 = 1_790_000_000
    static let data = RuntimeData([1, 2, 3])

    let chip: FixtureChip
    let authority: FixtureAuthority
    let log = RecordedLog()
    let clock = ManualClock(now)
    let service: ListService
    var settings: [String: RawSetting] = [:]
    var products = ProductTable.builtIn
    /// Changes the report before it is signed.
    var bend: @Sendable (inout ReportBuilder) -> Void = { _ in }

    init(tcb: TCBVersion? = nil) throws {
        authority = try Self.authority.get()
        chip = try FixtureChip(authority: authority, tcb: tcb, now: Self.now)
        service = ListService(body: try authority.revocationList(now: Self.now))
        let root = PinnedRoot(name: "test", product: .milan, certificate: authority.root)
        products = ProductTable(
            entries: ProductTable.builtIn.entries.map { entry in
                entry.product == .milan ? ProductEntry(product: .milan, roots: entry.roots + [root], sources: entry.sources) : entry
            }, floors: FloorPreset.builtIn)
        settings["uvm-endorsement"] = .string("off")
    }

    var host: HostServices {
        HostServices(
            transport: service, accessTokens: StaticAccessTokens(), trust: SharedTrustStore(TLSTrust(includesSystemDefaults: false)),
            cloud: "public",
            products: products, clock: clock, logger: log.logger())
    }

    func judge() throws -> LocalJudge {
        let host = host
        return try LocalJudge(LocalSettings(Settings(path: "verifier.local", values: settings), host), host)
    }

    func evidence(_ binding: ReportData) throws -> Evidence {
        var builder = ReportBuilder()
        builder.reportData = binding.bytes
        bend(&builder)
        return Evidence(
            report: try chip.sign(builder), endorsements: chip.chain.map(\.der), endorsedTCB: chip.tcb.hex, provenance: .fixture)
    }

    func judgement() async throws -> Judgement {
        let context = RequestContext(id: "test", deadline: .after(.seconds(600)), logger: log.logger())
        return try await judge().judgement(of: evidence(Self.data.reportData), runtimeData: Self.data, in: context)
    }
}

/// AMD's service, as far as revocation lists go.
final class ListService: HTTPTransport {
    struct State {
        var status = 200
        var body: [UInt8]
        var headers: [(name: String, value: String)] = []
        var paths: [String] = []
    }

    let state: Mutex<State>
    init(body: [UInt8]) { state = Mutex(State(body: body)) }

    var count: Int { state.withLock { $0.paths.count } }

    func set(_ status: Int, _ body: [UInt8]? = nil, retryAfter: String? = nil) {
        state.withLock { state in
            state.status = status
            if let body { state.body = body }
            state.headers = retryAfter.map { [("retry-after", $0)] } ?? []
        }
    }

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        state.withLock { state in
            state.paths.append(request.path)
            return HTTPResponse(status: state.status, headers: state.headers, body: state.body)
        }
    }
}
