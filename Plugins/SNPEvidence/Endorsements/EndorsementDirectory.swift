internal import BrokerCore
internal import Glibc
internal import Logging
internal import OpenSSLCrypto

/// Chains on disk, so that a restart does not ask anybody. What is read back is verified like anything else.
package struct EndorsementDirectory: Sendable {
    /// How many files it holds at most; the oldest make room. A machine has one chip and few TCBs in its life.
    static let maximumFiles = 32
    /// Leaf, intermediate and root in PEM have about 6 KiB.
    private static let maximumBytes = 64 * 1024

    let path: String

    package init(_ path: String) { self.path = path }

    /// The three certificates that were kept for the subject; `nil` where there is nothing, or anything else.
    func certificates(for subject: EndorsementSubject) -> [Certificate]? {
        guard let content = try? BoundedFile.read("\(path)/\(subject.fileName)", limit: Self.maximumBytes),
            let chain = try? Certificate.parse(pemOrDER: content, maximumCount: 3), chain.count == 3
        else { return nil }
        return chain
    }

    /// Writes the chain beside its place and moves it there, so that nobody reads half of it. A disk that is full costs a warning.
    func keep(_ chain: [Certificate], for subject: EndorsementSubject, logger: Logger) {
        let target = "\(path)/\(subject.fileName)"
        let temporary = "\(target).\(getpid()).new"
        let failure = Self.write(Array(chain.map(\.pem).joined().utf8), to: temporary) ?? (rename(temporary, target) == 0 ? nil : errno)
        if let failure {
            logger.warning("the endorsements could not be kept in \(path): \(String(cString: strerror(failure)))")
            unlink(temporary)
        }
        prune()
    }

    /// The error's number where it cannot be written, down to the disk.
    private static func write(_ content: [UInt8], to path: String) -> Int32? {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return errno }
        var rest = content[...]
        var failure: Int32?
        while !rest.isEmpty, failure == nil {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { failure = errno }
        }
        if failure == nil, fsync(descriptor) != 0 { failure = errno }
        if close(descriptor) != 0, failure == nil { failure = errno }
        return failure
    }

    /// Removes the oldest of our own files where there are too many, halves that a crash left among them.
    private func prune() {
        guard let stream = opendir(path) else { return }
        defer { closedir(stream) }
        var files: [(name: String, modified: Int)] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            var status = stat()
            guard EndorsementSubject.isFileName(name), lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            files.append((name, status.st_mtim.tv_sec))
        }
        guard files.count > Self.maximumFiles else { return }
        for file in files.sorted(by: { $0.modified < $1.modified }).prefix(files.count - Self.maximumFiles) {
            unlink("\(path)/\(file.name)")
        }
    }
}
