internal import COpenSSL
internal import Glibc
internal import Synchronization

/// PEM files of many certificate authorities, of which a certificate is parsed only when a chain asks for its name.
///
/// A system's some hundred authorities take OpenSSL twenty milliseconds and four megabytes, and a broker needs two of them. Here they are read as far as their
/// names: those of files that somebody names at once, so that a mistake shows, those of the system when a chain asks for a name that the store does not have.
final class AuthorityBundle: Sendable {
    private struct Names: Sendable {
        /// Certificates in DER by the digest of their subject.
        var certificates: [UInt64: [[UInt8]]] = [:]
        var count = 0

        /// Adds the certificates of one file and says how many blocks it has. One that is no certificate is an error, or is left out.
        mutating func add(_ content: [UInt8], leavingOutBroken: Bool = false) throws(CryptoError) -> Int {
            var blocks = PEMBlocks(content)
            var found = 0
            while let der = try blocks.next() {
                found += 1
                if let digest = try? AuthorityBundle.subjectDigest(der) {
                    certificates[digest, default: []].append(der)
                    count += 1
                } else if !leavingOutBroken {
                    throw CryptoError(operation: reading, reason: "certificate \(found) of the file is no certificate")
                }
            }
            return found
        }
    }

    private let systemFile: String?
    private let files: Names
    private let system = Mutex<Names?>(nil)

    /// Reads the names in `files`. Throws where one cannot be read, has no certificate or one that is none.
    init(files paths: [String], system systemFile: String?) throws(CryptoError) {
        var names = Names()
        for path in paths {
            do throws(CryptoError) {
                guard try names.add(try Self.content(of: path)) > 0 else {
                    throw CryptoError(operation: path, reason: "no certificate found")
                }
            } catch {
                OpenSSLErrorQueue.clear()
                throw CryptoError(operation: "\(Self.reading): \(path)", reason: error.reason)
            }
        }
        files = names
        self.systemFile = systemFile
    }

    /// Reads the names in the system's file now instead of when the first chain asks for one.
    func prepare() {
        withSystem { _ in }
    }

    /// Number of certificates in all of the files.
    var certificateCount: Int { files.count + withSystem { $0.count } }

    /// Has `store` look here for what it does not have. The store keeps the bundle; false where memory ran out.
    func attach(to store: OpaquePointer) -> Bool {
        guard let method = Self.method.pointer, let lookup = X509_STORE_add_lookup(store, method) else { return false }
        let own = Unmanaged.passRetained(self)
        guard X509_LOOKUP_set_method_data(lookup, own.toOpaque()) == 1 else {
            own.release()
            return false
        }
        return true
    }

    private func certificates(of subject: OpaquePointer) -> [[UInt8]] {
        guard let digest = Self.digest(subject) else { return [] }
        // Of both: an authority that was renewed has one name and two keys.
        return files.certificates[digest, default: []] + withSystem { $0.certificates[digest, default: []] }
    }

    private func withSystem<Result>(_ body: (Names) -> Result) -> Result {
        system.withLock { system in
            let known = system ?? Self.names(inSystemFile: systemFile)
            system = known
            return body(known)
        }
    }

    // MARK: Reading

    private static let reading = "reading trusted certificates"

    /// What can be read: a mistake in the system's file is not the operator's.
    private static func names(inSystemFile path: String?) -> Names {
        var names = Names()
        guard let path else { return names }
        defer { OpenSSLErrorQueue.clear() }
        _ = try? names.add(try content(of: path), leavingOutBroken: true)
        return names
    }

    private static func content(of path: String) throws(CryptoError) -> [UInt8] {
        func failure(_ reason: String) -> CryptoError { CryptoError(operation: reading, reason: reason) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure("not a file") }
        guard status.st_size <= Certificate.maximumBundleByteCount else {
            throw failure("more than \(Certificate.maximumBundleByteCount) bytes")
        }
        return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { output, count in
            while count < output.count {
                let got = Glibc.read(descriptor, output.baseAddress.map { $0 + count }, output.count - count)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { break }
                count += got
            }
        }
    }

