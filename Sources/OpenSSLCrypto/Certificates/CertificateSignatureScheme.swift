internal import COpenSSL

extension Certificate {
    /// How a certificate was signed, so that a caller can insist on one scheme.
    package enum SignatureScheme: Equatable, Sendable {
        case rsaPKCS1(DigestAlgorithm)
        /// RSASSA-PSS (RFC 4055); members that are absent have their default values here.
        case rsaPSS(digest: DigestAlgorithm, mgf1: DigestAlgorithm, saltLength: Int, trailerField: Int)
        case ecdsa(DigestAlgorithm)
        /// Anything else; the object identifier, with a remark where its parameters cannot be read.
        case other(String)
    }

    /// The outer signature algorithm. OpenSSL checks that the signed one is the same when it checks the signature.
    package var signatureScheme: SignatureScheme {
        var algorithm: UnsafePointer<X509_ALGOR>?
        X509_get0_signature(nil, &algorithm, pointer)
        return SignatureScheme(algorithm)
    }
}

extension Certificate.SignatureScheme {
    init(_ algorithm: UnsafePointer<X509_ALGOR>?) {
        self = Self.read(algorithm)
    }

    private static func read(_ algorithm: UnsafePointer<X509_ALGOR>?) -> Self {
        var object: OpaquePointer?
        var parameterType: Int32 = 0
        var parameter: UnsafeRawPointer?
        X509_ALGOR_get0(&object, &parameterType, &parameter, algorithm)
        let identifier = OBJ_obj2nid(object)
        if identifier == NID_rsassaPss {
            let scheme = parameterType == V_ASN1_SEQUENCE ? PSSParameters.scheme(parameter) : nil
            return scheme ?? .other(ObjectIdentifier.text(object) + " with unreadable parameters")
        }
        var digest: Int32 = 0
        var key: Int32 = 0
        guard OBJ_find_sigid_algs(identifier, &digest, &key) == 1, let algorithm = DigestAlgorithm(nid: digest) else {
            return .other(ObjectIdentifier.text(object))
        }
        return switch key {
        case NID_rsaEncryption: .rsaPKCS1(algorithm)
        case NID_X9_62_id_ecPublicKey: .ecdsa(algorithm)
        default: .other(ObjectIdentifier.text(object))
        }
    }
}

/// RSASSA-PSS-params (RFC 4055, section 3.1).
private enum PSSParameters {
    static func scheme(_ parameter: UnsafeRawPointer?) -> Certificate.SignatureScheme? {
        let encoded = parameter?.assumingMemoryBound(to: ASN1_STRING.self)
        guard let parameters = decode(encoded, d2i_RSA_PSS_PARAMS) else { return nil }
        defer { RSA_PSS_PARAMS_free(parameters) }
        guard let digest = digest(parameters.pointee.hashAlgorithm), let mgf1 = mgf1(parameters.pointee.maskGenAlgorithm),
            let salt = integer(parameters.pointee.saltLength, default: 20),
            let trailer = integer(parameters.pointee.trailerField, default: 1)
        else { return nil }
        return .rsaPSS(digest: digest, mgf1: mgf1, saltLength: salt, trailerField: trailer)
    }

    private static func digest(_ algorithm: UnsafeMutablePointer<X509_ALGOR>?) -> DigestAlgorithm? {
        guard let algorithm else { return .sha1 }
        return DigestAlgorithm(nid: OBJ_obj2nid(algorithm.pointee.algorithm))
    }

    private static func mgf1(_ algorithm: UnsafeMutablePointer<X509_ALGOR>?) -> DigestAlgorithm? {
        guard let algorithm else { return .sha1 }
        guard OBJ_obj2nid(algorithm.pointee.algorithm) == NID_mgf1, let parameter = algorithm.pointee.parameter,
            parameter.pointee.type == V_ASN1_SEQUENCE, let hash = decode(UnsafePointer(parameter.pointee.value.sequence), d2i_X509_ALGOR)
        else { return nil }
        defer { X509_ALGOR_free(hash) }
        return digest(hash)
    }

    private static func integer(_ number: UnsafeMutablePointer<ASN1_INTEGER>?, default: Int) -> Int? {
        guard let number else { return `default` }
        var value: Int64 = 0
        guard ASN1_INTEGER_get_int64(&value, number) == 1 else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        return Int(exactly: value)
    }

    /// Decodes the whole content of an ASN.1 string.
    private static func decode<Value>(
        _ string: UnsafePointer<ASN1_STRING>?,
        _ decoder: (UnsafeMutablePointer<UnsafeMutablePointer<Value>?>?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, Int) ->
            UnsafeMutablePointer<Value>?
    ) -> UnsafeMutablePointer<Value>? {
        guard let string, let start = ASN1_STRING_get0_data(string) else { return nil }
        var cursor: UnsafePointer<UInt8>? = start
        let value = decoder(nil, &cursor, Int(ASN1_STRING_length(string)))
        if value == nil { OpenSSLErrorQueue.clear() }
        return value
    }
}
