internal import OpenSSLCrypto
internal import COpenSSL

extension CertificateBuilder {
    func addExtensions(to certificate: OpaquePointer, publicKey: PublicKey, issuerKey: PublicKey) throws(CryptoError) {
        if let isCertificateAuthority { try addBasicConstraints(isCertificateAuthority, to: certificate) }
        if !keyUsage.isEmpty { try addKeyUsage(to: certificate) }
        if !extendedKeyUsage.isEmpty { try addExtendedKeyUsage(to: certificate) }
        if !dnsNames.isEmpty { try addAlternativeNames(to: certificate) }
        if includesKeyIdentifiers ?? (isCertificateAuthority != nil) {
            try addKeyIdentifiers(to: certificate, publicKey: publicKey, issuerKey: issuerKey)
        }
        for item in extraExtensions { try add(item, to: certificate) }
    }

    private func add(_ identifier: Int32, _ value: UnsafeMutableRawPointer, critical: Bool, to certificate: OpaquePointer)
        throws(CryptoError)
    {
        guard X509_add1_ext_i2d(certificate, identifier, value, critical ? 1 : 0, 0) == 1 else {
            throw Self.failure("an extension cannot be written")
        }
    }

    private func addBasicConstraints(_ isAuthority: Bool, to certificate: OpaquePointer) throws(CryptoError) {
        guard let constraints = BASIC_CONSTRAINTS_new() else { throw Self.failure("no memory") }
        defer { BASIC_CONSTRAINTS_free(constraints) }
        constraints.pointee.ca = isAuthority ? 0xFF : 0
        if isAuthority, let pathLength {
            guard let length = ASN1_INTEGER_new() else { throw Self.failure("no memory") }
            constraints.pointee.pathlen = length
            guard ASN1_INTEGER_set_int64(length, Int64(pathLength)) == 1 else { throw Self.failure("no memory") }
        }
        try add(NID_basic_constraints, constraints, critical: true, to: certificate)
    }

    private func addKeyUsage(to certificate: OpaquePointer) throws(CryptoError) {
        guard let bits = ASN1_BIT_STRING_new() else { throw Self.failure("no memory") }
        defer { ASN1_BIT_STRING_free(bits) }
        // Bit 0 of the bit string is the highest bit of its first byte; decipherOnly is bit 8.
        for bit in 0..<9 {
            let flag: UInt32 = bit < 8 ? 0x80 >> UInt32(bit) : UInt32(KU_DECIPHER_ONLY)
            guard keyUsage.rawValue & flag != 0 else { continue }
            guard ASN1_BIT_STRING_set_bit(bits, Int32(bit), 1) == 1 else { throw Self.failure("no memory") }
        }
        try add(NID_key_usage, bits, critical: true, to: certificate)
    }

    private func addExtendedKeyUsage(to certificate: OpaquePointer) throws(CryptoError) {
        guard let purposes = broker_key_purposes_new() else { throw Self.failure("no memory") }
        defer { EXTENDED_KEY_USAGE_free(purposes) }
        for oid in extendedKeyUsage {
            let object = try Self.object(oid)
            guard broker_key_purposes_push(purposes, object) > 0 else {
                ASN1_OBJECT_free(object)
                throw Self.failure("no memory")
            }
        }
        try add(NID_ext_key_usage, UnsafeMutableRawPointer(purposes), critical: false, to: certificate)
    }

    private func addAlternativeNames(to certificate: OpaquePointer) throws(CryptoError) {
        guard let names = GENERAL_NAMES_new() else { throw Self.failure("no memory") }
        defer { GENERAL_NAMES_free(names) }
        for text in dnsNames {
            let name = try Self.generalName(text)
            guard broker_general_names_push(names, name) > 0 else {
                GENERAL_NAME_free(name)
                throw Self.failure("no memory")
            }
        }
        try add(NID_subject_alt_name, UnsafeMutableRawPointer(names), critical: false, to: certificate)
    }

    private static func generalName(_ text: String) throws(CryptoError) -> UnsafeMutablePointer<GENERAL_NAME> {
        guard let name = GENERAL_NAME_new() else { throw failure("no memory") }
        if let address = a2i_IPADDRESS(text) {
            GENERAL_NAME_set0_value(name, GEN_IPADD, address)
            return name
        }
        OpenSSLErrorQueue.clear()
        let isName = text.utf8.allSatisfy { (0x21...0x7E).contains($0) } && (1...253).contains(text.utf8.count)
        guard isName, let string = ASN1_IA5STRING_new() else {
            GENERAL_NAME_free(name)
            throw failure("a DNS name is empty, too long or not ASCII")
        }
        ASN1_STRING_set(string, text, Int32(text.utf8.count))
        GENERAL_NAME_set0_value(name, GEN_DNS, string)
        return name
    }

    /// Both identifiers are the SHA-1 of the key (RFC 5280, section 4.2.1.2, method 1), so that issuers made here fit.
    private func addKeyIdentifiers(to certificate: OpaquePointer, publicKey: PublicKey, issuerKey: PublicKey) throws(CryptoError) {
        let own = try Self.octets(try Self.keyIdentifier(publicKey))
        defer { ASN1_OCTET_STRING_free(own) }
        try add(NID_subject_key_identifier, own, critical: false, to: certificate)
        guard let authority = AUTHORITY_KEYID_new() else { throw Self.failure("no memory") }
        defer { AUTHORITY_KEYID_free(authority) }
        authority.pointee.keyid = try Self.octets(try Self.keyIdentifier(issuerKey))
        try add(NID_authority_key_identifier, authority, critical: false, to: certificate)
    }

    private func add(_ item: (oid: String, critical: Bool, value: [UInt8]), to certificate: OpaquePointer) throws(CryptoError) {
        let object = try Self.object(item.oid)
        defer { ASN1_OBJECT_free(object) }
        let value = try Self.octets(item.value)
        defer { ASN1_OCTET_STRING_free(value) }
        guard let made = X509_EXTENSION_create_by_OBJ(nil, object, item.critical ? 1 : 0, value) else {
            throw Self.failure("the extension \(item.oid) cannot be written")
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else { throw Self.failure("the extension \(item.oid) cannot be written") }
    }

    private static func keyIdentifier(_ key: PublicKey) throws(CryptoError) -> [UInt8] {
        var holder: OpaquePointer?
        guard X509_PUBKEY_set(&holder, key.handle.pointer) == 1, let holder else { throw failure("no memory") }
        defer { X509_PUBKEY_free(holder) }
        var bits: UnsafePointer<UInt8>?
        var count: Int32 = 0
        guard X509_PUBKEY_get0_param(nil, &bits, &count, nil, holder) == 1 else { throw failure("no memory") }
        return DigestAlgorithm.sha1.digest(UnsafeRawBufferPointer(start: bits, count: Int(count)))
    }

    private static func octets(_ bytes: [UInt8]) throws(CryptoError) -> UnsafeMutablePointer<ASN1_OCTET_STRING> {
        guard let string = ASN1_OCTET_STRING_new() else { throw failure("no memory") }
        guard ASN1_OCTET_STRING_set(string, bytes, Int32(bytes.count)) == 1 else {
            ASN1_OCTET_STRING_free(string)
            throw failure("no memory")
        }
        return string
    }

    private static func object(_ oid: String) throws(CryptoError) -> OpaquePointer {
        guard let object = OBJ_txt2obj(oid, 1) else { throw failure("\(oid) is not an object identifier") }
        return object
    }
}
