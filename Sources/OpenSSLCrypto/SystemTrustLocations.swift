internal import COpenSSL
internal import Glibc

/// Where systems keep their certificate authorities.
enum SystemTrustLocations {
    /// OpenSSL's compiled-in locations, and where its file is absent the first bundle that another distribution uses (the path compiled into OpenSSL need not
    /// be the one of the image it runs in).
    static var present: (files: [String], directories: [String]) {
        let compiledFile = X509_get_default_cert_file().map { String(cString: $0) }
        let compiledDirectory = X509_get_default_cert_dir().map { String(cString: $0) }
        let bundles = [
            compiledFile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        ]
        let file = bundles.compactMap { $0 }.first { isFile($0) }
        return (file.map { [$0] } ?? [], compiledDirectory.map { isDirectory($0) ? [$0] : [] } ?? [])
    }

    static func isDirectory(_ path: String) -> Bool { kind(path) == S_IFDIR }

    private static func isFile(_ path: String) -> Bool { kind(path) == S_IFREG }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
