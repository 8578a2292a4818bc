internal import Issuing
internal import BrokerCore
internal import OpenSSLCrypto
internal import SNPFixture
internal import SNPReport

/// Makes a report for every binding, signed by a fixture chip that is made while the program starts.
struct FixtureProvider: EvidenceProvider, ReadinessReporting {
    let provenance = Evidence.Provenance.fixture
    private let options: FixtureSettings
    private let machine: MachineSource

    init(_ options: FixtureSettings, clock: any WallClock) {
        self.options = options
        machine = MachineSource { Result { () throws(FixtureError) in try Self.machine(options, now: clock.now()) } }
        // Keys of 4096 bits take a second or two, so not when the first request comes.
        machine.begin()
    }

    private static func machine(_ options: FixtureSettings, now: Int64) throws(FixtureError) -> FixtureMachine {
        let directory = options.directory.map { FixtureDirectory($0) }
        let chip: FixtureChip
        if let directory {
            chip = try directory.chip(product: options.product, tcb: options.tcb, now: now)
        } else {
            let authority = try FixtureAuthority.generate(product: options.product, now: now)
            chip = try FixtureChip(authority: authority, tcb: options.tcb, now: now)
        }
        guard options.endorsesMeasurement else { return FixtureMachine(chip: chip, platformEndorsements: options.platformEndorsements) }
        let publisher: UVMFixture
        if let directory { publisher = try directory.publisher(now: now) } else { publisher = try FixtureDirectory.makePublisher(now: now) }
        do throws(CryptoError) {
            let endorsement = try publisher.endorse(
                measurement: options.template.measurement, svn: UInt64(options.template.guestSVN), signingTime: now)
            return FixtureMachine(chip: chip, platformEndorsements: [endorsement])
        } catch { throw FixtureError("endorsing the measurement: \(error)") }
    }

    func evidence(binding: ReportData, in context: RequestContext) async throws(BrokerError) -> Evidence {
        let machine = try await machine.value()
        let chip = machine.chip
        var builder = options.template
        builder.reportData = binding.bytes
        let report: [UInt8]
        do throws(FixtureError) { report = try chip.sign(builder) } catch {
            throw BrokerError(.evidenceUnavailable, at: .evidence, error.description)
        }
        return Evidence(
            report: report, endorsements: chip.chain.map(\.der), endorsedTCB: chip.tcb.hex,
            platformEndorsements: machine.platformEndorsements, provenance: provenance)
    }

    func obstacles(in context: RequestContext) async -> [String] {
        do {
            _ = try await machine.value()
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
            let chip = try await machine.value().chip
            return [
                warning, Finding(.ok, "evidence", "the fixture chip signs for TCB \(chip.tcb.hex)"),
                Finding(.ok, "endorsements", "the fixture chip's own chain"),
            ]
        } catch { return [warning, Finding("evidence", error)] }
    }
}
