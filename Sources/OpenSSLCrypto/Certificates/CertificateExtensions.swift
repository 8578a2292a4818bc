internal import COpenSSL

/// What a certificate's key may be used for (RFC 5280, section 4.2.1.3).
package struct KeyUsage: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let digitalSignature = KeyUsage(rawValue: UInt32(KU_DIGITAL_SIGNATURE))
    package static let nonRepudiation = KeyUsage(rawValue: UInt32(KU_NON_REPUDIATION))
    package static let keyEncipherment = KeyUsage(rawValue: UInt32(KU_KEY_ENCIPHERMENT))
    package static let dataEncipherment = KeyUsage(rawValue: UInt32(KU_DATA_ENCIPHERMENT))
    package static let keyAgreement = KeyUsage(rawValue: UInt32(KU_KEY_AGREEMENT))
    package static let keyCertSign = KeyUsage(rawValue: UInt32(KU_KEY_CERT_SIGN))
    package static let cRLSign = KeyUsage(rawValue: UInt32(KU_CRL_SIGN))
}

extension Certificate {
    /// One extension as it stands in the certificate.
    package struct Extension: Sendable, Equatable {
        /// Dotted decimal.
        package let oid: String
        package let isCritical: Bool
        /// Content of `extnValue`: usually DER, but AMD's hardware id is raw bytes.
        package let value: [UInt8]

        package init(oid: String, isCritical: Bool, value: [UInt8]) {
            self.oid = oid
            self.isCritical = isCritical
            self.value = value
        }
    }

    /// All extensions in the certificate's order, duplicates included.
    package var extensions: [Extension] {
        (0..<max(0, X509_get_ext_count(pointer))).compactMap { index in
            guard let item = X509_get_ext(pointer, index), let data = X509_EXTENSION_get_data(item) else { return nil }
            let value = Array(UnsafeBufferPointer(start: ASN1_STRING_get0_data(data), count: Int(ASN1_STRING_length(data))))
            return Extension(
                oid: ObjectIdentifier.text(X509_EXTENSION_get_object(item)), isCritical: X509_EXTENSION_get_critical(item) == 1,
                value: value)
        }
    }

    /// Whether basicConstraints (RFC 5280, section 4.2.1.9) says that it is a certificate authority. False where a known extension cannot
    /// be read.
    package var isCertificateAuthority: Bool {
        let flags = X509_get_extension_flags(pointer)
        let wanted = UInt32(EXFLAG_BCONS | EXFLAG_CA)
        return flags & wanted == wanted && flags & UInt32(EXFLAG_INVALID) == 0
    }

    /// How many further authorities may follow below this one; nil where basicConstraints does not say.
    package var pathLengthConstraint: Int? {
        let length = X509_get_pathlen(pointer)
        return length < 0 ? nil : Int(length)
    }

    /// keyUsage; nil where the extension is absent, empty where it cannot be read.
    package var keyUsage: KeyUsage? {
        let usage = X509_get_key_usage(pointer)
        return usage == UInt32.max ? nil : KeyUsage(rawValue: usage)
    }

    /// Whether keyUsage allows all of `usage`; an absent extension allows everything (RFC 5280, section 4.2.1.3).
    package func allowsKeyUsage(_ usage: KeyUsage) -> Bool { keyUsage?.isSuperset(of: usage) ?? true }

    /// Object identifiers of extKeyUsage (RFC 5280, section 4.2.1.12) in dotted decimal; nil where it is absent, empty where it cannot be
    /// read.
    package var extendedKeyUsage: [String]? {
        var critical: Int32 = 0
        guard let found = X509_get_ext_d2i(pointer, NID_ext_key_usage, &critical, nil) else {
            OpenSSLErrorQueue.clear()
            return critical == -1 ? nil : []
        }
        let purposes = OpaquePointer(found)
        defer { EXTENDED_KEY_USAGE_free(purposes) }
        return (0..<max(0, broker_key_purposes_count(purposes))).map { ObjectIdentifier.text(broker_key_purposes_at(purposes, $0)) }
    }
}

enum ObjectIdentifier {
    /// Dotted decimal, also for identifiers that OpenSSL has a name for.
    static func text(_ object: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let length = OBJ_obj2txt(&buffer, Int32(buffer.count), object, 1)
        guard length > 0, Int(length) < buffer.count else { return "" }
        return String(decoding: buffer[..<Int(length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
