internal import COpenSSL

/// The libcrypto that this process runs with, which need not be the one that it was built against.
package enum OpenSSLVersion {
    /// Three numbers with dots.
    package static var text: String { OpenSSL_version(OPENSSL_VERSION_STRING).map { String(cString: $0) } ?? "unknown" }
}
