internal import COpenSSL

/// The numbers of an EC private key on one of the NIST curves. They belong together: the point is d·G.
struct CurveKeyNumbers: ~Copyable {
    let curve: EllipticCurve
    let d: BigNumber
    /// The public point, big-endian, each coordinate of the curve's size.
    let x, y: [UInt8]

    /// The key of the private number `d`. Where a point is given, in any form of SEC 1, section 2.3.3, it must be the one that belongs to `d`.
    init(
        _ curve: EllipticCurve, d: consuming BigNumber, point: [UInt8]?, _ operation: String
    ) throws(CryptoError) {
        func failure(_ reason: String) -> CryptoError {
            OpenSSLErrorQueue.clear()
            return CryptoError(operation: operation, reason: reason)
        }
        guard let context = BN_CTX_secure_new() else { throw failure("no memory") }
        defer { BN_CTX_free(context) }
        guard let group = EC_GROUP_new_by_curve_name(curve.identifier) else { throw failure("no memory") }
        defer { EC_GROUP_free(group) }
        guard !d.isZero, BN_cmp(d.handle, EC_GROUP_get0_order(group)) < 0 else {
            throw failure("the private number is not one of \(curve.rawValue)")
        }
        guard let product = EC_POINT_new(group) else { throw failure("no memory") }
        defer { EC_POINT_clear_free(product) }
        guard EC_POINT_mul(group, product, d.handle, nil, nil, context) == 1 else { throw failure("no memory") }
        if let point {
            guard let given = EC_POINT_new(group) else { throw failure("no memory") }
            defer { EC_POINT_free(given) }
            guard EC_POINT_oct2point(group, given, point, point.count, context) == 1 else {
                throw failure("the public point is not on \(curve.rawValue)")
            }
            guard EC_POINT_cmp(group, product, given, context) == 0 else {
                throw failure("the public point does not belong to the private number")
            }
        }
        let first = try BigNumber()
        let second = try BigNumber()
        guard EC_POINT_get_affine_coordinates(group, product, first.handle, second.handle, context) == 1,
            let x = first.bytes(count: curve.coordinateByteCount),
            let y = second.bytes(count: curve.coordinateByteCount)
        else { throw failure("the public point has no coordinates") }
        self.curve = curve
        self.d = d
        self.x = x
        self.y = y
    }

    /// Reads an ECPrivateKey (RFC 5915): `der` is one SEQUENCE and nothing else. The curve is named inside, or by `known` around it; two names must be the same.
    init(der: UnsafeRawBufferPointer, on known: EllipticCurve? = nil, _ operation: String) throws(CryptoError) {
        var reader = try DERReader.sequence(in: der, operation)
        guard try reader.integer().isOne else { throw reader.failure("not version 1 of an EC key") }
        let number = try reader.element(V_ASN1_OCTET_STRING)
        var named = known
        if let parameters = try reader.optional(0, of: V_ASN1_CONTEXT_SPECIFIC, isConstructed: true) {
            var inner = DERReader(parameters, operation)
            let name = try inner.element(V_ASN1_OBJECT)
            try inner.requireEnd()
            named = EllipticCurve.allCases.first { $0.isNamed(by: name) }
            guard known == nil || named == known else { throw reader.failure("the key names two curves") }
        }
        guard let curve = named else {
            throw reader.failure("the key names no curve that is supported, which are P-256, P-384 and P-521")
        }
        // RFC 5915 wants the curve's size; some writers drop leading zeros.
        guard number.count <= curve.coordinateByteCount else { throw reader.failure("the private number is too long") }
        let d = try BigNumber(number)
        var point: [UInt8]?
        if let bits = try reader.optional(1, of: V_ASN1_CONTEXT_SPECIFIC, isConstructed: true) {
            var inner = DERReader(bits, operation)
            let text = try inner.element(V_ASN1_BIT_STRING)
            try inner.requireEnd()
            // The first byte counts the bits of the last one that do not belong to the point.
            guard text.first == 0 else { throw reader.failure("the public point is not made of whole bytes") }
            point = Array(text.dropFirst())
        }
        try reader.requireEnd()
        try self.init(curve, d: d, point: point, operation)
    }

    /// The numbers of a JWK, each exactly of the curve's size.
    init(
        _ curve: EllipticCurve, d: [UInt8], x: [UInt8], y: [UInt8], _ operation: String
    ) throws(CryptoError) {
        let size = curve.coordinateByteCount
        guard [d, x, y].allSatisfy({ $0.count == size }) else {
            throw CryptoError(operation: operation, reason: "a number of a \(curve.rawValue) key is not \(size) bytes")
        }
        try self.init(curve, d: try BigNumber(d), point: [0x04] + x + y, operation)
    }

    /// The numbers of OpenSSL's key.
    init(_ key: KeyHandle, on curve: EllipticCurve, _ operation: String) throws(CryptoError) {
        guard let d = key.number(OSSL_PKEY_PARAM_PRIV_KEY), let (x, y) = key.ecPoint else {
            throw CryptoError(operation: operation, reason: "the EC key lacks its private number or its point")
        }
        try self.init(curve, d: d, point: [0x04] + x + y, operation)
    }

    /// OpenSSL's key of these numbers.
    borrowing func key(_ operation: String) throws(CryptoError) -> KeyHandle {
        var assembly = try KeyAssembly(operation)
        assembly.add(curve: curve, point: [0x04] + x + y)
        assembly.add(OSSL_PKEY_PARAM_PRIV_KEY, copyOf: d)
        return try assembly.key(type: "EC", hasPrivatePart: true)
    }
}
