internal import Glibc

/// Files that appear whole or not at all.
enum PrivateFile {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Makes the directory, for its owner alone; one that exists is left as it is.
    static func makeDirectory(_ path: String) throws(FixtureError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path) }
    }

    /// The content of a regular file of at most `limit` bytes.
    static func read(_ path: String, limit: Int) throws(FixtureError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var content = [UInt8](repeating: 0, count: limit + 1)
        var used = 0
        while used <= limit {
            let count = content.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress?.advanced(by: used), $0.count - used) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path)
            }
            if count == 0 { break }
            used += count
        }
        guard used <= limit else { throw FixtureError("\(path) is longer than \(limit) bytes") }
        content.removeLast(content.count - used)
        return content
    }

    static func write(_ content: [UInt8], to path: String, mode: mode_t) throws(FixtureError) {
        var failed: FixtureError?
        content.withUnsafeBytes { bytes in do throws(FixtureError) { try write(bytes, to: path, mode: mode) } catch { failed = error } }
        if let failed { throw failed }
    }

    /// Writes a new file beside `path`, with that mode from the start, and moves it there.
    static func write(_ content: UnsafeRawBufferPointer, to path: String, mode: mode_t) throws(FixtureError) {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(temporary) }
        var done = 0
        while done < content.count {
            let count = Glibc.write(descriptor, content.baseAddress?.advanced(by: done), content.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                let error = failure(temporary)
                close(descriptor)
                unlink(temporary)
                throw error
            }
            done += count
        }
        guard fsync(descriptor) == 0, close(descriptor) == 0, rename(temporary, path) == 0 else {
            let error = failure(path)
            unlink(temporary)
            throw error
        }
    }

    fileprivate static func failure(_ path: String) -> FixtureError { FixtureError("\(path): \(String(cString: strerror(errno)))") }
}

/// An advisory lock on a file, held by one process at a time (and by one holder within it).
struct FileLock {
    private let descriptor: Int32

    /// Waits for the lock.
    init(_ path: String) throws(FixtureError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw PrivateFile.failure(path) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                let error = PrivateFile.failure(path)
                close(descriptor)
                throw error
            }
        }
    }

    /// Lets go; the file stays, since removing it would let two holders in.
    func release() { close(descriptor) }
}
