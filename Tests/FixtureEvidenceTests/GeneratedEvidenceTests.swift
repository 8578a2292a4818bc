import PlainText
import Waiting
import BrokerCore
import BrokerTestKit
import Glibc
import HTTPTransport
import OpenSSLCrypto
import SNPFixture
import SNPReport
import SNPVerification
import Testing

@testable import FixtureEvidence

/// Reports that the provider makes, judged by the verifier that judges real ones.
@Suite("Generated evidence") struct GeneratedEvidenceTests {
    private static func provider(_ values: [String: RawSetting] = [:]) throws(BrokerError) -> any EvidenceProvider {
        try fixtureEvidence.makeForTest(values, host: .forTest(transport: ScriptedTransport(script: [])))
    }

    @Test func keepsTheContract() async throws {
        let directory = try await SharedAuthority.directory()
        defer { directory.remove() }
        let contract = EvidenceProviderContract(provenance: .fixture) { () throws(BrokerError) in
            try Self.provider(["directory": .string(directory.path)])
        }
        #expect(await contract.violations() == [])
    }

    @Test(arguments: ["milan", "genoa", "turin"]) func everyProductAndVersionVerifies(product: String) async throws {
        let line = try #require(ProcessorProduct.allCases.first { $0.rawValue.lowercased() == product })
        let directory = try await SharedAuthority.directory(line)
        defer { directory.remove() }
        for version in [Int64(2), 3, 5] {
            let provider = try Self.provider([
                "product": .string(product), "version": .integer(version), "directory": .string(directory.path),
            ])
            let binding = ReportData(sha256Of: [1, 2, 3])
            let evidence = try await provider.evidence(binding: binding, in: .forTest(timeout: .seconds(240)))
            let report = try AttestationReport(evidence.report)
            #expect(report.version == UInt32(version))
            #expect(evidence.endorsedTCB == report.reportedTCB.hex)
            #expect(evidence.provenance == .fixture)

            let certificates = try evidence.endorsements.map { try Certificate(der: $0) }
            let root = try FixtureDirectory(directory.path).root()
            #expect(root.der == certificates.last?.der)
            var policy = EvidenceVerifier.Policy(time: ManualClock().now())
            policy.expectedReportData = binding.bytes
            policy.expectedHostData = DigestAlgorithm.sha256.digest(SamplePolicy.bytes)
            let stranger = EvidenceVerifier().verify(report: evidence.report, certificates: certificates, policy: policy)
            #expect(stranger.failures == ["root-not-pinned"], "AMD's roots do not vouch for a fixture")
            policy.roots.append(PinnedRoot(name: "fixture", product: line, certificate: root))
            let trusted = EvidenceVerifier().verify(report: evidence.report, certificates: certificates, policy: policy)
            #expect(trusted.isVerified, "\(trusted.checks.filter { !$0.ok })")
            #expect(trusted.endorsement?.product == line && trusted.endorsement?.pinnedRoot == "fixture")
            #expect(trusted.endorsement?.chain == evidence.endorsements, "leaf first")
            #expect(trusted.endorsement?.extensions?.patchLevels[8].map { $0 >= 0x80 } == true)
            #expect(certificates.allSatisfy { $0.subject.contains("attestation-broker fixture\\, not AMD") })
        }
    }

    @Test func settingsReachTheReport() async throws {
        let directory = try await SharedAuthority.directory()
        defer { directory.remove() }
        let policy = Array("package policy\n".utf8)
        let plain = try directory.write("policy.rego", policy)
        let encoded = try directory.write("policy-base64", Array((Base64.encode(policy) + "\n").utf8))
        let uvm: [UInt8] = [0xD2, 0x84, 0x40, 0xA0, 0x40, 0x40]
        let uvmFile = try directory.write("reference-info-base64", Array(Base64.encode(uvm).utf8))
        for file in [plain, encoded] {
            let provider = try Self.provider([
                "directory": .string(directory.path), "security-policy": .string(file), "debug": .boolean(true),
                "migration": .boolean(true), "vmpl": .integer(2), "uvm-endorsements": .string(uvmFile), "tcb": .string("8100000000000102"),
                "measurement": .string(String(repeating: "ab", count: 48)),
            ])
            let evidence = try await provider.evidence(binding: ReportData(sha256Of: []), in: .forTest(timeout: .seconds(240)))
            let report = try AttestationReport(evidence.report)
            #expect(report.hostData == DigestAlgorithm.sha256.digest(policy))
            #expect(report.policy.allowsDebug && report.policy.allowsMigration && report.vmpl == 2)
            #expect(report.measurement == [UInt8](repeating: 0xAB, count: 48))
            #expect(evidence.endorsedTCB == "8100000000000102")
            #expect(evidence.platformEndorsements == [uvm])
        }
    }

