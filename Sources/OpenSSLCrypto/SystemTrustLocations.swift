internal import COpenSSL
internal import Glibc

/// Where a system keeps its certificate authorities.
struct SystemTrustLocations {
    /// A file of all of them.
    var bundle: String?
    /// A directory of OpenSSL's hashed layout.
    var directory: String?

    /// OpenSSL's compiled-in locations, and where its file is absent the first bundle that another distribution uses (the path compiled into OpenSSL need not
    /// be the one of the image it runs in).
    static var present: SystemTrustLocations {
        let compiledFile = X509_get_default_cert_file().map { String(cString: $0) }
        let compiledDirectory = X509_get_default_cert_dir().map { String(cString: $0) }
        let bundles = [
            compiledFile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        ]
        return SystemTrustLocations(
            bundle: bundles.compactMap { $0 }.first { isFile($0) },
            directory: compiledDirectory.flatMap { isDirectory($0) ? $0 : nil })
    }

    static func isDirectory(_ path: String) -> Bool { kind(path) == S_IFDIR }

    private static func isFile(_ path: String) -> Bool { kind(path) == S_IFREG }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
