internal import COpenSSL
internal import Glibc

/// OpenSSL's store of certificate authorities.
final class StoreHandle: @unchecked Sendable {
    // Unchecked because of the pointer: filled before anybody else has it; afterwards OpenSSL guards the store, and what lookups add to it,
    // with its own lock.
    let pointer: OpaquePointer

    static let reading = "reading trusted certificates"
    /// Longest file of authorities.
    private static let maximumByteCount: off_t = 16 * 1024 * 1024

    init() throws(CryptoError) {
        OpenSSLErrorQueue.clear()
        guard let store = X509_STORE_new() else { throw OpenSSLErrorQueue.error(Self.reading, otherwise: "no memory") }
        pointer = store
    }

    deinit { X509_STORE_free(pointer) }

    /// Adds the certificates of a PEM file. Throws where it is none, is too long, has no certificate or one that cannot be read.
    func load(file: String) throws(CryptoError) {
        let operation = "\(Self.reading): \(file)"
        let status = try Self.status(of: file, operation)
        guard status.st_mode & S_IFMT == S_IFREG else { throw CryptoError(operation: operation, reason: "not a file") }
        guard status.st_size <= Self.maximumByteCount else {
            throw CryptoError(operation: operation, reason: "more than \(Self.maximumByteCount) bytes")
        }
        OpenSSLErrorQueue.clear()
        guard X509_STORE_load_file(pointer, file) == 1 else {
            if Self.reasonIsMissingBlock { throw CryptoError(operation: operation, reason: "no certificate found") }
            throw OpenSSLErrorQueue.error(operation, otherwise: "a certificate of the file cannot be read")
        }
    }

    /// Has OpenSSL look for certificates in a directory of its hashed layout.
    func load(directory: String) throws(CryptoError) {
        let operation = "\(Self.reading): \(directory)"
        guard try Self.status(of: directory, operation).st_mode & S_IFMT == S_IFDIR else {
            throw CryptoError(operation: operation, reason: "not a directory")
        }
        OpenSSLErrorQueue.clear()
        guard X509_STORE_load_path(pointer, directory) == 1 else {
            throw OpenSSLErrorQueue.error(operation, otherwise: "the directory cannot be used")
        }
    }

    /// Whether OpenSSL found no certificate at all, as opposed to one that it cannot read.
    private static var reasonIsMissingBlock: Bool {
        let code = ERR_peek_last_error()
        let isEnd = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE
        return isEnd || ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND
    }

    /// What is at `path`. Opened without blocking: OpenSSL would wait for ever for the writer of a FIFO.
    private static func status(of path: String, _ operation: String) throws(CryptoError) -> stat {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw CryptoError(operation: operation, reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CryptoError(operation: operation, reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
        return status
    }
}

/// Where a system keeps its certificate authorities.
struct SystemAuthorities {
    /// A file of all of them; nil where there is a directory.
    var file: String?
    /// A directory of OpenSSL's hashed layout.
    var directory: String?

    /// OpenSSL's compiled-in directory, of which it reads what a chain asks for; where nobody filled it, its compiled-in file or the first
    /// bundle that another
    /// distribution uses (the path compiled into OpenSSL need not be the one of the image it runs in).
    static var present: SystemAuthorities {
        if let directory = X509_get_default_cert_dir().map({ String(cString: $0) }), hasHashedNames(directory) {
            return SystemAuthorities(directory: directory)
        }
        let bundles = [
            X509_get_default_cert_file().map { String(cString: $0) }, "/etc/ssl/certs/ca-certificates.crt",
            "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        ]
        return SystemAuthorities(file: bundles.compactMap(\.self).first { access($0, R_OK) == 0 })
    }

    /// Whether a name in the directory ends like `002c0b4f.0`.
    private static func hasHashedNames(_ directory: String) -> Bool {
        guard let handle = opendir(directory) else { return false }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                $0.prefix { $0 != 0 }.suffix(2) == [UInt8(ascii: "."), UInt8(ascii: "0")]
            }
            if name { return true }
        }
        return false
    }
}
