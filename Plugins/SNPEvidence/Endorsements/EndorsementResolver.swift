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
/// One cache, keyed by chip, TCB and kind of key: a report of another TCB never meets an older chain, and a key that was found once is not
/// asked for again. However many requests want the same chain, the sources are asked once.
package final class EndorsementResolver: Sendable {
    let sources: [any EndorsementSource]
    private let roots: [PinnedRoot]
    private let products: ProductTable
    let directory: EndorsementDirectory?
    let product: ProcessorProduct?
    private let clock: any WallClock
    private let cache: SingleFlightCache<EndorsementSubject, [Certificate]>
    private let firstDelay: Duration
    private let signatures = VerifiedSignatures()

    /// Asks `sources` in their order. `product` says what reports of version 2 do not.
    package init(
        sources: [any EndorsementSource], roots: [PinnedRoot] = AMDRoots.pins, products: ProductTable = .builtIn,
        directory: EndorsementDirectory? = nil, product: ProcessorProduct? = nil, clock: any WallClock,
        firstDelay: Duration = .milliseconds(500)
    ) {
        self.sources = sources
        self.roots = roots
        self.products = products
        self.directory = directory
        self.product = product
        self.clock = clock
        self.firstDelay = firstDelay
        cache = SingleFlightCache(capacity: 16, clock: clock, stage: .endorsement)
    }

    /// Leaf, intermediate and root that verify `report`, which must be well-formed.
    package func chain(for report: AttestationReport, table: [UInt8], in context: RequestContext) async throws(BrokerError) -> [Certificate]
    {
        let subject = EndorsementSubject(report, product: product, products: products)
        let hasResolved = Atomic(false)
        // A report that does not verify is the first caller's own misfortune.
        let found = try await cache.value(for: subject, in: context, isOwn: { $0.cause is ForgedReport }) {
            [self] context throws(BrokerError) in
            let chain = try await resolve(subject, report, table, in: context)
            hasResolved.store(true, ordering: .releasing)
            return .init(chain, freshFor: .seconds(7 * 86_400))
        }
        // What was verified with another report has yet to be verified with this one: the cache's key does not hold the signature.
        return hasResolved.load(ordering: .acquiring) ? found.value : try verified(found.value, report, from: "the cache")
    }

    /// The cause where certificates are right for a report and its signature is not.
    private struct ForgedReport: Error {}

    private func resolve(_ subject: EndorsementSubject, _ report: AttestationReport, _ table: [UInt8], in context: RequestContext)
        async throws(BrokerError) -> [Certificate]
    {
        if let kept = directory?.certificates(for: subject), let chain = try? verified(kept, report, from: "the directory") { return chain }
        var delay = firstDelay
        while true {
            var failures: [(name: String, error: BrokerError)] = []
            for source in sources {
                do throws(BrokerError) {
                    let offered = try await source.certificates(for: subject, table: table, in: context)
                    let chain = try verified(offered, report, from: source.name)
                    directory?.keep(chain, for: subject, logger: context.logger)
                    context.logger.info("endorsements found", metadata: ["source": "\(source.name)", "tcb": "\(subject.tcb.hex)"])
                    return chain
                } catch { failures.append((source.name, error)) }
            }
            let error = Self.summary(failures)
            guard error.code == .upstreamUnavailable || error.code == .upstreamThrottled else { throw error }
            // Up to twice the delay, so that machines that started together do not ask together.
            let pause = max(error.retryAfter ?? .zero, delay) + delay * Double.random(in: 0..<1)
            guard context.deadline.remaining > pause else { throw error }
            do { try await Task.sleep(for: pause, clock: .continuous) } catch { throw Self.summary(failures) }
            delay = min(delay * 2, .seconds(10))
        }
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
            retryAfter: failures.compactMap(\.error.retryAfter).min(),
            cause: failures.lazy.compactMap(\.error.cause).first { $0 is ForgedReport })
    }
}
