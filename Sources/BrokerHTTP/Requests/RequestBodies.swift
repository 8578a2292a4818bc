internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import NIOCore
internal import PlainText
internal import SecureMemory

/// The body of the routes under `/attest`.
struct AttestBody {
    let runtimeData: RuntimeData
    /// Who is asked for a token; `nil` where the request names nobody or the route needs nobody.
    let authority: Endpoint?

    init(_ body: ByteBuffer, as shape: BodyShape) throws(Refusal) {
        let members = try BodyMembers(body, as: shape)
        guard let text = members[.runtimeData] else { throw .missing(shape, .runtimeData) }
        runtimeData = RuntimeData(try RuntimeDataText.decode(text))
        authority = try members.endpoint(.maaEndpoint)
    }
}

extension ReleaseRequest {
    /// The body of `/key/release`. An empty `access_token` counts as absent.
    init(body: ByteBuffer) throws(Refusal) {
        let members = try BodyMembers(body, as: .keyRelease)
        guard let kid = members[.kid] else { throw .missing(.keyRelease, .kid) }
        let named = KeyReference(identifier: kid)
        guard let key = named?.name ?? KeyName(kid) else {
            throw .invalidValue(
                .kid,
                reason: "a key name of letters, digits and '-', optionally with '/' and a version of 32 hex digits, or the URL of a key")
        }
        let store = try members.endpoint(.akvEndpoint)
        guard store == nil || named == nil || store == named?.store else {
            throw .invalidValue(.kid, reason: "the URL of a key in another store than akv_endpoint")
        }
        let caller: CallerCredential
        if let token = members[.accessToken] {
            // It becomes part of a header field, so nothing else may pass.
            guard token.utf8.consists(of: .token68, count: 0...16 << 10) else {
                throw .invalidValue(.accessToken, reason: "not a bearer token (RFC 6750, 2.1), or longer than 16 KiB")
            }
            caller = .bearer(Redacted(token))
        } else {
            caller = .broker
        }
        self.init(key: key, store: store ?? named?.store, authority: try members.endpoint(.maaEndpoint), caller: caller)
    }
}

extension BodyMembers {
    init(_ body: ByteBuffer, as shape: BodyShape) throws(Refusal) {
        var result: Result<BodyMembers, Refusal> = .failure(.emptyBody)
        body.withUnsafeReadableBytes { bytes in
            do throws(Refusal) { result = .success(try BodyMembers(bytes.assumingMemoryBound(to: UInt8.self), as: shape)) } catch {
                result = .failure(error)
            }
        }
        self = try result.get()
    }

    fileprivate func endpoint(_ member: BodyMember) throws(Refusal) -> Endpoint? {
        guard let text = self[member] else { return nil }
        do { return try Endpoint(text) } catch { throw .invalidValue(member, reason: error.description) }
    }
}
