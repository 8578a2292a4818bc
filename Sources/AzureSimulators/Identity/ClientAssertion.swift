internal import JOSE
internal import PlainText
internal import StrictJSON

/// Checks the token of another issuer that a client shows instead of a secret.
enum ClientAssertion {
    /// Accepts the assertion or throws the refusal that Entra answers with.
    static func check(_ text: String, clientID: String, credentials: [FederatedCredential], now: Int64) throws(EntraService.Refusal) {
        let jws: JWS
        let claims: JSONCursor
        let notBefore: Int64
        let expires: Int64
        do {
            jws = try JWS(compact: text, maximumBytes: 16 * 1024)
            claims = try jws.payload(limits: JSONLimits(maximumBytes: 16 * 1024))
            notBefore = try claims.optionalNumericDate("nbf") ?? 0
            expires = try claims.numericDate("exp")
        } catch { throw refusal(50027, "JWT token is invalid or malformed.") }
        guard jws.algorithm.lowercased() != "none", !jws.signature.isEmpty else {
            throw refusal(50027, "JWT token is invalid or malformed: it is not signed.")
        }
        guard now < expires, notBefore <= now + 300 else {
            throw refusal(
                700_024,
                "Client assertion is not within its valid time range. Current time: \(RFC3339.spaced(now)), assertion "
                    + "valid from \(RFC3339.spaced(notBefore)), expiry time of assertion \(RFC3339.spaced(expires)).")
        }
        guard !credentials.isEmpty else { return }
        let own = credentials.filter { $0.clientID.lowercased() == clientID.lowercased() }
        guard !own.isEmpty else {
            throw EntraService.Refusal(
                status: 400, error: "unauthorized_client", number: 700_016,
                text: "Application with identifier '\(VisibleText.shortened(clientID))' was not found in the directory.")
        }
        let issuer = member(claims, "iss")
        let subject = member(claims, "sub")
        let audiences = audiences(claims)
        let sameIssuer = own.filter { $0.issuer.utf8.elementsEqual(issuer.utf8) }
        guard !sameIssuer.isEmpty else {
            throw refusal(
                700_211,
                "No matching federated identity record found for presented assertion issuer " + "'\(VisibleText.shortened(issuer))'.")
        }
        let sameSubject = sameIssuer.filter { $0.subject.utf8.elementsEqual(subject.utf8) }
        guard !sameSubject.isEmpty else {
            throw refusal(
                700_213,
                "No matching federated identity record found for presented assertion subject " + "'\(VisibleText.shortened(subject))'.")
        }
        let matching = sameSubject.filter { credential in credential.audiences.contains { audiences.contains($0) } }
        guard let credential = matching.first else {
            throw refusal(
                700_212,
                "No matching federated identity record found for presented assertion audience "
                    + "'\(VisibleText.shortened(audiences.joined(separator: ", ")))'.")
        }
        if let keys = credential.issuerKeys { try verify(jws, with: keys) }
    }

    private static func verify(_ jws: JWS, with document: [UInt8]) throws(EntraService.Refusal) {
        let keys: [JWK]
        do { keys = try JWKSet(parsing: document, maximumKeys: 100).keys(withID: jws.keyID ?? "") } catch {
            throw refusal(700_027, "The keys of the assertion's issuer cannot be read.")
        }
        guard let algorithm = JWSAlgorithm(rawValue: jws.algorithm) else {
            throw refusal(700_027, "The assertion's signature algorithm is not supported.")
        }
        for key in keys where (try? jws.verify(with: key.publicKey, algorithm: algorithm)) != nil { return }
        throw refusal(
            700_027,
            "The certificate with identifier used to sign the client assertion is not registered on application, or "
                + "the signature is invalid.")
    }

    private static func member(_ claims: JSONCursor, _ name: String) -> String { (try? claims.optionalString(name)) ?? "" }

    private static func audiences(_ claims: JSONCursor) -> [String] {
        guard let value = try? claims.optional("aud") else { return [] }
        if let one = try? value.string() { return [one] }
        return ((try? value.array()) ?? []).compactMap { try? $0.string() }
    }

    private static func refusal(_ number: Int, _ text: String) -> EntraService.Refusal {
        EntraService.Refusal(status: 401, error: "invalid_client", number: number, text: text)
    }
}
