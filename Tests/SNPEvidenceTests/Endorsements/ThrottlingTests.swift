import BrokerCore
import BrokerTestKit
import Foundation
import Issuing
import OpenSSLCrypto
import SNPReport
import SNPVerification
import Synchronization
import Testing
import Waiting

@testable import SNPEvidence
@testable import SNPFixture

@Suite("Endorsements under throttling", .timeLimit(.minutes(5))) struct ThrottlingTests {
    private let clock = ManualClock()
    private let log = RecordedLog()

    private func resolver(_ sources: [any EndorsementSource], directory: EndorsementDirectory? = nil, jitter: Double = 0) throws
        -> EndorsementResolver
    {
        EndorsementResolver(
            sources: sources, roots: [try ResolverTests.machine.get().root], directory: directory, clock: clock,
            firstDelay: .milliseconds(1), jitter: { jitter })
    }

    private func ask(_ resolver: EndorsementResolver, _ index: Int) async throws -> Result<[Certificate], BrokerError> {
        let report = try ResolverTests.machine.get().report(index)
        do throws(BrokerError) {
            return .success(try await resolver.chain(for: report, table: [], in: .forTest(log: log)))
        } catch { return .failure(error) }
    }

    /// A source that answers 429 while it is told to, without saying for how long unless `retryAfter` does.
    private func kds(_ isThrottling: Flag, retryAfter: Duration? = nil) throws -> ScriptedSource {
        let machine = try ResolverTests.machine.get()
        return ScriptedSource("kds") { subject, _ throws(BrokerError) in
            guard !isThrottling.value else {
                throw BrokerError(.upstreamThrottled, at: .endorsement, "answered 429", retryAfter: retryAfter)
            }
            return machine.chain(for: subject.tcb)
        }
    }

    private final class Flag: Sendable {
        private let state = Atomic(false)
        var value: Bool {
            get { state.load(ordering: .relaxed) }
            set { state.store(newValue, ordering: .relaxed) }
        }
    }

    @Test("an hour of 429 without Retry-After: what is kept goes on, and the service is asked three times") func hour() async throws {
        let isThrottling = Flag()
        let source = try kds(isThrottling)
        let resolver = try resolver([source])
        await #expect(throws: Never.self) { try await ask(resolver, 0).get() }
        isThrottling.value = true
        for second in 0..<3600 {
            if second.isMultiple(of: 10) { await #expect(throws: Never.self, "second \(second)") { try await ask(resolver, 0).get() } }
            // A machine whose TCB was raised, and for which nothing is kept, asks again and again.
            guard case .failure(let error) = try await ask(resolver, 1) else {
                Issue.record("there was a chain")
                return
            }
            #expect(error.code == .upstreamThrottled && error.retryAfter ?? .zero > .zero)
            clock.advance(by: 1)
        }
        // At the start, after ten minutes and after twenty more.
        #expect(source.count == 1 + 3)
        let notices = resolver.notices()
        #expect(notices.count == 1)
        #expect(notices.first?.contains("asks for fewer requests since 2026-01-01T00:00:00Z") == true, "\(notices)")
        #expect(notices.first?.contains("is kept and serves until 2032-") == true, "\(notices)")
        #expect(log.lines.count { $0.hasPrefix("warning endorsement source kds: asks for fewer requests") } == 3)

        isThrottling.value = false
        clock.advance(by: 3600)
        await #expect(throws: Never.self) { try await ask(resolver, 1).get() }
        #expect(resolver.notices() == [])
        #expect(log.lines.contains { $0.hasPrefix("notice endorsement source kds answers again") && $0.contains("seconds=7200") })
        #expect(log.lines.contains { $0.hasPrefix("notice the platform's TCB changed") })
    }

    @Test("a Retry-After is kept to, with a quarter more at most") func retryAfter() async throws {
        let isThrottling = Flag()
        isThrottling.value = true
        for (jitter, pause) in [(0.0, 120), (1.0, 150)] as [(Double, Int64)] {
            let source = try kds(isThrottling, retryAfter: .seconds(120))
            let resolver = try resolver([source], jitter: jitter)
            await #expect(throws: BrokerError.self) { try await ask(resolver, 0).get() }
            clock.advance(by: pause - 1)
            await #expect(throws: BrokerError.self) { try await ask(resolver, 0).get() }
            #expect(source.count == 1)
            clock.advance(by: 1)
            await #expect(throws: BrokerError.self) { try await ask(resolver, 0).get() }
            #expect(source.count == 2)
        }
    }

    @Test("a throttled service keeps nobody from the others, and does not hold a request up") func others() async throws {
        let isThrottling = Flag()
        isThrottling.value = true
        let source = try kds(isThrottling)
        let machine = try ResolverTests.machine.get()
        let second = ScriptedSource("second") { subject, _ throws(BrokerError) in machine.chain(for: subject.tcb) }
        let resolver = try resolver([source, second])
        for index in [0, 1] { await #expect(throws: Never.self) { try await ask(resolver, index).get() } }
        #expect((source.count, second.count) == (1, 2))
    }

    @Test("however many ask at once, a refusal is one request") func together() async throws {
        let isThrottling = Flag()
        isThrottling.value = true
        let source = try kds(isThrottling)
        let resolver = try resolver([source])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await #expect(throws: BrokerError.self) { try await ask(resolver, 0).get() } } }
            try await group.waitForAll()
        }
        #expect(source.count == 1)
    }

    @Test("what a source will not have, and a caller who leaves, are no trouble of the source") func noTrouble() async throws {
        let source = ScriptedSource("kds") { _, _ throws(BrokerError) in throw .noEndorsement("404") }
        let resolver = try resolver([source])
        await #expect(throws: BrokerError.self) { try await ask(resolver, 0).get() }
        #expect(resolver.notices() == [] && source.count == 1)
    }

    @Test("a certificate issued anew for the same chip and TCB is as good, and takes the place of one that ended") func reissued()
        async throws
    {
        let machine = try ResolverTests.machine.get()
        let now = clock.now()
        func leaf(until end: Int64) throws -> [Certificate] {
            let former = machine.chips[0].chain[0]
            var builder = CertificateBuilder(
                subject: FixtureAuthority.name("SEV-VCEK"), issuer: FixtureAuthority.name("SEV-Milan"), notBefore: now - 60, notAfter: end)
            builder.serial = 0
            builder.extraExtensions = former.extensions.filter { $0.oid.hasPrefix("1.3.6.1.4.1.3704.") }.map {
                ($0.oid, $0.isCritical, $0.value)
            }
            let anew = try builder.sign(
                publicKey: former.publicKey, with: machine.authority.intermediateKey, algorithm: .rsaPSS(.sha384))
            return [anew] + machine.chips[0].chain.dropFirst()
        }
        let (short, long) = (try leaf(until: now + 3600), try leaf(until: now + 86_400))
        #expect(short[0].der != machine.chips[0].chain[0].der)
        let answers = Atomic(0)
        let source = ScriptedSource("kds") { _, _ throws(BrokerError) in
            answers.add(1, ordering: .relaxed).newValue == 1 ? short : long
        }
        let resolver = try resolver([source])
        for _ in 0..<3 { #expect(try await ask(resolver, 0).get()[0].der == short[0].der) }
        clock.advance(by: 7200)
        for _ in 0..<3 { #expect(try await ask(resolver, 0).get()[0].der == long[0].der) }
        #expect(source.count == 2)
        #expect(log.lines.count { $0.hasPrefix("notice the VCEK was issued anew for the same chip and TCB") } == 1)
    }

    @Test("the directory keeps few files, leaves those of others alone, and wants three certificates") func directory() async throws {
        let machine = try ResolverTests.machine.get()
        let path = FileManager.default.temporaryDirectory.appending(path: "endorsements-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: path) }
        for index in 0..<50 {
            let name = index.isMultiple(of: 2) ? "vcek-\(index).pem" : "vcek-\(index).pem.7.new"
            let file = path.appending(path: name)
            try Data().write(to: file)
            let age = Date(timeIntervalSince1970: 1_000_000 + Double(index))
            try FileManager.default.setAttributes([.modificationDate: age], ofItemAtPath: file.path)
        }
        try Data().write(to: path.appending(path: "README"))
        let subject = EndorsementSubject(try machine.report(0))
        let directory = EndorsementDirectory(path.path)
        directory.keep(machine.chips[0].chain, for: subject, logger: log.logger())
        let names = try FileManager.default.contentsOfDirectory(atPath: path.path)
        #expect(names.count == EndorsementDirectory.maximumFiles + 1 && names.contains("README") && !names.contains("vcek-0.pem"))
        #expect(directory.certificates(for: subject)?.map(\.der) == machine.chips[0].chain.map(\.der))
        directory.keep(Array(machine.chips[0].chain.prefix(2)), for: subject, logger: log.logger())
        #expect(directory.certificates(for: subject) == nil)
        #expect(log.lines == [])
        let missing = EndorsementDirectory(path.path + "/no/such")
        missing.keep(machine.chips[0].chain, for: subject, logger: log.logger())
        #expect(log.lines.count == 1 && log.lines[0].contains("could not be kept"), "\(log.lines)")
    }

    @Test("names of files differ by product, chip, kind of key and each level") func names() throws {
        func name(_ change: (inout ReportBuilder) -> Void) throws -> String {
            var builder = ReportBuilder()
            builder.chipID = [UInt8](repeating: 9, count: 64)
            builder.cpuid = ProcessorID(family: 0x1A, model: 0x02, stepping: 1)
            builder.reportedTCB = TCBVersion(raw: 0x5100_0000_0401_0101)
            change(&builder)
            return EndorsementSubject(try AttestationReport(builder.unsignedBytes())).fileName
        }
        var names: Set<String> = [try name { _ in }]
        for byte in [0, 1, 2, 3, 7] { names.insert(try name { $0.reportedTCB = TCBVersion(raw: 0x5100_0000_0401_0101 ^ 1 << (byte * 8)) }) }
        names.insert(try name { $0.chipID[63] = 0 })
        names.insert(try name { $0.cpuid = ProcessorID(family: 0x19, model: 0x11, stepping: 1) })
        names.insert(try name { $0.keyInfo = KeyInfo(raw: 4) })
        #expect(names.count == 9)
        for name in names { #expect(EndorsementSubject.isFileName(name) && !name.contains("/")) }
    }
}
