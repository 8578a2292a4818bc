internal import Glibc
internal import SecureMemory

/// Files for key material: made new with mode 0600, whole or not at all.
enum SecretFile {
    /// Writes `secret` to `path`, which must not exist unless `replaces` says so.
    static func write(_ secret: borrowing SecretBytes, to path: String, replaces: Bool) throws {
        try secret.withUnsafeBytes { bytes throws in
            let temporary = "\(path).\(getpid()).new"
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw failure(temporary) }
            defer { unlink(temporary) }
            var done = 0
            while done < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let error = failure(temporary)
                    close(descriptor)
                    throw error
                }
                done += count
            }
            guard fsync(descriptor) == 0, close(descriptor) == 0 else { throw failure(temporary) }
            // A link fails where the name is taken; a rename would replace it.
            guard (replaces ? rename(temporary, path) : link(temporary, path)) == 0 else {
                if errno == EEXIST {
                    throw CommandFailure(.impossible, "\(path) exists and is not overwritten", nextStep: "move it away, or say --overwrite")
                }
                throw failure(path)
            }
        }
    }

    /// Fails early where `write` would.
    static func mustBeWritable(_ path: String, replaces: Bool) throws {
        guard !replaces, access(path, F_OK) == 0 else { return }
        throw CommandFailure(.usage, "\(path) exists and is not overwritten", nextStep: "move it away, or say --overwrite")
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.impossible, "\(path): \(String(cString: strerror(errno)))")
    }
}
