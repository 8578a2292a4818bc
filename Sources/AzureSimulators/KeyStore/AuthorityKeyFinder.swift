internal import PlainText
internal import Waiting
internal import HTTPTransport
internal import JOSE
internal import StrictJSON
internal import Synchronization

/// Finds the keys of an attestation authority as the key stores do: by its OIDC metadata, never by a token's `jku`
/// (AttestationService.md, "Published keys"; ReleasePolicies.md, "Authorities").
///
/// Authorities that this process simulates are asked through the same routing as requests from a socket, faults included, but without DNS.
/// All others are asked over the configured transport. They are asked each time, so that an outage or a new key shows at once; a document
/// that was read before is not read again.
final class AuthorityKeyFinder: Sendable {
    /// Longest answer that is read, in bytes.
    private static let maximumBytes = 256 * 1024
    private static let maximumKeys = 100

    private let transport: (any HTTPTransport)?
    private let services = Mutex<ServiceDirectory?>(nil)
    private let lastKeys = Mutex<(document: [UInt8], keys: JWKSet)?>(nil)

    init(transport: (any HTTPTransport)?) { self.transport = transport }

    /// Tells who is simulated here. Called once, before the first request.
    func connect(_ directory: ServiceDirectory) { services.withLock { $0 = directory } }

    /// The published keys of an authority. Throws a sentence about what went wrong.
    func keys(of authority: String) async throws(Failure) -> JWKSet {
        let base = authority.hasSuffix("/") ? String(authority.dropLast()) : authority
        let metadata = try await document(base + "/.well-known/openid-configuration")
        let location: String
        do { location = try JSONCursor.parse(metadata).string("jwks_uri") } catch {
            throw Failure("the metadata of \(authority) is not usable: \(error.description)")
        }
        do {
            let document = try await document(location)
            if let last = lastKeys.withLock({ $0 }), last.document == document { return last.keys }
            let keys = try JWKSet(parsing: document, maximumKeys: Self.maximumKeys)
            lastKeys.withLock { $0 = (document, keys) }
            return keys
        } catch let error as JOSEError { throw Failure("the keys of \(authority) are not usable: \(error.description)") } catch let error
            as Failure
        { throw error } catch { throw Failure("the keys of \(authority) are not usable") }
    }

    /// Why there are no keys: one sentence, and whether the authority answered at all.
    struct Failure: Error {
        let reason: String
        let isUnreachable: Bool

        init(_ reason: String, isUnreachable: Bool = false) {
            self.reason = reason
            self.isUnreachable = isUnreachable
        }
    }

    private func document(_ url: String) async throws(Failure) -> [UInt8] {
        let (authority, path) = try Self.parts(of: url)
        let request = SimulatorRequest(method: "GET", authority: SimulatorServer.normalized(authority), path: path)
        if let services = services.withLock({ $0 }), services.serves(request.host) {
            let response = await services.respond(to: request)
            guard response.status == 200 else { throw Failure("GET \(url) answers \(response.status)", isUnreachable: true) }
            return response.body
        }
        guard let transport else {
            throw Failure("\(url) is not simulated, and no transport to other hosts is configured", isUnreachable: true)
        }
        do {
            let response = try await transport.send(
                HTTPRequest(
                    .get, .service(try Endpoint(authority)), path: path, deadline: .after(.seconds(10)),
                    maximumResponseBytes: Self.maximumBytes))
            guard response.status == 200 else { throw Failure("GET \(url) answers \(response.status)", isUnreachable: true) }
            return response.body
        } catch let error as Failure { throw error } catch { throw Failure("GET \(url): \(error)", isUnreachable: true) }
    }

    /// Host with port, and path without query, of an https URL.
    private static func parts(of url: String) throws(Failure) -> (authority: String, path: String) {
        guard url.utf8.count <= 1000, url.lowercased().hasPrefix("https://") else {
            throw Failure("\(VisibleText.shortened(url)) is not an https URL")
        }
        let rest = url.dropFirst("https://".count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = String(rest[slash...])
        guard !path.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }), path.utf8.allSatisfy({ $0 < 0x7F }) else {
            throw Failure("\(VisibleText.shortened(url)) is not a plain https URL")
        }
        return (String(rest[..<slash]), path.isEmpty ? "/" : path)
    }
}
