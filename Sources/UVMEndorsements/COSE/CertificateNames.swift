internal import OpenSSLCrypto

/// Names of a certificate in the terms of did:x509 (specification, "JSON data model for X.509 certificate chains").
struct CertificateNames {
    /// Attributes of the subject by their label (`CN`, `O`, …) or, without one, by their dotted OID; `nil` when a type occurs twice or a
    /// value has no reading as text, because then the model does not cover the certificate.
    let subject: [String: String]?
    /// Alternative names of the kinds `email`, `dns` and `uri`.
    let alternatives: [(kind: String, value: String)]
    /// Whom Fulcio relied on for the identity, as a URL.
    let fulcioIssuer: String?

    private static let labels = [
        "2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C", "2.5.4.9": "STREET",
    ]

    init(_ certificate: Certificate) {
        subject = Self.subject(certificate)
        alternatives = certificate.alternativeNames.map { name in
            switch name {
            case .email(let text): ("email", text)
            case .dns(let text): ("dns", text)
            case .uri(let text): ("uri", text)
            }
        }
        let extensions = certificate.extensions
        // Fulcio writes the bare text under .1 and, since its extension version 2, a UTF8String under .8.
        let old = extensions.first { $0.oid == "1.3.6.1.4.1.57264.1.1" }
        let new = extensions.first { $0.oid == "1.3.6.1.4.1.57264.1.8" }
        let issuers = [old.map { String(validating: $0.value, as: UTF8.self) }, new.map { ASN1Text.utf8String(der: $0.value) }].compactMap(
            \.self)
        // Where both are there they must say the same.
        let isUnanimous = issuers.allSatisfy { $0.map { Array($0.utf8) } == issuers.first?.map { Array($0.utf8) } }
        fulcioIssuer = isUnanimous ? issuers.first ?? nil : nil
    }

    private static func subject(_ certificate: Certificate) -> [String: String]? {
        var attributes: [String: String] = [:]
        for (type, value) in certificate.subjectAttributes {
            guard let value, attributes.updateValue(value, forKey: labels[type] ?? type) == nil else { return nil }
        }
        return attributes
    }
}
