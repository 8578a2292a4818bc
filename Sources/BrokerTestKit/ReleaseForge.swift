internal import Issuing
internal import BrokerCore
internal import HTTPTransport
internal import JOSE
internal import OpenSSLCrypto
internal import SecureMemory
internal import StrictJSON

/// Makes the signed answers of KeyStores.md, "Release answer", good ones and bad ones.
struct ReleaseForge {
    let endpoint: Endpoint
    let manner: ScriptedKeyStore.Manner
    let signers: ScriptedKeyStore.Signers

    func answer(to asked: ReleaseBody, with key: SampleKey, _ how: StoreMisbehaviour?) throws -> String {
        let payload = ReleasePayload(
            origin: how == .otherHost ? "https://elsewhere.\(endpoint.host)" : endpoint.origin, isVault: manner == .keyVault, asked: asked,
            key: key)
        return try sign(JSONValue.object(try payload.document(how)).serialized(), how)
    }

    private func sign(_ payload: [UInt8], _ how: StoreMisbehaviour?) throws -> String {
        var certificates = signers.chain.certificates
        var key = signers.chain.leafKey
        var algorithm = JWSAlgorithm.rs256
        switch how {
        case .untrustedChain:
            certificates = signers.stranger.certificates
            key = signers.stranger.leafKey
        case .signerIsNotLeaf: key = signers.stranger.leafKey
        case .otherHostCertificate: certificates[0] = try signers.chain.leaf(for: "other.example", key: key.publicKey)
        case .expiredCertificate: certificates[0] = try signers.chain.leaf(for: endpoint.host, key: key.publicKey, expired: true)
        case .otherAlgorithm: algorithm = .rs512
        case .ellipticSigner:
            key = try PrivateKey.generateEC(.p256)
            certificates[0] = try signers.chain.leaf(for: endpoint.host, key: key.publicKey)
            algorithm = .es256
        default: break
        }
        var header = self.header(certificates, algorithm, how)
        switch how {
        case .unsigned:
            header.set("alg", "none")
            return JWSBuilder.unsecured(header: header, payload: payload)
        case .symmetricAlgorithm:
            header.set("alg", "HS256")
            let parts = [JSONValue.object(header).serialized(), payload, SecureRandom.bytes(32)]
            return parts.map { Base64.encodeURL($0) }.joined(separator: ".")
        default: break
        }
        let jws = try JWSBuilder.sign(header: header, payload: payload, key: key, algorithm: algorithm)
        switch how {
        case .truncatedJWS: return String(jws.dropLast(30))
        case .fourPartJWS: return jws + ".AAAA"
        case .tamperedSignature: return changed(jws, part: 2)
        case .tamperedPayload: return changed(jws, part: 1)
        default: return jws
        }
    }

    private func header(_ certificates: [Certificate], _ algorithm: JWSAlgorithm, _ how: StoreMisbehaviour?) -> JSONObject {
        var x5c = JSONValue.array(certificates.map { .string(Base64.encode($0.der)) })
        switch how {
        case .emptyChain: x5c = []
        case .nullChain: x5c = nil
        case .textualChain: x5c = .string(Base64.encode(certificates[0].der))
        case .brokenCertificate: x5c = [.string(Base64.encode(Array(certificates[0].der.dropLast())))]
        default: break
        }
        let thumbprint = Base64.encodeURL(certificates[0].sha256)
        var header: JSONObject = ["alg": .string(algorithm.rawValue), "kid": .string(thumbprint)]
        if manner == .keyVault { header.set("typ", "JWT") }
        header.set("x5t#S256", .string(thumbprint))
        if how != .missingChain { header.set("x5c", x5c) }
        if how == .criticalExtension {
            header.set("crit", ["exp"])
            header.set("exp", 1)
        }
        return header
    }

    /// The same JWS with one byte of one part changed.
    private func changed(_ jws: String, part: Int) -> String {
        var parts = jws.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, var bytes = Base64.decodeURL(parts[part]), !bytes.isEmpty else { return jws }
        // In the payload a digit of a time, so that it stays JSON.
        let digit = bytes.lastIndex { (UInt8(ascii: "1")...UInt8(ascii: "8")).contains($0) }
        bytes[part == 1 ? digit ?? 0 : bytes.count / 2] ^= part == 1 ? 1 : 0x40
        parts[part] = Base64.encodeURL(bytes)
        return parts.joined(separator: ".")
    }
}
