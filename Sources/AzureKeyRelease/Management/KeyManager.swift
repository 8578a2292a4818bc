internal import AzureServices
package import BrokerCore
package import HTTPTransport
internal import OpenSSLCrypto
internal import PlainText
package import ReleasePolicy
package import SecureMemory
internal import StrictJSON

/// Imports, lists and reads keys of a key vault or a Managed HSM, and changes their release policies (Key Vault REST, "Keys"; KeyStores.md,
/// "Routes", "Create", "Import" and "Keys in answers").
package struct KeyManager: Sendable {
    package let store: Endpoint
    private let kind: KeyStoreKind
    let host: HostServices
    /// `nil` where the broker's own identity asks.
    package let bearer: Redacted<String>?
    /// What access tokens for the store are issued for.
    let audience: String
    private let apiVersion: String

    /// `bearer` takes the place of the broker's own identity. The caller has made sure that `store` is one that tokens may be sent to.
    package init(store: Endpoint, apiVersion: String = "7.4", bearer: Redacted<String>? = nil, _ host: HostServices) throws(BrokerError) {
        self.store = store
        self.apiVersion = apiVersion
        self.bearer = bearer
        self.host = host
        let cloud = try AzureCloud(named: host.cloud)
        kind = store.isUnder(KeyStoreKind.managedHSM.suffix(in: cloud)) ? .managedHSM : .keyVault
        audience = kind.audience(in: cloud)
    }

    /// Imports a key as exportable under `policy` and reads it back: what the store keeps must be releasable on exactly these terms. An
    /// error after the request was sent says that the key may exist and how to look. `material` is let go of before anything is sent.
    package func importKey(
        _ name: KeyName, _ material: consuming ImportMaterial, operations: [String]?, policy: ReleasePolicy, in context: RequestContext
    ) async throws(BrokerError) -> KeyDescription {
        let member = String(decoding: Self.member(policy).serialized(), as: UTF8.self)
        let tail = #","hsm":true,"attributes":{"exportable":true},"release_policy":\#(member)}"#
        let isSymmetric = material.isSymmetric
        let body = try Self.body(consume material, operations: operations, tail: tail)
        let answer: [UInt8]
        do { answer = try await send(.put, "/keys/\(name.name)", secretBody: body, about: name, for: .import, in: context) } catch {
            guard isSymmetric, kind == .keyVault, error.upstream?.status == 400, error.details == nil else { throw error }
            throw error.explained(by: KnownFailure.named("oct-key-in-vault")?.details)
        }
        let imported = try description(answer, name)
        guard let version = Self.keyName(imported.keyID, at: store)?.version, version.utf8.count == 32 else {
            throw BrokerError(.upstreamInvalid, at: .release, "\(store) answered for another key than \(name)")
        }
        let kept: KeyDescription
        do throws(BrokerError) { kept = try await key(try versioned(name, version), in: context) } catch {
            throw BrokerError(
                error.code, at: error.stage, "the key was imported, but could not be read back: \(error.message)\(Self.look(name))",
                retryAfter: error.retryAfter, upstream: error.upstream, cause: error.cause, details: error.details)
        }
        guard kept.isExportable else {
            throw BrokerError(
                .upstreamInvalid, at: .release,
                "\(store) imported \(name) without the exportable attribute: it can never be released; delete it and import it under "
                    + "another name"
            )
        }
        try check(kept, keeps: policy)
        return kept
    }

    /// Gives a key another release policy, in all its versions, and reads it back.
    package func setPolicy(_ policy: ReleasePolicy, of name: KeyName, in context: RequestContext) async throws(BrokerError)
        -> KeyDescription
    {
        let body: JSONValue = ["release_policy": Self.member(policy)]
        _ = try await send(.patch, "/keys/\(name.name)", body: body.serialized(), about: name, for: .update, in: context)
        let kept = try await key(name, in: context)
        try check(kept, keeps: policy)
        return kept
    }

    private static func member(_ policy: ReleasePolicy) -> JSONValue {
        [
            "contentType": "application/json; charset=utf-8", "data": .string(Base64.encodeURL(policy.serialized(style: .vault))),
            "immutable": false,
        ]
    }

    private func check(_ kept: KeyDescription, keeps policy: ReleasePolicy) throws(BrokerError) {
        guard let keptPolicy = kept.policy, keptPolicy.serialized(style: .managedHSM) == policy.serialized(style: .managedHSM) else {
            throw BrokerError(
                .upstreamInvalid, at: .release,
                "\(store) keeps another release policy for \(kept.name) than was sent; look at it with 'key show \(kept.name)'")
        }
    }

    private static func body(_ material: consuming ImportMaterial, operations: [String]?, tail: String) throws(BrokerError) -> SecretBody {
        do { return SecretBody(try material.body(#"{"key":"#, operations: operations, tail)) } catch {
            throw BrokerError(.invalidRequest, at: .decode, "the key cannot be written as JWK: \(error)", cause: error)
        }
    }

    private static func look(_ name: KeyName) -> String { "; look at it with 'key show \(name.name)'" }

    /// What to say of a key whose import was sent and not answered; nothing where it cannot have arrived.
    private static func mayExist(_ name: KeyName?, after error: HTTPTransportError) -> String {
        switch error {
        case .invalidRequest, .nameNotResolved, .tlsFailed, .heldBack: ""
        case .connectionFailed, .deadlineExceeded, .responseTooLarge, .invalidResponse, .cancelled, .stopped:
            name.map { "; the key may exist all the same\(look($0))" } ?? ""
        }
    }

    /// The key's description; of its current version where `name` has none.
    package func key(_ name: KeyName, in context: RequestContext) async throws(BrokerError) -> KeyDescription {
        try description(try await send(.get, "/keys/\(name)", about: name, for: .read, in: context), name)
    }

    /// Names of all keys, in the store's order. Follows at most 400 pages.
    package func names(in context: RequestContext) async throws(BrokerError) -> [String] {
        var names: [String] = []
        var path: String? = "/keys?maxresults=25&api-version=\(apiVersion)"
        var pages = 0
        while let next = path {
            pages += 1
            guard pages <= 400 else { throw BrokerError(.upstreamInvalid, at: .release, "\(store) lists more than 400 pages of keys") }
            let answer = try await send(.get, completePath: next, about: nil, for: .list, in: context)
            do {
                let page = try JSONCursor.parse(answer, limits: KeyDescription.limits)
                for item in try page.optionalArray("value") ?? [] {
                    guard let name = Self.keyName(try item.string("kid"), at: store) else { throw item.invalid("a key of another store") }
                    names.append(name.name)
                }
                path = try nextPath(try page.optionalString("nextLink"))
            } catch let error as JSONError {
                throw BrokerError(.upstreamInvalid, at: .release, "\(store) sent no list of keys: \(error)", cause: error)
            } catch let error as BrokerError { throw error } catch {
                throw BrokerError(.internal, at: .release, "the list of keys could not be read")
            }
        }
        return names
    }

    /// Path and query of the next page. A link to anywhere else would carry the access token there.
    private func nextPath(_ link: String?) throws(BrokerError) -> String? {
        guard let link, !link.isEmpty else { return nil }
        let prefix = store.origin + "/keys?"
        guard link.utf8.consists(of: .visible, count: 0...4096), link.lowercased().hasPrefix(prefix.lowercased()) else {
            throw BrokerError(.upstreamInvalid, at: .release, "\(store) says that its list goes on somewhere else; that is not followed")
        }
        return "/keys?" + link.dropFirst(prefix.count)
    }

    private func versioned(_ name: KeyName, _ version: String) throws(BrokerError) -> KeyName {
        guard let name = KeyName("\(name.name)/\(version)") else {
            throw BrokerError(.upstreamInvalid, at: .release, "\(store) answered with a version that is none")
        }
        return name
    }

    private func description(_ answer: [UInt8], _ name: KeyName) throws(BrokerError) -> KeyDescription {
        do {
            let description = try KeyDescription(bundle: try JSONCursor.parse(answer, limits: KeyDescription.limits))
            guard Self.keyName(description.keyID, at: store)?.hasSameName(as: name) == true else {
                throw BrokerError(.upstreamInvalid, at: .release, "\(store) answered for another key than \(name)")
            }
            return description
        } catch let error as BrokerError { throw error } catch {
            throw BrokerError(.upstreamInvalid, at: .release, "\(store) sent no description of \(name): \(error)", cause: error)
        }
    }

    /// What a key identifier of this store names.
    private static func keyName(_ keyID: String, at store: Endpoint) -> KeyName? {
        guard let key = KeyReference(identifier: keyID), key.store == store else { return nil }
        return key.name
    }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, body: [UInt8]? = nil, secretBody: SecretBody? = nil, about name: KeyName,
        for action: KeyAction, in context: RequestContext
    ) async throws(BrokerError) -> [UInt8] {
        try await send(
            method, completePath: "\(path)?api-version=\(apiVersion)", body: body, secretBody: secretBody, about: name, for: action,
            in: context)
    }

    private func send(
        _ method: HTTPRequest.Method, completePath: String, body: [UInt8]? = nil, secretBody: SecretBody? = nil, about name: KeyName?,
        for action: KeyAction, in context: RequestContext
    ) async throws(BrokerError) -> [UInt8] {
        let token: Redacted<String>
        if let bearer {
            token = bearer
        } else {
            do { token = try await host.accessTokens.accessToken(for: audience, in: context) } catch { throw withoutToken(error) }
        }
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        if body != nil || secretBody != nil { headers.append(("Content-Type", "application/json")) }
        let response: HTTPResponse
        do {
            response = try await host.transport.send(
                HTTPRequest(
                    method, .service(store), path: completePath, headers: headers, bearer: token, body: body, secretBody: secretBody,
                    deadline: context.deadline, maximumResponseBytes: 1 << 20, purpose: .keyStore,
                    repeatsUntil: method == .get ? context.deadline : nil))
        } catch {
            let hint = method == .put ? Self.mayExist(name, after: error) : ""
            throw BrokerError(error.brokerCode, at: .release, "\(store) cannot be asked: \(error)\(hint)", cause: error)
        }
        guard response.status == 200 else { throw .management(response, of: store, about: name, for: action) }
        return response.body
    }
}
