internal import CCurl
internal import CCurlShims
internal import Glibc
internal import HTTPTransport

/// The certificate authorities of a transport, in the form that libcurl takes.
///
/// `CURLOPT_CAINFO` names one file and replaces the built-in bundle. To believe further files *in addition*, the bundle and the files are joined into one PEM
/// document. It is kept in an anonymous file (`memfd_create`) and named as `/proc/self/fd/N` rather than passed as `CURLOPT_CAINFO_BLOB`: libcurl parses a CA
/// *file* once per day and shares the result between connections, but parses a blob, 140 certificates with Debian's bundle, for each connection, and copies
/// it into each. Where there is no such file, the blob is what remains.
///
/// libcurl's directory (`CURLOPT_CAPATH`) also has a default, and turns that sharing off. It is therefore taken away unless directories were asked for, or the
/// bundle is missing; Debian makes both from the same list. Several directories are separated by ':', as OpenSSL reads them.
final class TrustMaterial: Sendable {
    private enum Authorities: Sendable {
        case none
        /// A file that somebody else maintains.
        case file(String)
        case anonymousFile(descriptor: Int32)
        case memory([UInt8])
    }

    private let authorities: Authorities
    private let directories: String?

    private static let maximumFileBytes = 16 << 20

    /// `usingAnonymousFile` is false in tests of the other way.
    init(_ trust: TLSTrust, usingAnonymousFile: Bool = true) throws(HTTPTransportError) {
        var directories = trust.directories
        var documents: [[UInt8]] = []
        var bundle: String?
        if trust.includesSystemDefaults {
            let defaults = Self.systemDefaults()
            if let path = defaults.bundle, access(path, R_OK) == 0 {
                bundle = path
            } else if let directory = defaults.directory {
                directories.insert(directory, at: 0)
            }
        }
        if let bundle, !trust.files.isEmpty { documents.append(try Self.read(bundle)) }
        for file in trust.files { documents.append(try Self.read(file)) }
        self.directories = directories.isEmpty ? nil : directories.joined(separator: ":")
        if documents.isEmpty {
            authorities = bundle.map(Authorities.file) ?? .none
        } else {
            let joined = Array(documents.joined(separator: [UInt8(ascii: "\n")]))
            let descriptor = usingAnonymousFile ? Self.anonymousFile(joined) : nil
            authorities = descriptor.map { .anonymousFile(descriptor: $0) } ?? .memory(joined)
        }
    }

    deinit {
        if case .anonymousFile(let descriptor) = authorities { close(descriptor) }
    }

    func apply(to options: EasyOptions) {
        switch authorities {
        case .none: setFile(nil, options)
        case .file(let path): setFile(path, options)
        case .anonymousFile(let descriptor): setFile("/proc/self/fd/\(descriptor)", options)
        case .memory(let document):
            options.set(CURLOPT_CAINFO_BLOB, copying: document)
            options.set(CURLOPT_PROXY_CAINFO_BLOB, copying: document)
        }
        options.set(CURLOPT_CAPATH, directories)
        options.set(CURLOPT_PROXY_CAPATH, directories)
    }

    private func setFile(_ path: String?, _ options: EasyOptions) {
        options.set(CURLOPT_CAINFO, path)
        options.set(CURLOPT_PROXY_CAINFO, path)
    }

    /// Where this libcurl was built to look.
    private static func systemDefaults() -> (bundle: String?, directory: String?) {
        guard let easy = curl_easy_init() else { return (nil, nil) }
        defer { curl_easy_cleanup(easy) }
        func text(_ info: CURLINFO) -> String? {
            var value: UnsafePointer<CChar>?
            guard broker_curl_get_string(easy, info, &value) == CURLE_OK else { return nil }
            return value.map { String(cString: $0) }
        }
        return (text(CURLINFO_CAINFO) ?? "/etc/ssl/certs/ca-certificates.crt", text(CURLINFO_CAPATH))
    }

    private static func anonymousFile(_ content: [UInt8]) -> Int32? {
        let descriptor = broker_anonymous_file("trusted-certificates")
        guard descriptor >= 0 else { return nil }
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        guard written == content.count, access("/proc/self/fd/\(descriptor)", R_OK) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func read(_ path: String) throws(HTTPTransportError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw unreadable(path, errno)
            }
            if count == 0 { break }
            guard content.count + count <= maximumFileBytes else {
                throw .tlsFailed(reason: "the certificate file \(path) is longer than \(maximumFileBytes) bytes")
            }
            content.append(contentsOf: chunk[..<count])
        }
        guard String(decoding: content, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
            throw .tlsFailed(reason: "the certificate file \(path) holds no PEM certificate")
        }
        return content
    }

    private static func unreadable(_ path: String, _ code: Int32) -> HTTPTransportError {
        .tlsFailed(reason: "the certificate file \(path) cannot be read: \(String(cString: strerror(code)))")
    }
}
