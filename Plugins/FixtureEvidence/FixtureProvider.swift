internal import Issuing
internal import BrokerCore
internal import OpenSSLCrypto
internal import SNPFixture
internal import SNPReport

/// Makes a report for every binding, signed by a fixture chip that is made on first use.
struct FixtureProvider: EvidenceProvider, ReadinessReporting {
    let provenance = Evidence.Provenance.fixture
    private let options: FixtureSettings
    private let chip: ChipSource

    init(_ options: FixtureSettings, clock: any WallClock) {
        self.options = options
        let (product, directory, tcb) = (options.product, options.directory, options.tcb)
        chip = ChipSource {
            Result { () throws(FixtureError) in
                guard let directory else {
                    let authority = try FixtureAuthority.generate(product: product, now: clock.now())
                    return try FixtureChip(authority: authority, tcb: tcb, now: clock.now())
                }
                return try FixtureDirectory(directory).chip(product: product, tcb: tcb, now: clock.now())
            }
        }
    }

    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        let chip = try await chip.value()
        var builder = options.template
        builder.reportData = binding.bytes
        let report: [UInt8]
        do throws(FixtureError) { report = try chip.sign(builder) } catch {
            throw BrokerError(.evidenceUnavailable, at: .evidence, error.description)
        }
        return Evidence(
            report: report, endorsements: chip.chain.map(\.der), endorsedTCB: chip.tcb.hex,
            platformEndorsements: options.platformEndorsements, provenance: provenance)
    }

    func obstacles(in context: RequestContext) async -> [String] {
        do {
            _ = try await chip.value()
            return []
        } catch { return [error.message] }
    }
}

extension FixtureProvider: Diagnosing {
    func diagnosis(network: Bool, in context: RequestContext) async -> [Finding] {
        let warning = Finding(
            .warning, "evidence", "fixture evidence proves nothing about this machine; only simulators accept it",
            next: "in production set evidence.use to snp")
        do {
            let chip = try await chip.value()
            return [warning, Finding(.ok, "evidence", "the fixture chip signs for TCB \(chip.tcb.hex)")]
        } catch { return [warning, Finding("evidence", error)] }
    }
}
