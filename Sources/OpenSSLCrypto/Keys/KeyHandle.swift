internal import COpenSSL

/// A shared reference to an OpenSSL key.
package final class KeyHandle: @unchecked Sendable {
    // Unchecked because of the pointer: the key is complete when it arrives here and is only read afterwards, which OpenSSL allows from
    // several threads.
    package let pointer: OpaquePointer

    /// Takes over `pointer`.
    package init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// The key's type, with its size or curve. A curve that is written out in numbers does not count as the curve it resembles.
    package var kind: PublicKey.Kind {
        if EVP_PKEY_is_a(pointer, "RSA") == 1 { return .rsa(bits: Int(EVP_PKEY_get_bits(pointer))) }
        if EVP_PKEY_is_a(pointer, "EC") == 1 {
            var explicit: Int32 = 0
            let isStated = EVP_PKEY_get_int_param(pointer, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit)
            if isStated != 1 { OpenSSLErrorQueue.clear() }
            if let name = text(OSSL_PKEY_PARAM_GROUP_NAME), isStated != 1 || explicit == 0 {
                if let curve = EllipticCurve.allCases.first(where: { $0.groupName == name }) { return .ec(curve) }
                return .other("EC " + name)
            }
            return .other("EC with explicit parameters")
        }
        return .other(EVP_PKEY_get0_type_name(pointer).map { String(cString: $0) } ?? "unknown")
    }

    /// One of the key's numbers; nil where it has no such number.
    func number(_ name: String) -> BigNumber? {
        // OpenSSL fills a number that it is given, which is how private ones come to lie in its secure heap.
        guard let number = try? BigNumber() else { return nil }
        var filled: OpaquePointer? = number.handle
        guard EVP_PKEY_get_bn_param(pointer, name, &filled) == 1 else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        return number
    }

    /// Both numbers of an RSA key's public half.
    var rsaNumbers: RSAPublicNumbers? {
        guard let n = number(OSSL_PKEY_PARAM_RSA_N), let e = number(OSSL_PKEY_PARAM_RSA_E) else { return nil }
        return RSAPublicNumbers(n: n.bytes, e: e.bytes)
    }

    /// The coordinates of an EC key's public point, each of the curve's size.
    var ecPoint: (x: [UInt8], y: [UInt8])? {
        guard case .ec(let curve) = kind, let x = number(OSSL_PKEY_PARAM_EC_PUB_X)?.bytes(count: curve.coordinateByteCount),
            let y = number(OSSL_PKEY_PARAM_EC_PUB_Y)?.bytes(count: curve.coordinateByteCount)
        else { return nil }
        return (x, y)
    }

    /// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7).
    var subjectPublicKeyInfo: [UInt8]? {
        let length = i2d_PUBKEY(pointer, nil)
        guard length > 0 else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { output, count in
            var cursor = output.baseAddress
            count = max(0, Int(i2d_PUBKEY(pointer, &cursor)))
        }
    }

    private func text(_ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_utf8_string_param(pointer, name, &buffer, buffer.count, &length) == 1 else {
            OpenSSLErrorQueue.clear()
            return nil
        }
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
