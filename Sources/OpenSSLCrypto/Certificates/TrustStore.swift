internal import COpenSSL

/// Certificate authorities that are believed. Immutable; may be used from several threads.
package final class TrustStore: Sendable {
    private let store: StoreHandle
    private let hasDirectories: Bool

    /// More intermediates than any real chain has.
    package static let maximumIntermediateCount = 16

    /// Trusts the certificates of PEM files, those in directories of OpenSSL's hashed layout (`openssl rehash`), and the system's default
    /// locations where asked
    /// for.
    ///
    /// Files are read now; OpenSSL looks into a directory when a chain asks for a name. Does not look at `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR`: the caller passes
    /// them. Throws where a file or directory cannot be used, or where nothing is trusted at all.
    package convenience init(files: [String], directories: [String], includesSystemDefaults: Bool) throws(CryptoError) {
        guard includesSystemDefaults || !files.isEmpty || !directories.isEmpty else {
            throw CryptoError(operation: StoreHandle.reading, reason: "no certificate authority is trusted")
        }
        try self.init(files: files, directories: directories, system: includesSystemDefaults ? .present : nil)
    }

    init(files: [String], directories: [String], system: SystemAuthorities?) throws(CryptoError) {
        if let system, system.file == nil, system.directory == nil, files.isEmpty, directories.isEmpty {
            throw CryptoError(
                operation: StoreHandle.reading, reason: "this system has no certificate authorities (package ca-certificates is missing)")
        }
        let store = try StoreHandle()
        for file in files { try store.load(file: file) }
        if let file = system?.file { try store.load(file: file) }
        let directories = directories + [system?.directory].compactMap(\.self)
        for directory in directories { try store.load(directory: directory) }
        hasDirectories = !directories.isEmpty
        self.store = store
    }

    /// Trusts exactly these self-signed certificates.
    package init(roots: [Certificate]) throws(CryptoError) {
        let store = try StoreHandle()
        for root in roots {
            guard X509_STORE_add_cert(store.pointer, root.pointer) == 1 else {
                throw OpenSSLErrorQueue.error(StoreHandle.reading, otherwise: "a certificate cannot be added")
            }
        }
        hasDirectories = false
        self.store = store
    }

    /// Number of certificates; nil where there are directories, of which OpenSSL reads what a chain asks for.
    package var certificateCount: Int? { hasDirectories ? nil : Int(max(0, broker_store_count(store.pointer))) }

    /// OpenSSL's `X509_STORE`, for its TLS. It lives as long as this object.
    package var openSSLStore: UnsafeMutableRawPointer { UnsafeMutableRawPointer(store.pointer) }

    /// Builds a chain from `leaf` over any of `intermediates` to a trusted root and checks it at `time` (seconds since 1970).
    ///
    /// With a `host` the leaf must be a TLS server certificate for that DNS name or IP address. Keys and signatures below 112 bits of
    /// strength are refused.
    /// The error says what is wrong: an untrusted root, a missing intermediate, an expired certificate, a host mismatch.
    package func verify(leaf: Certificate, intermediates: [Certificate], host: String?, at time: Int64) throws(CryptoError) {
        guard intermediates.count <= Self.maximumIntermediateCount else {
            throw CryptoError(operation: Self.checking, reason: "more than \(Self.maximumIntermediateCount) intermediates")
        }
        OpenSSLErrorQueue.clear()
        guard let chain = broker_x509_stack_new() else { throw OpenSSLErrorQueue.error(Self.checking, otherwise: "no memory") }
        defer { broker_x509_stack_free(chain) }
        for certificate in intermediates {
            guard broker_x509_stack_push(chain, certificate.pointer) > 0 else {
                throw OpenSSLErrorQueue.error(Self.checking, otherwise: "no memory")
            }
        }
        guard let context = X509_STORE_CTX_new() else { throw OpenSSLErrorQueue.error(Self.checking, otherwise: "no memory") }
        defer { X509_STORE_CTX_free(context) }
        guard X509_STORE_CTX_init(context, store.pointer, leaf.pointer, chain) == 1,
            configure(X509_STORE_CTX_get0_param(context), host: host, time: time)
        else { throw OpenSSLErrorQueue.error(Self.checking, otherwise: "the host name or the time is not usable") }
        let status = X509_verify_cert(context)
        let code = X509_STORE_CTX_get_error(context)
        OpenSSLErrorQueue.clear()
        guard status == 1, code == X509_V_OK else {
            throw CryptoError(operation: Self.checking, reason: ChainFault.words(code, at: X509_STORE_CTX_get_current_cert(context), host))
        }
    }

    private func configure(_ parameters: OpaquePointer?, host: String?, time: Int64) -> Bool {
        guard let parameters, let time = time_t(exactly: time) else { return false }
        X509_VERIFY_PARAM_set_time(parameters, time)
        X509_VERIFY_PARAM_set_auth_level(parameters, 2)
        X509_VERIFY_PARAM_set_depth(parameters, Int32(Self.maximumIntermediateCount))
        guard let host else { return X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY) == 1 }
        guard HostMatching.isHost(host) else { return false }
        X509_VERIFY_PARAM_set_hostflags(parameters, HostMatching.flags)
        let isNamed =
            SubjectAddress.isLiteral(host)
            ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host) : X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count)
        return isNamed == 1 && X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) == 1
    }

    private static let checking = "checking a certificate chain"
}
