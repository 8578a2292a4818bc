internal import BrokerCore
internal import Glibc
internal import Logging
internal import OpenSSLCrypto

/// Chains on disk, so that a restart does not ask anybody. What is read back is verified like anything else.
package struct EndorsementDirectory: Sendable {
    let path: String

    package init(_ path: String) { self.path = path }

    /// The certificates that were kept for the subject; `nil` where there are none that can be read.
    func certificates(for subject: EndorsementSubject) -> [Certificate]? {
        guard let content = try? BoundedFile.read("\(path)/\(subject.fileName)", limit: 64 * 1024) else { return nil }
        return try? Certificate.parse(pemOrDER: content, maximumCount: 8)
    }

    /// Writes the chain beside its place and moves it there, so that nobody reads half of it. A disk that is full costs a warning.
    func keep(_ chain: [Certificate], for subject: EndorsementSubject, logger: Logger) {
        let target = "\(path)/\(subject.fileName)"
        let temporary = "\(target).\(getpid()).new"
        let content = Array(chain.map(\.pem).joined().utf8)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o644)
        let written = descriptor >= 0 && content.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == content.count
        let isClosed = descriptor >= 0 && close(descriptor) == 0
        guard written, isClosed, rename(temporary, target) == 0 else {
            logger.warning("the endorsements could not be kept in \(path): \(String(cString: strerror(errno)))")
            unlink(temporary)
            return
        }
    }
}