    /// Of the certificate's subject (RFC 5280, section 4.1), without looking at what follows it.
    private static func subjectDigest(_ der: [UInt8]) throws(CryptoError) -> UInt64 {
        try der.withUnsafeBytes { bytes in
            Result { () throws(CryptoError) in
                var certificate = try DERReader.sequence(in: bytes, reading)
                var content = DERReader(try certificate.element(V_ASN1_SEQUENCE, isConstructed: true), reading)
                _ = try content.optional(0, of: V_ASN1_CONTEXT_SPECIFIC, isConstructed: true)
                _ = try content.element(V_ASN1_INTEGER)
                // Algorithm, issuer and validity come before the subject.
                for _ in 0..<3 { _ = try content.element(V_ASN1_SEQUENCE, isConstructed: true) }
                let name = try content.element(V_ASN1_SEQUENCE, isConstructed: true)
                return try NameDigest.of(DERReader(name, reading), reading)
            }
        }.get()
    }

    private static func digest(_ name: OpaquePointer) -> UInt64? {
        var (der, count): (UnsafePointer<UInt8>?, Int) = (nil, 0)
        guard X509_NAME_get0_der(name, &der, &count) == 1 else { return nil }
        do throws(CryptoError) {
            let bytes = UnsafeRawBufferPointer(start: der, count: count)
            return try NameDigest.of(try DERReader.sequence(in: bytes, reading), reading)
        } catch {
            return nil
        }
    }

    // MARK: OpenSSL's side

    private struct Method: @unchecked Sendable {
        // Unchecked because of the pointer: filled in `make` and only read afterwards, by every store.
        let pointer: OpaquePointer?
    }

    private static let method = makeMethod()

    private static func makeMethod() -> Method {
        guard let method = X509_LOOKUP_meth_new("names of a bundle") else { return Method(pointer: nil) }
        X509_LOOKUP_meth_set_free(method) { lookup in
            guard let lookup, let data = X509_LOOKUP_get_method_data(lookup) else { return }
            Unmanaged<AuthorityBundle>.fromOpaque(data).release()
        }
        X509_LOOKUP_meth_set_get_by_subject(method) { lookup, type, name, result in
            guard let lookup, let name, let result, type == X509_LU_X509,
                let data = X509_LOOKUP_get_method_data(lookup), let store = X509_LOOKUP_get_store(lookup)
            else { return 0 }
            let bundle = Unmanaged<AuthorityBundle>.fromOpaque(data).takeUnretainedValue()
            return AuthorityBundle.add(bundle.certificates(of: name), named: name, to: store, result) ? 1 : 0
        }
        return Method(pointer: method)
    }

    /// Adds all of them to the store, which is where OpenSSL looks among several of one name, and names one as the result.
    private static func add(
        _ certificates: [[UInt8]], named name: OpaquePointer, to store: OpaquePointer, _ result: OpaquePointer
    ) -> Bool {
        guard !certificates.isEmpty else { return false }
        for der in certificates {
            let parsed = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
                var cursor = bytes.baseAddress
                return d2i_X509(nil, &cursor, bytes.count)
            }
            guard let parsed else { continue }
            X509_STORE_add_cert(store, parsed)
            X509_free(parsed)
        }
        OpenSSLErrorQueue.clear()
        // The store's own copy, which stays: another thread may have added the same certificate first. And names of one digest need not be one name.
        X509_STORE_lock(store)
        defer { X509_STORE_unlock(store) }
        guard let found = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, name),
            let certificate = X509_OBJECT_get0_X509(found), X509_OBJECT_set1_X509(result, certificate) == 1
        else { return false }
        // OpenSSL's lookups lend what they found, and it takes a reference itself.
        X509_free(certificate)
        return true
    }
}