    @Test func oneGuestKeepsItsChipAndIdentity() async throws {
        let directory = try await SharedAuthority.directory()
        defer { directory.remove() }
        let provider = try Self.provider(["directory": .string(directory.path)])
        let context = RequestContext.forTest(timeout: .seconds(240))
        async let first = provider.evidence(binding: ReportData(sha256Of: [1]), in: context)
        async let second = provider.evidence(binding: ReportData(sha256Of: [2]), in: context)
        let (one, two) = try await (first, second)
        #expect(one.endorsements == two.endorsements)
        let reports = try (AttestationReport(one.report), AttestationReport(two.report))
        #expect(reports.0.chipID == reports.1.chipID && reports.0.reportID == reports.1.reportID)
        #expect(reports.0.reportData != reports.1.reportData && reports.0.signature != reports.1.signature)
    }

    /// A caller that cannot wait for the keys is told so, and does not keep others from having them.
    @Test func aDeadlineIsKeptWhileKeysAreMade() async throws {
        let directory = try await SharedAuthority.directory()
        defer { directory.remove() }
        let chip = try FixtureChip(
            authority: try FixtureDirectory(directory.path).authority(product: .milan, now: SharedAuthority.now), now: SharedAuthority.now)
        // The keys are ready when the test says so, and not when the machine has time.
        let gate = Gate()
        let source = MachineSource {
            gate.wait()
            return .success(FixtureMachine(chip: chip, platformEndorsements: []))
        }
        for timeout in [Duration.milliseconds(1), .zero] {
            await #expect {
                _ = try await withDeadline(.after(timeout)) { () async throws(BrokerError) in try await source.value() }
            } throws: { ($0 as? BrokerError)?.code == .deadlineExceeded }
        }
        let gone = Task { () -> BrokerError.Code? in
            do throws(BrokerError) {
                _ = try await source.value()
                return nil
            } catch { return error.code }
        }
        gone.cancel()
        #expect(await gone.value == .deadlineExceeded)
        gate.open()
        #expect(try await source.value().chip.chipID == chip.chipID)
    }

    /// Keeps a thread until it is opened.
    private final class Gate: Sendable {
        private let ends: (read: Int32, write: Int32)

        init() {
            var descriptors: [Int32] = [-1, -1]
            _ = pipe(&descriptors)
            ends = (descriptors[0], descriptors[1])
        }

        func wait() {
            var byte: UInt8 = 0
            _ = read(ends.read, &byte, 1)
        }

        func open() { _ = write(ends.write, [1], 1) }

        deinit {
            close(ends.read)
            close(ends.write)
        }
    }

    @Test func badSettingsAreNamed() throws {
        for (name, value) in [
            ("product", RawSetting.string("rome")), ("version", .integer(1)), ("vmpl", .integer(4)), ("tcb", .string("12")),
            ("measurement", .string("zz")), ("debug", .string("yes")), ("security-policy", .string("/nonexistent/policy")),
            ("uvm-endorsements", .string("/nonexistent/uvm")), ("report-file", .string("/nonexistent/report")),
        ] {
            let host = HostServices.forTest(transport: ScriptedTransport(script: []))
            let error = #expect(throws: BrokerError.self) {
                _ = try fixtureEvidence.make(Settings(path: "evidence.fixture", values: [name: value]), host)
            }
            #expect(error?.code == .misconfigured)
            #expect(error?.message.hasPrefix("evidence.fixture.") == true, "\(name): \(error?.message ?? "")")
        }
    }

    @Test func anUnusableDirectoryIsAnHonestError() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let file = try directory.write("not-a-directory", [1])
        let provider = try Self.provider(["directory": .string(file)])
        await #expect { _ = try await provider.evidence(binding: ReportData(sha256Of: []), in: .forTest()) } throws: {
            ($0 as? BrokerError)?.code == .evidenceUnavailable
        }
        let readiness = try #require(provider as? any ReadinessReporting)
        #expect(await readiness.obstacles(in: .forTest()).count == 1)
    }
}
