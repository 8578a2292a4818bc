internal import Issuing
internal import JOSE
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON
internal import Synchronization

/// One attestation provider: its signing key and self-signed certificate (AttestationService.md, "Published keys").
struct AttestationInstance: Sendable {
    let key: PrivateKey
    let certificate: Certificate
    /// Standard base64 with padding, as Azure's are: clients must not take it for base64url.
    let keyID: String

    init(key: PrivateKey, certificate: Certificate) {
        self.key = key
        self.certificate = certificate
        keyID = Base64.encode(DigestAlgorithm.sha256.digest(certificate.der))
    }

    /// A signed token for the provider that the request named.
    func token(_ claims: JSONObject, origin: String) throws(CryptoError) -> String {
        let header: JSONObject = ["alg": "RS256", "jku": .string(origin + "/certs"), "kid": .string(keyID), "typ": "JWT"]
        return try JWSBuilder.sign(
            header: header, payload: JSONValue.object(claims).serialized(sortedKeys: true), key: key, algorithm: .rs256)
    }

    /// `x5c` and no numbers, as the service publishes them.
    var keySet: JSONValue {
        ["keys": [["alg": "RS256", "kid": .string(keyID), "kty": "RSA", "use": "sig", "x5c": [.string(Base64.encode(certificate.der))]]]]
    }
}

/// The providers that were asked for so far, each made at its first request.
final class AttestationInstances: Sendable {
    /// More than this many host names are not served.
    static let maximumCount = 100

    private let directory: StateDirectory?
    private let validity: CertificateValidity
    private let makeSignerKey: @Sendable () throws(CryptoError) -> PrivateKey
    private let tasks = Mutex<[String: Task<AttestationInstance, any Error>]>([:])

    init(
        directory: StateDirectory?, validity: CertificateValidity, makeSignerKey: @escaping @Sendable () throws(CryptoError) -> PrivateKey
    ) {
        self.directory = directory
        self.validity = validity
        self.makeSignerKey = makeSignerKey
    }

    /// The provider of a host name (without a port).
    func instance(for host: String) async throws(SimulatorError) -> AttestationInstance {
        let task = tasks.withLock { tasks -> Task<AttestationInstance, any Error>? in
            if let task = tasks[host] { return task }
            guard tasks.count < Self.maximumCount else { return nil }
            let task = Task { try await offload { try self.make(host) } }
            tasks[host] = task
            return task
        }
        guard let task else { throw SimulatorError("too many attestation providers") }
        do { return try await task.value } catch {
            // The next request tries again.
            tasks.withLock { $0[host] = nil }
            throw error as? SimulatorError ?? SimulatorError("cannot make the key of \(host): \(error)")
        }
    }

    private func make(_ host: String) throws(SimulatorError) -> AttestationInstance {
        let identity = try StoredIdentity.selfSigned(
            "attestation-\(host)", commonName: "https://\(host)", in: directory, validity: validity, makeKey: makeSignerKey)
        return AttestationInstance(key: identity.key, certificate: identity.certificate)
    }
}
