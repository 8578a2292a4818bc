internal import COpenSSL

/// PKCS#8 keys that carry their public key (RFC 5958, section 2, version 1). OpenSSL 3.0 reads those of RFC 5208 alone.
enum AttachedPublicKey {
    /// The error of a key that could not be read, with the command that makes a plain one where this is the cause.
    static func explained(_ error: CryptoError, _ der: UnsafeRawBufferPointer, options: String) -> CryptoError {
        guard let plan = plan(der) else { return error }
        // Only what is in front of the key itself, which is the same for every key of the kind: version 0, algorithm, lengths.
        let header = plan.header.map { byte in
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        let command =
            "(printf '\(header.joined())'; openssl asn1parse \(options)-in FILE -strparse \(plan.offset) -noout -out /dev/stdout) "
            + "| openssl pkey -inform DER -out PLAIN-FILE"
        return CryptoError(
            operation: error.operation,
            reason:
                "the key has its public key attached (RFC 5958, version 1), which OpenSSL does not read; this makes a plain one: \(command)"
        )
    }

    /// Where the key's octet string starts, and what stands before its content in the structure of version 0.
    private static func plan(_ der: UnsafeRawBufferPointer) -> (offset: Int, header: [UInt8])? {
        guard let outer = element(der, at: 0), outer.tag == V_ASN1_SEQUENCE, let version = element(der, at: outer.content),
            version.tag == V_ASN1_INTEGER, version.end - version.content == 1, der[version.content] == 1,
            let algorithm = element(der, at: version.end), algorithm.tag == V_ASN1_SEQUENCE,
            let key = element(der, at: algorithm.end), key.tag == V_ASN1_OCTET_STRING
        else { return nil }
        // From the algorithm to the head of the octet string everything stays as it is.
        let body = [UInt8(V_ASN1_INTEGER), 1, 0] + der[version.end..<key.content]
        let count = body.count + key.end - key.content
        let length: [UInt8] =
            count < 128 ? [UInt8(count)] : count < 256 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
        return count < 65536 ? (algorithm.end, [0x30] + length + body) : nil
    }

    private static func element(_ der: UnsafeRawBufferPointer, at offset: Int) -> (tag: Int32, content: Int, end: Int)? {
        guard offset < der.count, let start = der.bindMemory(to: UInt8.self).baseAddress else { return nil }
        var content: UnsafePointer<UInt8>? = start + offset
        var (length, tag, tagClass): (Int, Int32, Int32) = (0, 0, 0)
        guard ASN1_get_object(&content, &length, &tag, &tagClass, der.count - offset) & 0x80 == 0, let content else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        return (tag, content - start, content - start + length)
    }
}
