import Issuing
import BrokerCore
import BrokerTestKit
import FixtureEvidence
import Glibc
import OpenSSLCrypto
import PlainText
import SNPFixture
import SNPReport
import SNPVerification
import Testing

@Suite("The directory of a fixture authority") struct AuthorityDirectoryTests {
    private let now = SharedAuthority.now

    /// Two brokers that start at the same moment, and the files that they leave.
    @Test func concurrentMakersAgree() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path + "/authority"
        #expect(throws: FixtureError.self) { try FixtureDirectory(path).root() }
        let roots = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    let provider = try fixtureEvidence.makeForTest(
                        ["directory": .string(path)], host: .forTest(transport: ScriptedTransport(script: [])))
                    let evidence = try await provider.evidence(binding: ReportData(sha256Of: []), in: .forTest(timeout: .seconds(240)))
                    return evidence.endorsements.last ?? []
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(roots[0] == roots[1])
        #expect(try FixtureDirectory(path).root().der == roots[0])
        let files: [(String, mode_t)] = [
            ("fixture-ark.key", 0o600), ("fixture-ark.pem", 0o644), ("fixture-ask.key", 0o600), ("fixture-ask.pem", 0o644),
            ("\(vcek).key", 0o600), ("\(vcek).pem", 0o644), ("fixture.lock", 0o600),
        ]
        for (name, mode) in files {
            var status = stat()
            #expect(stat("\(path)/\(name)", &status) == 0)
            #expect(status.st_mode & 0o777 == mode, "\(name)")
        }
        #expect(temporary.names(in: "authority") == files.map(\.0), "and no temporary file is left")
    }

    @Test("a publisher that is kept is everybody's; one that cannot be read is an error and is not replaced") func publisher() async throws
    {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = FixtureDirectory(temporary.path)
        let issuers = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try directory.publisher(now: now).issuer } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(issuers.count == 1)
        let text = try BoundedFile.read("\(temporary.path)/fixture-uvm.pem", limit: 1 << 16)
        _ = try temporary.write("fixture-uvm.key", Array("nothing".utf8))
        #expect(throws: FixtureError.self) { try directory.publisher(now: now) }
        #expect(try BoundedFile.read("\(temporary.path)/fixture-uvm.pem", limit: 1 << 16) == text)
    }

    @Test func isReadBack() async throws {
        let temporary = try await SharedAuthority.directory()
        defer { temporary.remove() }
        let directory = FixtureDirectory(temporary.path)
        let first = try directory.authority(product: .milan, now: now)
        let second = try directory.authority(product: .milan, now: now + 1000)
        #expect(first.root.der == second.root.der && first.intermediate.der == second.intermediate.der)
        #expect(try directory.root().der == first.root.der)
        #expect(first.root.subjectCommonName == "ARK-Milan" && first.intermediate.subjectCommonName == "SEV-Milan")
        // The key that was read certifies a chip under the same chain, and the chip keeps its id.
        let chip = try FixtureChip(authority: second, now: now)
        #expect(chip.chain[0].isSigned(by: first.intermediate))
        #expect(try FixtureChip(authority: first, now: now).chipID == chip.chipID)
    }

    private var vcek: String { "fixture-vcek-" + FixtureChip.defaultTCB(for: .milan).hex }

    @Test func aChipIsKept() async throws {
        let temporary = try await SharedAuthority.directory()
        defer { temporary.remove() }
        let directory = FixtureDirectory(temporary.path)
        let authority = try directory.authority(product: .milan, now: now)
        let first = try directory.chip(product: .milan, now: now)
        let again = try directory.chip(product: .milan, now: now + 1000)
        #expect(first.chain.map(\.der) == again.chain.map(\.der))
        #expect(first.chain[1].der == authority.intermediate.der && first.chain[2].der == authority.root.der)
        #expect(first.chipID == again.chipID && first.tcb == again.tcb)
        // Who reads the chip signs with the key that its certificate names.
        var policy = EvidenceVerifier.Policy(time: now)
        policy.roots.append(PinnedRoot(name: "fixture", product: .milan, certificate: authority.root))
        let verdict = EvidenceVerifier().verify(report: try again.sign(ReportBuilder()), certificates: first.chain, policy: policy)
        #expect(!verdict.checks.isEmpty && !verdict.failures.contains { $0.contains("signature") })
        #expect(verdict.isVerified, "\(verdict.checks.filter { !$0.ok })")

        let other = TCBVersion(TCBComponents(bootloader: 5, tee: 0, snp: 24, microcode: 219), for: .milan)
        let newer = try directory.chip(product: .milan, tcb: other, now: now)
        #expect(newer.tcb == other && newer.chain[0].der != first.chain[0].der && newer.chipID == first.chipID)
        #expect(try directory.chip(product: .milan, now: now).chain[0].der == first.chain[0].der)
    }

    @Test func aChipThatDoesNotFitIsMadeAnew() async throws {
        let temporary = try await SharedAuthority.directory()
        defer { temporary.remove() }
        let directory = FixtureDirectory(temporary.path)
        var last = try directory.chip(product: .milan, now: now)
        // A valid chip of another authority, with its own key.
        let foreign = try FixtureChip(authority: FixtureAuthority.generate(product: .milan, now: now), now: now)
        let strangers: [(String, [UInt8])] = [
            ("pem", Array(foreign.chain[0].pem.utf8)), ("pem", Array(foreign.chain[1].pem.utf8)), ("pem", []), ("key", []),
            ("key", Array("<html>".utf8)), ("key", try BoundedFile.read("\(temporary.path)/fixture-ask.key", limit: 1 << 16)),
        ]
        for (ending, content) in strangers {
            _ = try temporary.write("\(vcek).\(ending)", content)
            let chip = try directory.chip(product: .milan, now: now)
            #expect(chip.chain[0].der != last.chain[0].der && chip.chain[0].isSigned(by: chip.chain[1]))
            #expect(try directory.chip(product: .milan, now: now).chain[0].der == chip.chain[0].der)
            last = chip
        }
        let later = now + 8 * 31_557_600
        let renewed = try directory.chip(product: .milan, now: later)
        #expect(renewed.chain[0].isValid(at: later) && renewed.chain[0].der != last.chain[0].der)
        // The authority is still judged.
        let other = #expect(throws: FixtureError.self) {
            try directory.chip(product: .turin, tcb: FixtureChip.defaultTCB(for: .milan), now: now)
        }
        #expect(other?.description.contains("ARK-Milan") == true)
        _ = try temporary.write("fixture-ark.pem", Array("<html>".utf8))
        #expect(throws: FixtureError.self) { try directory.chip(product: .milan, now: now) }
    }

    @Test func whatDoesNotBelongTogetherIsRefused() async throws {
        let temporary = try await SharedAuthority.directory()
        defer { temporary.remove() }
        let directory = FixtureDirectory(temporary.path)
        let other = #expect(throws: FixtureError.self) { try directory.authority(product: .turin, now: now) }
        #expect(other?.description.contains("ARK-Milan") == true)

        let good = try BoundedFile.read("\(temporary.path)/fixture-ask.key", limit: 1 << 16)
        let rootKey = try BoundedFile.read("\(temporary.path)/fixture-ark.key", limit: 1 << 16)
        for bad in [rootKey, [], Array("<html>".utf8), [UInt8](repeating: 65, count: 1 << 17)] {
            _ = try temporary.write("fixture-ask.key", bad)
            #expect(throws: FixtureError.self) { try directory.authority(product: .milan, now: now) }
        }
        _ = try temporary.write("fixture-ask.key", good)
        _ = try directory.authority(product: .milan, now: now)
        _ = try temporary.write("fixture-ark.pem", Array("<html>".utf8))
        #expect(throws: FixtureError.self) { try directory.authority(product: .milan, now: now) }
    }
}
