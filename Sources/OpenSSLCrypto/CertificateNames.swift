internal import COpenSSL

extension Certificate {
    /// The subject's common name; nil where there is none or more than one.
    public var subjectCommonName: String? { DistinguishedName.commonName(X509_get_subject_name(pointer)) }

    /// The issuer's common name; nil where there is none or more than one.
    public var issuerCommonName: String? { DistinguishedName.commonName(X509_get_issuer_name(pointer)) }

    /// The subject as RFC 2253 text. Everything outside of printable ASCII is escaped.
    public var subject: String { DistinguishedName.text(X509_get_subject_name(pointer)) }

    /// The issuer as RFC 2253 text. Everything outside of printable ASCII is escaped.
    public var issuer: String { DistinguishedName.text(X509_get_issuer_name(pointer)) }

    /// The serial number in lower-case hexadecimal without leading zeros; "0" for zero, with a minus sign where it is negative.
    public var serialNumberHex: String {
        guard let number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(pointer), nil) else {
            OpenSSLErrorQueue.clear()
            return ""
        }
        let serial = BigNumber(owning: number)
        let digits = Hex.encode(serial.bytes).drop { $0 == "0" }
        let sign = BN_is_negative(serial.handle) == 1 ? "-" : ""
        return sign + (digits.isEmpty ? "0" : digits)
    }

    /// Whether the certificate is for `host`: a DNS name (a wildcard stands for one whole first label) or the text of an IP address, looked up among the
    /// subject alternative names. The common name does not count.
    public func matches(host: String) -> Bool {
        guard HostMatching.isHost(host) else { return false }
        if IPAddress.isLiteral(host) { return X509_check_ip_asc(pointer, host, 0) == 1 }
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

enum IPAddress {
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
        var text: UnsafeMutablePointer<UInt8>?
        let length = ASN1_STRING_to_UTF8(&text, data)
        guard length >= 0, let text else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        defer { CRYPTO_free(text, nil, 0) }
        return String(decoding: UnsafeBufferPointer(start: text, count: Int(length)), as: UTF8.self)
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
