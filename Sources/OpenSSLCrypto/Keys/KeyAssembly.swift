internal import COpenSSL

/// Collects the numbers of a key and has OpenSSL make a key of them.
struct KeyAssembly: ~Copyable {
    private let parameters: OpaquePointer
    private let operation: String
    // OpenSSL only notes where numbers, texts and the names of parameters are, and reads them when the key is made.
    private var numbers: [OpaquePointer] = []
    private var texts: [UnsafeMutableRawBufferPointer] = []
    private var isComplete = true

    init(_ operation: String) throws(CryptoError) {
        guard let parameters = OSSL_PARAM_BLD_new() else { throw OpenSSLErrorQueue.error(operation, otherwise: "no memory") }
        self.parameters = parameters
        self.operation = operation
    }

    deinit {
        OSSL_PARAM_BLD_free(parameters)
        for number in numbers { BN_clear_free(number) }
        for text in texts { text.deallocate() }
    }

    /// Adds a number, of which it keeps a copy.
    mutating func add(_ name: String, copyOf number: borrowing BigNumber) {
        guard let copy = BN_secure_new() else {
            isComplete = false
            return
        }
        numbers.append(copy)
        isComplete = BN_copy(copy, number.handle) != nil && OSSL_PARAM_BLD_push_BN(parameters, keep(name), copy) == 1 && isComplete
    }

    /// Adds the numbers of an RSA private key with two primes.
    mutating func add(
        n: borrowing BigNumber, e: borrowing BigNumber, d: borrowing BigNumber, p: borrowing BigNumber, q: borrowing BigNumber,
        dp: borrowing BigNumber, dq: borrowing BigNumber, qi: borrowing BigNumber
    ) {
        add(OSSL_PKEY_PARAM_RSA_N, copyOf: n)
        add(OSSL_PKEY_PARAM_RSA_E, copyOf: e)
        add(RSAPrivateParameter.d, copyOf: d)
        add(RSAPrivateParameter.p, copyOf: p)
        add(RSAPrivateParameter.q, copyOf: q)
        add(RSAPrivateParameter.dp, copyOf: dp)
        add(RSAPrivateParameter.dq, copyOf: dq)
        add(RSAPrivateParameter.qi, copyOf: qi)
    }

    /// Adds a public point in its uncompressed form, and the curve it lies on.
    mutating func add(curve: EllipticCurve, point: [UInt8]) {
        let point = keep(point)
        isComplete =
            OSSL_PARAM_BLD_push_utf8_string(parameters, keep(OSSL_PKEY_PARAM_GROUP_NAME), keep(curve.groupName), 0) == 1
            && OSSL_PARAM_BLD_push_octet_string(parameters, keep(OSSL_PKEY_PARAM_PUB_KEY), point.baseAddress, point.count) == 1
            && isComplete
    }

    private mutating func keep(_ text: String) -> UnsafePointer<CChar>? {
        UnsafePointer(keep(Array(text.utf8) + [0]).bindMemory(to: CChar.self).baseAddress)
    }

    private mutating func keep(_ bytes: [UInt8]) -> UnsafeMutableRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        texts.append(copy)
        return copy
    }

    /// Makes the key. A point that is not on its curve is refused here.
    func key(type: String, hasPrivatePart: Bool) throws(CryptoError) -> KeyHandle {
        OpenSSLErrorQueue.clear()
        guard isComplete, let list = OSSL_PARAM_BLD_to_param(parameters) else { throw failure }
        defer { OSSL_PARAM_free(list) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw failure }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        let selection = hasPrivatePart ? KeyAssembly.keyPair : KeyAssembly.publicKey
        guard EVP_PKEY_fromdata_init(context) == 1, EVP_PKEY_fromdata(context, &key, selection, list) == 1, let key else { throw failure }
        return KeyHandle(owning: key)
    }

    private var failure: CryptoError { OpenSSLErrorQueue.error(operation, otherwise: "the numbers do not make a key") }

    // EVP_PKEY_PUBLIC_KEY and EVP_PKEY_KEYPAIR are macros made of other macros, which Swift does not see.
    private static let publicKey = OSSL_KEYMGMT_SELECT_ALL_PARAMETERS | OSSL_KEYMGMT_SELECT_PUBLIC_KEY
    static let keyPair = publicKey | OSSL_KEYMGMT_SELECT_PRIVATE_KEY
}
