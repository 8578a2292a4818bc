internal import COpenSSL

/// ECDSA signatures between the raw `r || s` of JOSE and AMD and the DER of OpenSSL.
enum RawECDSASignature {
    /// DER of a raw signature; nil for a wrong length. The values of r and s are OpenSSL's to judge.
    static func der(_ raw: [UInt8], _ curve: EllipticCurve) -> [UInt8]? {
        let size = curve.coordinateByteCount
        guard raw.count == 2 * size, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        let isSet = raw.withUnsafeBufferPointer { bytes in
            let half = bytes.baseAddress.map { $0 + size }
            guard let r = BN_bin2bn(bytes.baseAddress, Int32(size), nil) else { return false }
            guard let s = BN_bin2bn(half, Int32(size), nil), ECDSA_SIG_set0(signature, r, s) == 1 else {
                BN_free(r)
                return false
            }
            return true
        }
        guard isSet else { return nil }
        let length = i2d_ECDSA_SIG(signature, nil)
        guard length > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { output, count in
            var cursor = output.baseAddress
            count = max(0, Int(i2d_ECDSA_SIG(signature, &cursor)))
        }
    }

    /// Raw form of a DER signature that OpenSSL made.
    static func raw(_ der: [UInt8], _ curve: EllipticCurve) -> [UInt8]? {
        let size = curve.coordinateByteCount
        let signature = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var cursor = bytes.baseAddress
            return d2i_ECDSA_SIG(nil, &cursor, bytes.count)
        }
        guard let signature else { return nil }
        defer { ECDSA_SIG_free(signature) }
        return [UInt8](unsafeUninitializedCapacity: 2 * size) { output, count in
            let half = output.baseAddress.map { $0 + size }
            let isWritten =
                BN_bn2binpad(ECDSA_SIG_get0_r(signature), output.baseAddress, Int32(size)) == size
                && BN_bn2binpad(ECDSA_SIG_get0_s(signature), half, Int32(size)) == size
            count = isWritten ? 2 * size : 0
        }
    }
}
