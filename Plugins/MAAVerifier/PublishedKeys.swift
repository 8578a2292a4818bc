internal import Waiting
internal import AzureServices
internal import BrokerCore
internal import HTTPTransport
internal import JOSE
internal import Synchronization

/// The keys that authorities publish at `/certs` (AttestationService.md, "Published keys"), kept for a bounded time.
///
/// They are trusted because TLS says that they come from the authority. Nothing inside a token, `jku` least of all, decides where they are
/// fetched from.
struct PublishedKeys: Sendable {
    private let cache: SingleFlightCache<Endpoint, JWKSet>
    private let transport: any HTTPTransport
    private let timeout: Duration
    private let maximumAge: Duration
    private let clock: any WallClock
    private let refetches = Refetches()

    /// The last time an authority's keys were fetched for an unknown name (seconds since 1970), and the generation that was known
    /// afterwards.
    private final class Refetches: Sendable {
        let last = Mutex<[Endpoint: (time: Int64, generation: UInt64)]>([:])
    }

    /// Seconds between two fetches for unknown names: whoever sends tokens with ever new names must not make the broker ask each time.
    static let refetchInterval: Int64 = 10
    static let maximumBytes = 512 * 1024
    static let maximumKeys = 64

    init(transport: any HTTPTransport, clock: any WallClock, timeout: Duration, maximumAge: Duration) {
        cache = SingleFlightCache(capacity: 32, clock: clock, stage: .verify)
        self.transport = transport
        self.timeout = timeout
        self.maximumAge = maximumAge
        self.clock = clock
    }

    /// The authority's keys, for a token that names `kid`. An unknown name makes one more fetch, because keys rotate, at most every ten
    /// seconds.
    func keys(of authority: Endpoint, for kid: String, in context: RequestContext) async throws(BrokerError) -> JWKSet {
        let known = try await fetch(authority, otherThan: nil, in: context)
        guard known.value.keys(withID: kid).isEmpty else { return known.value }
        let now = clock.now()
        let isTooEarly = refetches.last.withLock { last in
            last[authority].map { $0.generation == known.generation && abs(now - $0.time) < Self.refetchInterval } ?? false
        }
        guard !isTooEarly else { return known.value }
        var generation = known.generation
        defer {
            refetches.last.withLock { last in
                last = last.filter { abs(now - $0.value.time) < Self.refetchInterval }
                last[authority] = (now, generation)
            }
        }
        let renewed = try await fetch(authority, otherThan: known.generation, in: context)
        generation = renewed.generation
        return renewed.value
    }

    /// Makes sure that some keys of the authority are there.
    func load(of authority: Endpoint, in context: RequestContext) async throws(BrokerError) {
        // What was remembered while requests went well says nothing once they fail.
        let stale = transport.isFailing(authority) ? cache.generation(of: authority) : nil
        _ = try await fetch(authority, otherThan: stale, in: context)
    }

    private func fetch(_ authority: Endpoint, otherThan stale: UInt64?, in context: RequestContext) async throws(BrokerError)
        -> SingleFlightCache<Endpoint, JWKSet>.Found
    {
        let transport = transport
        let timeout = timeout
        let maximumAge = maximumAge
        return try await cache.value(for: authority, in: context, otherThan: stale) { context throws(BrokerError) in
            let request = HTTPRequest(
                .get, .service(authority), path: "/certs", headers: [("Accept", "application/json, application/jwk+json")],
                deadline: context.deadline.capped(at: timeout), maximumResponseBytes: Self.maximumBytes, purpose: .attestation,
                repeatsUntil: context.deadline)
            let response: HTTPResponse
            do throws(HTTPTransportError) { response = try await transport.send(request) } catch {
                throw BrokerError(
                    error.brokerCode, at: .verify, "\(authority) cannot be asked for its keys: \(error)", retryAfter: error.retryAfter,
                    cause: error)
            }
            return .init(try Self.parse(response, of: authority), freshFor: maximumAge)
        }
    }

    private static func parse(_ response: HTTPResponse, of authority: Endpoint) throws(BrokerError) -> JWKSet {
        guard response.status == 200 else {
            throw UpstreamRefusal(response, of: "\(authority)", at: .verify).error(
                response.brokerCode, "\(authority) answered \(response.status) instead of its keys")
        }
        do { return try JWKSet(parsing: response.body, maximumKeys: maximumKeys) } catch {
            throw BrokerError(.upstreamInvalid, at: .verify, "the keys of \(authority) are unusable: \(error.description)", cause: error)
        }
    }
}
