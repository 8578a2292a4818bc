internal import COpenSSL

/// What a certificate's key may be used for (RFC 5280, section 4.2.1.3).
public struct KeyUsage: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let digitalSignature = KeyUsage(rawValue: UInt32(KU_DIGITAL_SIGNATURE))
    public static let nonRepudiation = KeyUsage(rawValue: UInt32(KU_NON_REPUDIATION))
    public static let keyEncipherment = KeyUsage(rawValue: UInt32(KU_KEY_ENCIPHERMENT))
    public static let dataEncipherment = KeyUsage(rawValue: UInt32(KU_DATA_ENCIPHERMENT))
    public static let keyAgreement = KeyUsage(rawValue: UInt32(KU_KEY_AGREEMENT))
    public static let keyCertSign = KeyUsage(rawValue: UInt32(KU_KEY_CERT_SIGN))
    public static let cRLSign = KeyUsage(rawValue: UInt32(KU_CRL_SIGN))
}

extension Certificate {
    /// One extension as it stands in the certificate.
    public struct Extension: Sendable, Equatable {
        /// Dotted decimal.
        public let oid: String
        public let isCritical: Bool
        /// Content of `extnValue`: usually DER, but AMD's hardware id is raw bytes.
        public let value: [UInt8]

        public init(oid: String, isCritical: Bool, value: [UInt8]) {
            self.oid = oid
            self.isCritical = isCritical
            self.value = value
        }
    }

    /// All extensions in the certificate's order, duplicates included.
    public var extensions: [Extension] {
        (0..<max(0, X509_get_ext_count(pointer))).compactMap { index in
            guard let item = X509_get_ext(pointer, index), let data = X509_EXTENSION_get_data(item) else { return nil }
            let value = Array(
                UnsafeBufferPointer(start: ASN1_STRING_get0_data(data), count: Int(ASN1_STRING_length(data))))
            return Extension(
                oid: ObjectIdentifier.text(X509_EXTENSION_get_object(item)),
                isCritical: X509_EXTENSION_get_critical(item) == 1, value: value)
        }
    }

    /// Whether basicConstraints (RFC 5280, section 4.2.1.9) says that it is a certificate authority. False where a known extension cannot be read.
    public var isCertificateAuthority: Bool {
        let flags = X509_get_extension_flags(pointer)
        let wanted = UInt32(EXFLAG_BCONS | EXFLAG_CA)
        return flags & wanted == wanted && flags & UInt32(EXFLAG_INVALID) == 0
    }

    /// How many further authorities may follow below this one; nil where basicConstraints does not say.
    public var pathLengthConstraint: Int? {
        let length = X509_get_pathlen(pointer)
        return length < 0 ? nil : Int(length)
    }

    /// keyUsage; nil where the extension is absent, empty where it cannot be read.
    public var keyUsage: KeyUsage? {
        let usage = X509_get_key_usage(pointer)
        return usage == UInt32.max ? nil : KeyUsage(rawValue: usage)
    }

    /// Whether keyUsage allows all of `usage`; an absent extension allows everything (RFC 5280, section 4.2.1.3).
    public func allowsKeyUsage(_ usage: KeyUsage) -> Bool {
        keyUsage?.isSuperset(of: usage) ?? true
    }

    /// Object identifiers of extKeyUsage (RFC 5280, section 4.2.1.12) in dotted decimal; nil where it is absent, empty where it cannot be read.
    public var extendedKeyUsage: [String]? {
        var critical: Int32 = 0
        guard let found = X509_get_ext_d2i(pointer, NID_ext_key_usage, &critical, nil) else {
            OpenSSLErrorQueue.clear()
            return critical == -1 ? nil : []
        }
        let purposes = OpaquePointer(found)
        defer { EXTENDED_KEY_USAGE_free(purposes) }
        return (0..<max(0, broker_key_purposes_count(purposes))).map {
            ObjectIdentifier.text(broker_key_purposes_at(purposes, $0))
        }
    }
}

enum ObjectIdentifier {
    /// Dotted decimal, also for identifiers that OpenSSL has a name for.
    static func text(_ object: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let length = OBJ_obj2txt(&buffer, Int32(buffer.count), object, 1)
        guard length > 0, Int(length) < buffer.count else { return "" }
        return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
