internal import AzureServices
internal import BrokerCore
internal import Glibc
internal import HTTPTransport
internal import Logging
internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification
internal import Synchronization
internal import Waiting

/// AMD's revocation lists: from files, or fetched, kept in memory and on disk, and not asked for again while the service is throttled.
///
/// A list that is in force is renewed beside the requests; only where there is none does a request wait for one (AMDEndorsements.md,
/// "Key distribution service").
final class RevocationLists: Sendable {
    private struct Known {
        var list: RevocationList?
        /// When the service may be asked again, in seconds since 1970.
        var next: Int64 = 0
        var failures = 0
        var obstacle: String?
        var hasLookedAtDisk = false
    }

    private let settings: LocalSettings
    private let host: HostServices
    private let known = Mutex<[ProcessorProduct: Known]>([:])
    private let flights = SingleFlight<ProcessorProduct, Bool, Never>()

    /// Shortest time between two questions after a failure: AMD's limit outlasts shorter ones.
    static let firstDelay: Int64 = 600
    static let longestDelay: Int64 = 6 * 3600
    /// A list in force is renewed that often.
    static let renewal: Int64 = 6 * 3600

    init(_ settings: LocalSettings, _ host: HostServices) {
        self.settings = settings
        self.host = host
    }

    /// The rule for a chain, with the lists that there are.
    func rule(for chain: [Certificate], in context: RequestContext) async -> RevocationRule {
        let mode: RevocationRule.Mode
        switch settings.crlCheck {
        case .off: return RevocationRule()
        case .staleOK: mode = .staleOK(limit: settings.crlStaleLimit.components.seconds)
        case .required: mode = .required
        }
        guard settings.crlFiles.isEmpty else { return RevocationRule(mode, sources: settings.crlFiles.map(Self.file)) }
        for root in chain {
            guard let product = host.products.product(ofRoot: root.subjectCommonName) else { continue }
            let (list, obstacle) = await list(of: product, root, in: context)
            return RevocationRule(mode, sources: list.map(Self.source) ?? [], obstacle: obstacle)
        }
        return RevocationRule(mode, obstacle: "the chain ends in no known root")
    }

    private static func source(_ list: RevocationList) -> [RevocationRule.Source] {
        [RevocationRule.Source(name: "AMD's service", list: .success(list))]
    }

    private static func file(_ path: String) -> RevocationRule.Source {
        do throws(BoundedFile.Failure) {
            let content = try BoundedFile.read(path, limit: RevocationList.maximumByteCount * 2)
            return .init(name: path, list: Result { () throws(CryptoError) in try RevocationList(pemOrDER: content) })
        } catch {
            return .init(name: path, list: .failure(CryptoError(operation: "reading a revocation list", reason: error.description)))
        }
    }

    private func list(of product: ProcessorProduct, _ root: Certificate, in context: RequestContext) async -> (RevocationList?, String?) {
        lookAtDisk(product, root)
        let now = host.clock.now()
        let (kept, isDue) = known.withLock { ($0[product]?.list, now >= $0[product]?.next ?? 0) }
        if isDue {
            let isInForce = kept.map { $0.nextUpdate ?? .min >= now } ?? false
            if isInForce {
                // Nobody waits for it; it ends with a deadline of its own.
                let own = RequestContext(id: context.id, deadline: .after(.seconds(30)), logger: context.logger)
                Task { [self] in await renewed(product, root, in: own) }
            } else {
                await renewed(product, root, in: context)
            }
        }
        return known.withLock { ($0[product]?.list, $0[product]?.obstacle) }
    }

    private func renewed(_ product: ProcessorProduct, _ root: Certificate, in context: RequestContext) async {
        _ = await flights.value(for: product, until: { context.deadline }) { [self] latest in
            let own = context.shared(until: latest)
            await fetch(product, root, in: own)
            return true
        }
    }

