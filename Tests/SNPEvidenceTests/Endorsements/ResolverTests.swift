import Waiting
import Issuing
import BrokerCore
import BrokerTestKit
import Foundation
import HTTPTransport
import OpenSSLCrypto
import SNPReport
import SNPVerification
import Synchronization
import Testing

@testable import SNPEvidence
@testable import SNPFixture

/// A source that does what a closure says, and counts.
final class ScriptedSource: EndorsementSource {
    let name: String
    private let asked = Atomic(0)
    private let answer: @Sendable (EndorsementSubject, RequestContext) async throws(BrokerError) -> [Certificate]

    init(_ name: String, _ answer: @escaping @Sendable (EndorsementSubject, RequestContext) async throws(BrokerError) -> [Certificate]) {
        self.name = name
        self.answer = answer
    }

    var count: Int { asked.load(ordering: .relaxed) }

    func certificates(for subject: EndorsementSubject, table: [UInt8], in context: RequestContext) async throws(BrokerError)
        -> [Certificate]
    {
        asked.add(1, ordering: .relaxed)
        return try await answer(subject, context)
    }
}

@Suite("Endorsements of a report", .timeLimit(.minutes(5))) struct ResolverTests {
    /// One machine before and after a firmware update: the same chip, two TCBs, two keys.
    struct Machine {
        let authority: FixtureAuthority
        let chips: [FixtureChip]
        let root: PinnedRoot

        init() throws {
            let now = ManualClock().now()
            authority = try FixtureAuthority.generate(product: .milan, now: now)
            let newer = TCBVersion(TCBComponents(bootloader: 5, tee: 0, snp: 25, microcode: 220), for: .milan)
            chips = [try FixtureChip(authority: authority, now: now), try FixtureChip(authority: authority, tcb: newer, now: now)]
            root = PinnedRoot(name: "test", product: .milan, certificate: authority.root)
        }

        func report(_ index: Int, version: UInt32 = 3) throws -> AttestationReport {
            var builder = ReportBuilder()
            builder.version = version
            builder.reportData = SecureRandom.bytes(64)
            return try AttestationReport(chips[index].sign(builder))
        }

        func chain(for tcb: TCBVersion) -> [Certificate] { chips.first { $0.tcb == tcb }?.chain ?? [] }
    }

    static let machine = Result { try Machine() }

    private func resolver(_ sources: [any EndorsementSource], directory: EndorsementDirectory? = nil) throws -> EndorsementResolver {
        EndorsementResolver(
            sources: sources, roots: [try Self.machine.get().root], directory: directory, clock: ManualClock(), firstDelay: .milliseconds(1)
        )
    }

    private func good() throws -> ScriptedSource {
        let machine = try Self.machine.get()
        return ScriptedSource("good") { subject, _ throws(BrokerError) in machine.chain(for: subject.tcb) }
    }

    private func error(_ resolver: EndorsementResolver, _ report: AttestationReport, _ limit: Duration = .seconds(60)) async -> BrokerError?
    {
        let context = RequestContext(id: "test", deadline: .after(limit), logger: RecordedLog().logger())
        do throws(BrokerError) {
            _ = try await resolver.chain(for: report, table: [], in: context)
            return nil
        } catch { return error }
    }

    @Test("a hundred requests ask the source once, and so does everybody after them") func singleFlight() async throws {
        let machine = try Self.machine.get()
        let source = try good()
        let resolver = try resolver([source])
        try await withThrowingTaskGroup(of: [Certificate].self) { group in
            for _ in 0..<100 {
                let report = try machine.report(0)
                group.addTask { try await resolver.chain(for: report, table: [], in: .forTest()) }
            }
            for try await chain in group { #expect(chain.map(\.der) == machine.chips[0].chain.map(\.der)) }
        }
        _ = try await resolver.chain(for: machine.report(0), table: [], in: .forTest())
        #expect(source.count == 1)
    }

    @Test("after a change of the TCB every request has the new chain, and the source was asked once for it") func tcbChange() async throws {
        let machine = try Self.machine.get()
        let source = try good()
        let resolver = try resolver([source])
        _ = try await resolver.chain(for: machine.report(0), table: [], in: .forTest())
        for _ in 0..<100 {
            let chain = try await resolver.chain(for: machine.report(1), table: [], in: .forTest())
            #expect(chain[0].der == machine.chips[1].chain[0].der)
        }
        #expect(source.count == 2)
        // A guest that was moved back, or a request that was under way, still has its own.
        #expect(try await resolver.chain(for: machine.report(0), table: [], in: .forTest())[0].der == machine.chips[0].chain[0].der)
        #expect(source.count == 2)
    }

    @Test("a chain that verified one report is given out for no other that it does not verify") func forgedReport() async throws {
        let machine = try Self.machine.get()
        let source = try good()
        let resolver = try resolver([source])
        var bytes = try machine.report(0).bytes
        bytes[0x50] ^= 1
        let forged = try AttestationReport(bytes)
        #expect(await error(resolver, forged)?.code == .evidenceUnavailable)
        let asked = source.count
        for _ in 0..<2 { #expect(await error(resolver, try machine.report(0)) == nil) }
        #expect(await error(resolver, forged)?.code == .evidenceUnavailable)
        #expect(source.count == asked + 1)
    }

    @Test("a caller who joins with a later deadline gets the chain when the first one's time is over") func latestDeadline() async throws {
        let machine = try Self.machine.get()
        let near = RequestContext.forTest(timeout: .seconds(5))
        let far = RequestContext.forTest(timeout: .seconds(240))
        let asked = Atomic(0)
        let source = ScriptedSource("slow") { subject, context throws(BrokerError) in
            guard asked.add(1, ordering: .relaxed).newValue == 1 else { return machine.chain(for: subject.tcb) }
            // Until the second has joined. Where the sources never hear of its deadline, the first one's time is over in the end.
            while context.deadline != far.deadline, !near.deadline.hasPassed { await Task.yield() }
            throw BrokerError(.upstreamUnavailable, at: .endorsement, "no answer in time")
        }
        let resolver = try resolver([source])
        let (first, second) = (try machine.report(0), try machine.report(0))
        let early = Task { try await resolver.chain(for: first, table: [], in: near) }
        while asked.load(ordering: .relaxed) == 0 { await Task.yield() }
        let chain = try await resolver.chain(for: second, table: [], in: far)
        #expect(chain[0].der == machine.chips[0].chain[0].der)
        #expect(source.count == 2)
        _ = await early.result
    }

    @Test("a first caller whose own report does not verify fails nobody who waits with a good one") func forgedLeader() async throws {
        let machine = try Self.machine.get()
        let near = RequestContext.forTest(timeout: .seconds(5))
        let far = RequestContext.forTest(timeout: .seconds(240))
        let asked = Atomic(0)
        let source = ScriptedSource("good") { subject, context throws(BrokerError) in
            asked.add(1, ordering: .relaxed)
            // Until somebody has joined, as above.
            while context.deadline != far.deadline, !near.deadline.hasPassed { await Task.yield() }
            return machine.chain(for: subject.tcb)
        }
        let resolver = try resolver([source])
        var bytes = try machine.report(0).bytes
        bytes[0x50] ^= 1
        let forged = try AttestationReport(bytes)
        let leader = Task {
            do throws(BrokerError) {
                _ = try await resolver.chain(for: forged, table: [], in: near)
                return nil as BrokerError?
            } catch { return error }
        }
        while asked.load(ordering: .relaxed) == 0 { await Task.yield() }
        let good = try (0..<5).map { _ in try machine.report(0) }
        let joined = good.map { report in Task { try await resolver.chain(for: report, table: [], in: far) } }
        #expect(await leader.value?.code == .evidenceUnavailable)
        for task in joined { #expect(try await task.value[0].der == machine.chips[0].chain[0].der) }
        #expect(source.count <= 2)
    }

    @Test("sources are asked in order, and one that offers the wrong chain is passed over") func order() async throws {
        let machine = try Self.machine.get()
        let nothing = ScriptedSource("nothing") { _, _ throws(BrokerError) in throw .noEndorsement("nothing here") }
        let stale = ScriptedSource("stale") { _, _ throws(BrokerError) in machine.chips[1].chain }
        let source = try good()
        let last = try good()
        let chain = try await resolver([nothing, stale, source, last]).chain(for: machine.report(0), table: [], in: .forTest())
        #expect(chain[0].der == machine.chips[0].chain[0].der)
        #expect((nothing.count, stale.count, source.count, last.count) == (1, 1, 1, 0))
        let refused = await error(try resolver([nothing, stale]), try machine.report(0))
        #expect(refused?.stage == .endorsement)
        #expect(refused?.message.contains("nothing here") == true && refused?.message.contains("stale") == true)
    }

    @Test("a service that is down for ever costs no more than the deadline; one that comes back is used") func outage() async throws {
        let machine = try Self.machine.get()
        let down = ScriptedSource("down") { _, _ throws(BrokerError) in
            throw BrokerError(.upstreamUnavailable, at: .endorsement, "answered 503")
        }
        // Without the deadline this would not end.
        let failure = await error(try resolver([down]), try machine.report(0), .milliseconds(400))
        #expect(failure?.code == .upstreamUnavailable && failure?.stage == .endorsement && failure?.isRetryable == true)
        #expect(down.count >= 1)

        let attempts = Atomic(0)
        let flaky = ScriptedSource("flaky") { subject, _ throws(BrokerError) in
            guard attempts.add(1, ordering: .relaxed).newValue > 3 else {
                throw BrokerError(.upstreamUnavailable, at: .endorsement, "no answer")
            }
            return machine.chain(for: subject.tcb)
        }
        _ = try await resolver([flaky]).chain(for: machine.report(0), table: [], in: .forTest())
        #expect(flaky.count == 4)
    }

    @Test("a service that asks for more time than there is ends the wait at once") func retryAfter() async throws {
        let throttled = ScriptedSource("throttled") { _, _ throws(BrokerError) in
            throw BrokerError(.upstreamThrottled, at: .endorsement, "slow down", retryAfter: .seconds(3600))
        }
        let failure = await error(try resolver([throttled]), try Self.machine.get().report(0))
        #expect(failure?.code == .upstreamThrottled && failure?.retryAfter ?? .zero >= .seconds(3600))
        #expect(throttled.count == 1)
    }

    @Test("failures are not kept") func failuresAreForgotten() async throws {
        let machine = try Self.machine.get()
        let isThere = Atomic(false)
        let source = ScriptedSource("late") { subject, _ throws(BrokerError) in
            guard isThere.load(ordering: .relaxed) else { throw .noEndorsement("not yet") }
            return machine.chain(for: subject.tcb)
        }
        let resolver = try resolver([source])
        #expect(await error(resolver, try machine.report(0)) != nil)
        isThere.store(true, ordering: .relaxed)
        #expect(await error(resolver, try machine.report(0)) == nil)
    }

    @Test("a directory saves asking after a restart, and what is wrong in it is not believed") func directory() async throws {
        let machine = try Self.machine.get()
        let path = FileManager.default.temporaryDirectory.appending(path: "endorsements-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: path) }
        let directory = EndorsementDirectory(path.path)
        func ask() async throws -> Int {
            let source = try good()
            let chain = try await resolver([source], directory: directory).chain(for: machine.report(0), table: [], in: .forTest())
            #expect(chain[0].der == machine.chips[0].chain[0].der)
            return source.count
        }
        #expect(try await ask() == 1)
        #expect(try await ask() == 0)
        let file = try #require(try FileManager.default.contentsOfDirectory(at: path, includingPropertiesForKeys: nil).first)
        for content in ["", "rubbish", machine.chips[1].chain.map(\.pem).joined()] {
            try Data(content.utf8).write(to: file)
            #expect(try await ask() == 1, "\(content.prefix(20))")
            #expect(try await ask() == 0)
        }
        let missing = EndorsementDirectory(path.path + "/no/such")
        let source = try good()
        _ = try await resolver([source], directory: missing).chain(for: machine.report(0), table: [], in: .forTest())
        #expect(source.count == 1)
    }

    @Test("the addresses that AMD's service and Azure's cache know") func addresses() throws {
        let machine = try Self.machine.get()
        let subject = EndorsementSubject(try machine.report(0))
        let chip = Hex.encode(machine.chips[0].chipID)
        #expect(KDSSource.leafPath(subject, .milan) == "/vcek/v1/Milan/\(chip)?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219")
        let turin = EndorsementSubject(try machine.report(0))
        #expect(KDSSource.leafPath(turin, .turin).hasPrefix("/vcek/v1/Turin/\(chip.prefix(16))?fmcSPL="))
        #expect(EndorsementSubject(try machine.report(0, version: 2)).candidates == [.milan, .genoa])
        #expect(EndorsementSubject(try machine.report(0)).candidates == [.milan])
    }
}
