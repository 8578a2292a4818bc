internal import COpenSSL

extension Certificate {
    /// The subject's common name; nil where there is none or more than one.
    package var subjectCommonName: String? { DistinguishedName.commonName(X509_get_subject_name(pointer)) }

    /// The issuer's common name; nil where there is none or more than one.
    package var issuerCommonName: String? { DistinguishedName.commonName(X509_get_issuer_name(pointer)) }

    /// The subject as RFC 2253 text. Everything outside of printable ASCII is escaped.
    package var subject: String { DistinguishedName.text(X509_get_subject_name(pointer)) }

    /// The issuer as RFC 2253 text. Everything outside of printable ASCII is escaped.
    package var issuer: String { DistinguishedName.text(X509_get_issuer_name(pointer)) }

    /// Whether its issuer's name is the subject of the other, whoever signed it.
    package func names(asIssuer other: Certificate) -> Bool {
        DistinguishedName.isSame(X509_get_issuer_name(pointer), X509_get_subject_name(other.pointer))
    }

    /// The subject's attributes in their order, each with its type in dotted decimal. A value is nil where it has no reading as text:
    /// UTF8String, NumericString,
    /// PrintableString, IA5String and BMPString have one.
    package var subjectAttributes: [(type: String, value: String?)] {
        let name = X509_get_subject_name(pointer)
        return (0..<max(0, X509_NAME_entry_count(name))).map { index in
            let entry = X509_NAME_get_entry(name, index)
            return (ObjectIdentifier.text(X509_NAME_ENTRY_get_object(entry)), ASN1Text.text(X509_NAME_ENTRY_get_data(entry)))
        }
    }

    /// A subject alternative name (RFC 5280, section 4.2.1.6) of a kind that is text.
    package enum AlternativeName: Sendable, Equatable {
        case email(String)
        case dns(String)
        case uri(String)
    }

    /// The subject alternative names that are text; none where the extension is absent, twice there or cannot be read.
    package var alternativeNames: [AlternativeName] {
        guard let found = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else {
            OpenSSLErrorQueue.clear()
            return []
        }
        let names = OpaquePointer(found)
        defer { GENERAL_NAMES_free(names) }
        return (0..<max(0, broker_general_names_count(names))).compactMap { index in
            var kind: Int32 = 0
            guard let value = GENERAL_NAME_get0_value(broker_general_names_at(names, index), &kind),
                [GEN_EMAIL, GEN_DNS, GEN_URI].contains(kind),
                let text = ASN1Text.text(value.assumingMemoryBound(to: ASN1_STRING.self))
            else { return nil }
            return switch kind {
            case GEN_EMAIL: .email(text)
            case GEN_DNS: .dns(text)
            default: .uri(text)
            }
        }
    }

    /// The serial number in lower-case hexadecimal without leading zeros; "0" for zero, with a minus sign where it is negative.
    package var serialNumberHex: String {
        guard let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(pointer), nil) else {
            OpenSSLErrorQueue.clear()
            return ""
        }
        let serial = BigNumber(owning: number)
        let digits = Hex.encode(serial.bytes).drop { $0 == "0" }
        let sign = BN_is_negative(serial.handle) == 1 ? "-" : ""
        return sign + (digits.isEmpty ? "0" : digits)
    }

    /// Whether the certificate is for `host`: a DNS name (a wildcard stands for one whole first label) or the text of an IP address, looked
    /// up among the
    /// subject alternative names. The common name does not count.
    package func matches(host: String) -> Bool {
        guard HostMatching.isHost(host) else { return false }
        if SubjectAddress.isLiteral(host) { return X509_check_ip_asc(pointer, host, 0) == 1 }
        return X509_check_host(pointer, host, host.utf8.count, HostMatching.flags, nil) == 1
    }
}

/// How host names are compared with certificates, here and in `TrustStore`.
enum HostMatching {
    /// Whether `host` may be asked for. OpenSSL would take a name that begins with a dot as "any host below".
    static func isHost(_ host: String) -> Bool {
        (1...253).contains(host.utf8.count) && !host.utf8.contains(0) && host.utf8.first != UInt8(ascii: ".")
    }

    static let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
}

/// Strings of ASN.1 as text.
package enum ASN1Text {
    /// The text of a UTF8String in DER with nothing after it; nil for anything else.
    package static func utf8String(der: [UInt8]) -> String? {
        der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            guard let string = d2i_ASN1_UTF8STRING(nil, &cursor, bytes.count) else {
                OpenSSLErrorQueue.clear()
                return nil
            }
            defer { ASN1_UTF8STRING_free(string) }
            return cursor == bytes.baseAddress.map { $0 + bytes.count } ? text(string) : nil
        }
    }

    static func text(_ string: UnsafePointer<ASN1_STRING>?) -> String? {
        guard let string, let start = ASN1_STRING_get0_data(string) else { return nil }
        let bytes = UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string)))
        switch ASN1_STRING_type(string) {
        case V_ASN1_UTF8STRING: return String(validating: bytes, as: UTF8.self)
        case V_ASN1_NUMERICSTRING, V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING:
            return bytes.allSatisfy { $0 < 0x80 } ? String(validating: bytes, as: UTF8.self) : nil
        case V_ASN1_BMPSTRING: return converted(string)
        default: return nil
        }
    }

    /// OpenSSL's conversion to UTF-8.
    static func converted(_ string: UnsafePointer<ASN1_STRING>) -> String? {
        var text: UnsafeMutablePointer<UInt8>?
        let length = ASN1_STRING_to_UTF8(&text, string)
        guard length >= 0, let text else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        defer { CRYPTO_free(text, nil, 0) }
        return String(validating: UnsafeBufferPointer(start: text, count: Int(length)), as: UTF8.self)
    }
}

enum SubjectAddress {
    /// Whether OpenSSL reads `text` as an IPv4 or IPv6 address.
    static func isLiteral(_ text: String) -> Bool {
        guard let address = a2i_IPADDRESS(text) else {
            OpenSSLErrorQueue.clear()
            return false
        }
        ASN1_OCTET_STRING_free(address)
        return true
    }
}

enum DistinguishedName {
    static func commonName(_ name: OpaquePointer?) -> String? {
        let first = X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard first >= 0, X509_NAME_get_index_by_NID(name, NID_commonName, first) < 0,
            let data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first))
        else { return nil }
        return ASN1Text.converted(data)
    }

    /// The same bytes, or other types of string for the same text.
    static func isSame(_ one: OpaquePointer?, _ other: OpaquePointer?) -> Bool {
        var (first, second) = (UnsafePointer<UInt8>?.none, UnsafePointer<UInt8>?.none)
        var (firstCount, secondCount) = (0, 0)
        if X509_NAME_get0_der(one, &first, &firstCount) == 1, X509_NAME_get0_der(other, &second, &secondCount) == 1, let first, let second,
            UnsafeBufferPointer(start: first, count: firstCount).elementsEqual(UnsafeBufferPointer(start: second, count: secondCount))
        {
            return true
        }
        return text(one) == text(other)
    }

    static func text(_ name: OpaquePointer?) -> String {
        guard let output = BIO_new(BIO_s_mem()) else {
            OpenSSLErrorQueue.clear()
            return ""
        }
        defer { BIO_free(output) }
        guard X509_NAME_print_ex(output, name, 0, broker_name_flags_rfc2253) >= 0 else {
            OpenSSLErrorQueue.clear()
            return ""
        }
        var start: UnsafeMutablePointer<CChar>?
        let length = broker_bio_memory(output, &start)
        guard length > 0, let start else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }
}