    private func fetch(_ product: ProcessorProduct, _ root: Certificate, in context: RequestContext) async {
        do throws(BrokerError) {
            let list = try await answer(product, root, in: context)
            let now = host.clock.now()
            known.withLock { known in
                // A service that falls back to an older list must not undo what is known.
                if known[product]?.list.map({ $0.thisUpdate <= list.thisUpdate }) ?? true { known[product, default: Known()].list = list }
                known[product]?.next = now + Self.renewal
                known[product]?.failures = 0
                known[product]?.obstacle = nil
            }
            keep(list, product)
        } catch {
            let delay = known.withLock { known -> Int64 in
                var entry = known[product] ?? Known()
                entry.failures += 1
                let own = min(Self.firstDelay << Int64(min(entry.failures - 1, 6)), Self.longestDelay)
                let delay = max(error.retryAfter?.components.seconds ?? 0, own)
                entry.next = host.clock.now() + delay
                entry.obstacle = error.message
                known[product] = entry
                return delay
            }
            context.logger.warning(
                "AMD's revocation list could not be fetched",
                metadata: ["product": "\(product)", "why": "\(error.message)", "next_in_seconds": "\(delay)"])
        }
    }

    private func answer(_ product: ProcessorProduct, _ root: Certificate, in context: RequestContext) async throws(BrokerError)
        -> RevocationList
    {
        let response: HTTPResponse
        do {
            response = try await host.transport.send(
                HTTPRequest(
                    .get, .service(settings.kds), path: "/vcek/v1/\(product.rawValue)/crl",
                    deadline: context.deadline.capped(at: .seconds(10)),
                    maximumResponseBytes: RevocationList.maximumByteCount))
        } catch { throw BrokerError(.upstreamUnavailable, at: .verify, "AMD's service cannot be asked: \(error)", cause: error) }
        guard response.status == 200 else { throw UpstreamRefusal(response, of: "AMD's service (\(response.status))", at: .verify).error }
        let list: RevocationList
        do { list = try RevocationList(pemOrDER: response.body) } catch {
            throw BrokerError(.upstreamInvalid, at: .verify, "AMD's service sent no revocation list: \(error.reason)", cause: error)
        }
        guard list.issuer == root.subject, list.isSigned(by: root) else {
            throw BrokerError(.upstreamInvalid, at: .verify, "AMD's service sent a list that \(root.subjectCommonName ?? "") did not sign")
        }
        return list
    }

    // MARK: Disk

    private func path(_ product: ProcessorProduct) -> String { "\(settings.crlDirectory)/crl-\(product.rawValue).der" }

    private func lookAtDisk(_ product: ProcessorProduct, _ root: Certificate) {
        let isFirst = known.withLock { known in
            let isFirst = known[product]?.hasLookedAtDisk != true
            known[product, default: Known()].hasLookedAtDisk = true
            return isFirst
        }
        guard isFirst, !settings.crlDirectory.isEmpty,
            let content = try? BoundedFile.read(path(product), limit: RevocationList.maximumByteCount),
            let list = try? RevocationList(der: content), list.issuer == root.subject, list.isSigned(by: root)
        else { return }
        known.withLock { $0[product, default: Known()].list = list }
    }

    /// Writes the list beside its place and moves it there, so that nobody reads half of it. A disk that is full costs a warning.
    private func keep(_ list: RevocationList, _ product: ProcessorProduct) {
        guard !settings.crlDirectory.isEmpty else { return }
        let temporary = "\(path(product)).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o644)
        let isWritten = descriptor >= 0 && list.der.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == list.der.count
        let isClosed = descriptor >= 0 && close(descriptor) == 0
        guard isWritten, isClosed, rename(temporary, path(product)) == 0 else {
            host.logger.warning("the revocation list could not be kept in \(settings.crlDirectory): \(String(cString: strerror(errno)))")
            unlink(temporary)
            return
        }
    }
}
