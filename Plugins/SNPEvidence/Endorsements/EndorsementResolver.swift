internal import PlainText
internal import Waiting
package import BrokerCore
internal import HTTPTransport
internal import Logging
package import OpenSSLCrypto
package import SNPReport
package import SNPVerification
internal import Synchronization

/// Finds the certificate chain that endorses a report, verifies it, and keeps it.
///
/// Chains are kept by product, chip, TCB and kind of key: a report of another TCB never meets an older chain, and a key that was found once
/// is not asked for again, however often it is certified anew. However many requests want the same chain, the sources are asked once, and
/// one that asked for fewer requests is left alone.
package final class EndorsementResolver: Sendable {
    let sources: [any EndorsementSource]
    private let roots: [PinnedRoot]
    private let products: ProductTable
    let directory: EndorsementDirectory?
    let product: ProcessorProduct?
    let clock: any WallClock
    let health: [String: SourceHealth]
    let kept = KeptChains(capacity: 16)
    private let flights = SingleFlight<EndorsementSubject, [Certificate], BrokerError>()
    private let firstDelay: Duration
    private let signatures = VerifiedSignatures()
    private let lastTCB = Mutex<TCBVersion?>(nil)

    /// Asks `sources` in their order. `product` says what reports of version 2 do not.
    package init(
        sources: [any EndorsementSource], roots: [PinnedRoot] = AMDRoots.pins, products: ProductTable = .builtIn,
        directory: EndorsementDirectory? = nil, product: ProcessorProduct? = nil, clock: any WallClock,
        firstDelay: Duration = .milliseconds(500),
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.sources = sources
        self.roots = roots
        self.products = products
        self.directory = directory
        self.product = product
        self.clock = clock
        self.firstDelay = firstDelay
        health = Dictionary(
            sources.filter { !$0.isLocal }.map { ($0.name, SourceHealth(jitter: jitter)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Leaf, intermediate and root that verify `report`, which must be well-formed.
    package func chain(for report: AttestationReport, table: [UInt8], in context: RequestContext) async throws(BrokerError) -> [Certificate]
    {
        let subject = EndorsementSubject(report, product: product, products: products)
        tellChange(of: subject.tcb, context.logger)
        if let chain = try keptChain(subject, report) { return chain }
        let hasResolved = Atomic(false)
        // A report that does not verify is the first caller's own misfortune, and so is the end of that caller's time.
        let found = try await flights.value(
            for: subject, until: { context.deadline }, isOwn: { $0.code == .deadlineExceeded || $0.cause is ForgedReport }
        ) { [self] latest throws(BrokerError) in
            // It may have come since.
            if let chain = try keptChain(subject, report) { return chain }
            let context = context.shared(until: latest)
            let chain = try await resolve(subject, report, table, in: context)
            hasResolved.store(true, ordering: .releasing)
            return chain
        }
        guard let found else { throw .cancelled(at: .endorsement) }
        // What was verified with another report has yet to be verified with this one: the subject does not hold the signature.
        return hasResolved.load(ordering: .acquiring) ? found : try verified(found, report, from: "the cache")
    }

    /// What to live on while sources do not answer; empty when they do.
    package func notices() -> [String] {
        let now = clock.now()
        return sources.compactMap { source in
            health[source.name]?.notice(at: now).map { "\(source.name): \($0); \(kept.words)" }
        }
    }

    /// The cause where certificates are right for a report and its signature is not.
    private struct ForgedReport: Error {}

    /// The kept chain where it verifies the report; `nil` where the sources have to be asked.
    private func keptChain(_ subject: EndorsementSubject, _ report: AttestationReport) throws(BrokerError) -> [Certificate]? {
        guard let chain = kept[subject] else { return nil }
        do throws(BrokerError) { return try verified(chain, report, from: "the cache") } catch {
            if error.cause is ForgedReport, subject.hasOneKey { throw error }
            return nil
        }
    }

    private func resolve(_ subject: EndorsementSubject, _ report: AttestationReport, _ table: [UInt8], in context: RequestContext)
        async throws(BrokerError) -> [Certificate]
    {
        let stored = directory?.certificates(for: subject)
        if let stored, let chain = try? verified(stored, report, from: "the directory") {
            kept.keep(chain, for: subject)
            return chain
        }
        var delay = firstDelay
        while true {
            var failures: [(name: String, error: BrokerError)] = []
            for source in sources {
                do throws(BrokerError) {
                    let offered = try await ask(source, for: subject, table, in: context)
                    let chain = try verified(offered, report, from: source.name)
                    keep(chain, for: subject, from: source.name, stored, context.logger)
                    return chain
                } catch { failures.append((source.name, error)) }
            }
            // Only a source that may answer at any moment is worth waiting for.
            let mayAnswer = failures.contains { $0.error.code == .upstreamUnavailable && $0.error.retryAfter == nil }
            // Up to twice the delay, so that machines that started together do not ask together.
            let pause = delay + delay * Double.random(in: 0..<1)
            guard mayAnswer, context.deadline.remaining > pause else { throw Self.summary(failures) }
            do { try await Task.sleep(for: pause, clock: .continuous) } catch { throw Self.summary(failures) }
            delay = min(delay * 2, .seconds(10))
        }
    }

    /// Asks one source, unless it asked to be left alone.
    func ask(_ source: any EndorsementSource, for subject: EndorsementSubject, _ table: [UInt8], in context: RequestContext)
        async throws(BrokerError) -> [Certificate]
    {
        guard let health = health[source.name] else { return try await source.certificates(for: subject, table: table, in: context) }
        if let pause = health.pause(at: clock.now()) {
            throw BrokerError(
                .upstreamThrottled, at: .endorsement, health.notice(at: clock.now()) ?? "asks for fewer requests", retryAfter: pause)
        }
        do throws(BrokerError) {
            let offered = try await source.certificates(for: subject, table: table, in: context)
            recovered(health, source.name, context.logger)
            return offered
        } catch {
            switch error.code {
            case .upstreamThrottled, .upstreamUnavailable:
                // Nobody waited long enough to know.
                guard !Task.isCancelled else { break }
                if let words = health.failed(error, at: clock.now()) {
                    context.logger.warning("endorsement source \(source.name): \(words); \(kept.words)")
                }
                // When asking again makes sense, for whoever asked the broker.
                if let pause = health.pause(at: clock.now()) {
                    throw BrokerError(
                        error.code, at: error.stage, error.message, retryAfter: pause, upstream: error.upstream, cause: error.cause,
                        details: error.details)
                }
            default: recovered(health, source.name, context.logger)
            }
            throw error
        }
    }

    private func recovered(_ health: SourceHealth, _ name: String, _ logger: Logger) {
        guard let seconds = health.answered(at: clock.now()) else { return }
        logger.notice("endorsement source \(name) answers again", metadata: ["seconds": "\(seconds)"])
    }

    private func keep(
        _ chain: [Certificate], for subject: EndorsementSubject, from source: String, _ stored: [Certificate]?, _ logger: Logger
    ) {
        let former = kept.keep(chain, for: subject) ?? stored
        directory?.keep(chain, for: subject, logger: logger)
        logger.info("endorsements found", metadata: ["source": "\(source)", "tcb": "\(subject.tcb.hex)"])
        if let former, former.first?.der != chain.first?.der {
            logger.notice(
                "the \(subject.kind.rawValue.uppercased()) was issued anew for the same chip and TCB",
                metadata: ["tcb": "\(subject.tcb.hex)", "valid_until": "\(RFC3339.format(chain.map(\.notAfter).min() ?? 0))"])
        }
    }

    private func tellChange(of tcb: TCBVersion, _ logger: Logger) {
        let former = lastTCB.withLock { last in
            defer { last = tcb }
            return last
        }
        guard let former, former != tcb else { return }
        logger.notice("the platform's TCB changed", metadata: ["from": "\(former.hex)", "to": "\(tcb.hex)"])
    }

    /// The chain out of `offered` that verifies the report; which sort of guest it is, is for the release policy to judge.
    func verified(_ offered: [Certificate], _ report: AttestationReport, from source: String) throws(BrokerError) -> [Certificate] {
        var policy = EvidenceVerifier.Policy(time: clock.now(), products: products)
        policy.allowDebug = true
        policy.allowMigration = true
        policy.allowMaskedChipID = true
        policy.roots = roots
        let result = EvidenceVerifier(signatures: signatures).verify(report: report.bytes, certificates: offered, policy: policy)
        // What cannot be judged here, a new version or product, may be known to whoever gets the report.
        guard result.isWorthPassingOn, let endorsement = result.endorsement else {
            let ofReport: [CheckCode] = [.signatureRange, .reportSignature]
            let isForged = result.failures.allSatisfy(ofReport.map(\.rawValue).contains)
            let isStale = result.failures.contains { $0.hasPrefix("tcb") || $0.hasPrefix("leaf-tcb") }
            throw BrokerError(
                isStale ? .endorsementMismatch : .evidenceUnavailable, at: .endorsement,
                "the certificates from \(source) do not verify the report: \(result.checks.complaint)",
                cause: isForged ? ForgedReport() : nil)
        }
        return [endorsement.leaf, endorsement.intermediate, endorsement.root]
    }

    /// One error for all sources: one that may go away counts more than one that will not.
    private static func summary(_ failures: [(name: String, error: BrokerError)]) -> BrokerError {
        let words = failures.map { "\($0.name): \($0.error.message)" }.joined(separator: "; ")
        let codes = failures.map(\.error.code)
        let code: BrokerError.Code =
            [.upstreamUnavailable, .upstreamThrottled, .endorsementMismatch].first(where: codes.contains) ?? .evidenceUnavailable
        return BrokerError(
            code, at: .endorsement, "no source has certificates for this machine's processor: \(words)",
            retryAfter: code == .upstreamUnavailable ? nil : failures.compactMap(\.error.retryAfter).min(),
            cause: failures.lazy.compactMap(\.error.cause).first { $0 is ForgedReport })
    }
}
