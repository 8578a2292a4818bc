import AttestationTokens
import BrokerCore
import PlainText
import SNPFixture
import SNPVerification
import BrokerTestKit
import Logging
import HTTPTransport
import Issuing
import OpenSSLCrypto
import SNPReport
import SecureMemory
import StrictJSON
import Synchronization
import Testing

@testable import BrokerEngine
@testable import LocalVerifier

/// The local verifier as a gate before the store, with an authority that lets everything pass.
@Suite("The gate") struct GateTests {
    /// An evidence provider with the fixture's chip.
    private struct ChipEvidence: EvidenceProvider {
        let world: LocalWorld
        var provenance: Evidence.Provenance { .fixture }
        func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
            do { return try world.evidence(binding) } catch { throw BrokerError(.internal, at: .evidence, "\(error)") }
        }
    }

    /// Issues a token for whatever it is shown, or for another report.
    private struct TrustingAuthority: Verifier {
        var lies = false
        let defaultAuthority: Endpoint?
        func accepts(_ authority: Endpoint) -> Bool { true }
        func token(for evidence: Evidence, runtimeData: RuntimeData, from authority: Endpoint, in context: RequestContext)
            async throws(BrokerError) -> AttestationToken
        {
            do {
                var report = try AttestationReport(evidence.report)
                if lies {
                    var bytes = evidence.report
                    bytes[ReportLayout.measurement.lowerBound] ^= 1
                    report = try AttestationReport(bytes)
                }
                var claims = ReportClaims.make(report)
                claims.set("x-ms-runtime", try JSONValue.parse(runtimeData.bytes))
                claims.set("exp", .integer(.max / 2))
                let compact = JWSBuilder.unsecured(payload: JSONValue.object(claims).serialized())
                return try AttestationToken(compact: compact, authority: authority)
            } catch { throw BrokerError(.internal, at: .verify, "\(error)") }
        }
    }

    private final class CountingStore: KeyStore {
        let asked = Atomic<Int>(0)
        let defaultEndpoint: Endpoint?
        init(_ endpoint: Endpoint) { defaultEndpoint = endpoint }
        func claims(_ endpoint: Endpoint) -> Bool { true }
        func release(_ key: KeyReference, presenting token: AttestationToken, as caller: CallerCredential, in context: RequestContext)
            async throws(BrokerError) -> WrappedKey
        {
            asked.add(1, ordering: .relaxed)
            throw BrokerError(.keyNotFound, at: .release, "the store was asked")
        }
    }

    /// The outcome of a release, and how often the store was asked.
    private func release(_ world: LocalWorld, rule: VerifierRule = .all, lies: Bool = false, judges: Bool = true) async throws -> (
        BrokerError?, Int
    ) {
        let store = CountingStore(try Endpoint("one.vault.example"))
        let judge = NamedProvider("local", try world.judge() as any EvidenceJudge)
        let engine = BrokerEngine(
            evidence: NamedProvider("chip", ChipEvidence(world: world)),
            verifier: NamedProvider("maa", TrustingAuthority(lies: lies, defaultAuthority: try Endpoint("one.attest.example"))),
            keyStores: [NamedProvider("store", store)], judges: judges ? [judge] : [], rule: rule,
            wrappingKeys: WrappingKeyPool(capacity: 0, logger: world.log.logger()),
            options: .init(requestTimeout: .seconds(600), releaseLimit: 4, releaseQueue: 4, session: nil), clock: world.clock,
            logger: world.log.logger())
        do {
            _ = try await engine.release(ReleaseRequest(key: try #require(KeyName("k"))), in: engine.makeContext(id: "gate"))
            return (nil, store.asked.load(ordering: .relaxed))
        } catch let error as BrokerError { return (error, store.asked.load(ordering: .relaxed)) }
    }

    struct Fault: Sendable, CustomStringConvertible {
        let description: String
        let code: String
        let change: @Sendable (inout LocalWorld) throws -> Void
    }

    static let faults: [Fault] = [
        Fault(description: "old microcode", code: "tcb-below-minimum") {
            $0.settings["floors"] = .string("AMD-SB-3020")
        },
        Fault(description: "a foreign measurement", code: "measurement-mismatch") {
            $0.settings["measurements"] = .string(String(repeating: "ab", count: 48))
        },
        Fault(description: "VMPL 1", code: "vmpl-mismatch") { $0.bend = { $0.vmpl = 1 } },
        Fault(description: "a revoked ASK", code: "certificate-revoked") { world in
            world.settings["crl-check"] = .string("required")
            world.service.set(200, try world.authority.revocationList(revokingIntermediate: true, now: LocalWorld.now))
        },
    ]

    @Test("each fault that the authority lets pass stops the release before the store is asked", arguments: faults)
    func stopped(fault: Fault) async throws {
        var world = try LocalWorld()
        try fault.change(&world)
        let (error, asked) = try await release(world)
        #expect(error?.code == .verificationRejected && error?.message.contains(fault.code) == true && asked == 0)
        #expect(world.log.lines.contains { $0.contains("verifiers disagree") && $0.contains(fault.code) })
        let (alone, askedAlone) = try await release(world, judges: false)
        #expect(alone?.code == .keyNotFound && askedAlone == 1, "the authority alone lets it pass")
        let (any, askedAny) = try await release(world, rule: .any)
        #expect(any?.code == .keyNotFound && askedAny == 1)
    }

    @Test("an honest guest comes to the store") func honest() async throws {
        let (error, asked) = try await release(try LocalWorld())
        #expect(error?.code == .keyNotFound && asked == 1, "\(error?.message ?? "")")
    }

    @Test("an authority that signs a token for another report is caught") func lyingAuthority() async throws {
        let world = try LocalWorld()
        let (error, asked) = try await release(world, lies: true)
        #expect(error?.code == .upstreamInvalid && error?.message.contains("x-ms-sevsnpvm-launchmeasurement") == true && asked == 0)
    }

    @Test("reports of versions 6 and 7 go on where only the authority judges, and are unsupported for the gate", arguments: [UInt32(6), 7])
    func newVersions(version: UInt32) async throws {
        var world = try LocalWorld()
        world.bend = {
            $0.version = version
            $0.currentETCB = [UInt8](repeating: 3, count: 14)
        }
        let (alone, askedAlone) = try await release(world, judges: false)
        #expect(alone?.code == .keyNotFound && askedAlone == 1)
        let (gated, asked) = try await release(world)
        #expect(gated?.code == .verificationRejected && asked == 0)
        #expect(gated?.details?.cause == "evidence-unsupported" && gated?.message.contains("unsupported") == true)
    }
}
