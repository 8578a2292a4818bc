internal import COpenSSL

/// Reads an RSAPrivateKey (RFC 8017, appendix A.1.2) number by number.
///
/// OpenSSL's own way from DER to a key, its decoders, asks every provider about every format and takes about as long as two private operations of the key.
enum RSAPrivateKeyParsing {
    private static let operation = "reading an RSA private key"
    private static let names = [
        OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, RSAPrivateParameter.d, RSAPrivateParameter.p,
        RSAPrivateParameter.q, RSAPrivateParameter.dp, RSAPrivateParameter.dq, RSAPrivateParameter.qi,
    ]

    /// The key in `der`, which is one SEQUENCE and nothing else. Its numbers are not compared with each other. Only two primes (version 0) are accepted.
    static func key(_ der: UnsafeRawBufferPointer) throws(CryptoError) -> KeyHandle {
        var cursor = der.bindMemory(to: UInt8.self).baseAddress
        var length = 0
        var tag: Int32 = 0
        var tagClass: Int32 = 0
        guard let start = cursor,
            ASN1_get_object(&cursor, &length, &tag, &tagClass, der.count) == V_ASN1_CONSTRUCTED,
            tag == V_ASN1_SEQUENCE, tagClass == V_ASN1_UNIVERSAL, let content = cursor,
            content - start + length == der.count
        else { throw failure("not one DER sequence") }
        let end = content + length
        guard try integer(&cursor, end).isZero else { throw failure("not a key of two primes") }
        var assembly = try KeyAssembly(operation)
        for name in names {
            let number = try integer(&cursor, end)
            guard !number.isZero else { throw failure("a number is zero") }
            assembly.add(name, copyOf: number)
        }
        guard cursor == end else { throw failure("more numbers than a key of two primes has") }
        return try assembly.key(type: "RSA", hasPrivatePart: true)
    }

    /// The next INTEGER, which must not be negative.
    private static func integer(
        _ cursor: inout UnsafePointer<UInt8>?, _ end: UnsafePointer<UInt8>
    ) throws(CryptoError) -> BigNumber {
        guard let start = cursor, start < end,
            let parsed = d2i_ASN1_INTEGER(nil, &cursor, end - start)
        else { throw failure("a number is missing or no DER INTEGER") }
        // The number is private: its memory is overwritten.
        defer { ASN1_STRING_clear_free(parsed) }
        let number = try BigNumber()
        guard ASN1_STRING_type(parsed) == V_ASN1_INTEGER, ASN1_INTEGER_to_BN(parsed, number.handle) != nil else {
            throw failure("a number is negative")
        }
        return number
    }

    private static func failure(_ reason: String) -> CryptoError {
        OpenSSLErrorQueue.clear()
        return CryptoError(operation: operation, reason: reason)
    }
}
