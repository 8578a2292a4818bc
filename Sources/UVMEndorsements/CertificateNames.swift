internal import OpenSSLCrypto

/// Names of a certificate in the terms of did:x509 (specification, "JSON data model for X.509 certificate chains").
struct CertificateNames {
    /// Attributes of the subject by their label (`CN`, `O`, …) or, without one, by their dotted OID; `nil` when a type occurs twice or a value has no
    /// reading as text, because then the model does not cover the certificate.
    let subject: [String: String]?
    /// Alternative names of the kinds `email`, `dns` and `uri`.
    let alternatives: [(kind: String, value: String)]
    /// Whom Fulcio relied on for the identity, as a URL.
    let fulcioIssuer: String?

    private static let labels = [
        "2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C",
        "2.5.4.9": "STREET",
    ]

    init(_ certificate: Certificate) {
        subject = Self.subject(certificate.der)
        let extensions = certificate.extensions
        alternatives = Self.alternatives(extensions.first { $0.oid == "2.5.29.17" }?.value)
        // Fulcio writes the bare text under .1 and, since its extension version 2, a UTF8String under .8.
        let old = extensions.first { $0.oid == "1.3.6.1.4.1.57264.1.1" }
        let new = extensions.first { $0.oid == "1.3.6.1.4.1.57264.1.8" }
        let issuers = [
            old.map { String(validating: $0.value, as: UTF8.self) },
            new.map { Self.utf8String($0.value) },
        ].compactMap(\.self)
        // Where both are there they must say the same.
        let isUnanimous = issuers.allSatisfy { $0.map { Array($0.utf8) } == issuers.first?.map { Array($0.utf8) } }
        fulcioIssuer = isUnanimous ? issuers.first ?? nil : nil
    }

    private static func utf8String(_ der: [UInt8]) -> String? {
        DERReader.single(der[...], tag: DERReader.utf8String)
            .flatMap { String(validating: $0.content, as: UTF8.self) }
    }

    // Certificate: tbsCertificate: [version,] serial, signature, issuer, validity, subject (RFC 5280, 4.1).
    private static func subject(_ der: [UInt8]) -> [String: String]? {
        guard var fields = DERReader.single(der[...], tag: DERReader.sequence)?.children?.first?.children else {
            return nil
        }
        if fields.first?.tag == 0xA0 { fields.removeFirst() }
        guard fields.count > 4, fields[4].tag == DERReader.sequence, let relative = fields[4].children else {
            return nil
        }
        var attributes: [String: String] = [:]
        for set in relative {
            guard set.tag == DERReader.set, let pairs = set.children else { return nil }
            for pair in pairs {
                guard let parts = pair.children, parts.count == 2, parts[0].tag == DERReader.objectIdentifier,
                    let oid = DERReader.dotted(parts[0].content), let value = text(parts[1]),
                    attributes.updateValue(value, forKey: labels[oid] ?? oid) == nil
                else { return nil }
            }
        }
        return attributes
    }

    private static func text(_ element: DERReader.Element) -> String? {
        switch element.tag {
        // UTF8String, and the alphabets below ASCII: NumericString, PrintableString, IA5String.
        case DERReader.utf8String: String(validating: element.content, as: UTF8.self)
        case 0x12, 0x13, 0x16:
            element.content.allSatisfy { $0 < 0x80 } ? String(validating: element.content, as: UTF8.self) : nil
        case 0x1E: bmpText(Array(element.content))
        default: nil
        }
    }

    // BMPString: two bytes for each character, no surrogates.
    private static func bmpText(_ bytes: [UInt8]) -> String? {
        guard bytes.count.isMultiple(of: 2) else { return nil }
        var text = ""
        for index in stride(from: 0, to: bytes.count, by: 2) {
            guard let scalar = Unicode.Scalar(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])) else { return nil }
            text.unicodeScalars.append(scalar)
        }
        return text
    }

    // GeneralNames (RFC 5280, 4.2.1.6) with implicit tags for IA5String: rfc822Name [1], dNSName [2], uniformResourceIdentifier [6].
    private static func alternatives(_ value: [UInt8]?) -> [(kind: String, value: String)] {
        guard let value, let names = DERReader.single(value[...], tag: DERReader.sequence)?.children else { return [] }
        return names.compactMap { name in
            let kind: String
            switch name.tag {
            case 0x81: kind = "email"
            case 0x82: kind = "dns"
            case 0x86: kind = "uri"
            default: return nil
            }
            guard name.content.allSatisfy({ $0 < 0x80 }) else { return nil }
            return (kind, String(decoding: name.content, as: UTF8.self))
        }
    }
}
