internal import Glibc
internal import OpenSSLCrypto

/// Why the audit cannot be written, in words.
struct AuditFailure: Error, Sendable, CustomStringConvertible {
    let description: String
    /// Whether it may pass without anybody correcting the configuration: a full disk, a pipe that nobody reads.
    var mayPass = false
}

/// Where the lines go. Used by one thread; a test puts another one in its place.
protocol AuditStorage: Sendable {
    /// Opens what is there and says where its chain stands, and what was left of a line that was never finished. `nil` for a new chain.
    mutating func open() throws(AuditFailure) -> (position: AuditPosition?, torn: [UInt8])
    /// Whether `open` has to be called: nothing is open, or somebody has moved the file away.
    var mustOpen: Bool { get }
    /// Whether these lines would make the file longer than it may be.
    func isFull(with count: Int) -> Bool
    /// Puts the file aside under a name that ends with the sequence number of its last line.
    mutating func rotate(_ last: AuditPosition) throws(AuditFailure)
    /// Writes all of it or nothing.
    mutating func append(_ bytes: [UInt8]) throws(AuditFailure)
    /// Returns when what was written outlives the machine.
    mutating func synchronize() throws(AuditFailure)
    /// Notes the last line, best effort.
    mutating func note(_ last: AuditPosition)
    mutating func close()
}

/// A file, or a pipe or device that somebody reads.
struct AuditFile: AuditStorage {
    let path: String
    /// Longest file in bytes, beyond which it is put aside; 0 for no limit.
    let maximumSize: Int
    let key: AuditKey?

    private var descriptor: Int32 = -1
    private var head: Int32 = -1
    private var isRegular = true
    private var length = 0

    init(path: String, maximumSize: Int, key: AuditKey?) {
        self.path = path
        self.maximumSize = maximumSize
        self.key = key
    }

    static func headPath(_ path: String) -> String { path + ".head" }

    mutating func open() throws(AuditFailure) -> (position: AuditPosition?, torn: [UInt8]) {
        close()
        do throws(AuditFailure) { return try openAnew() } catch {
            close()
            throw error
        }
    }

    private mutating func openAnew() throws(AuditFailure) -> (position: AuditPosition?, torn: [UInt8]) {
        var status = stat()
        let isDevice = path.hasPrefix("/dev/")
        let isNew = lstat(path, &status) != 0
        let kind = status.st_mode & S_IFMT
        isRegular = isNew || kind == S_IFREG
        guard isRegular || isDevice || kind == S_IFIFO else { throw failure("is not a regular file") }
        // Not blocking: a FIFO without a reader would hold up everything. Regular files ignore it.
        let flags = O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (isDevice ? 0 : O_NOFOLLOW)
        descriptor = Glibc.open(path, flags | (isRegular ? O_RDWR | O_CREAT : O_WRONLY), 0o600)
        guard descriptor >= 0 else { throw failure(errno) }
        guard isRegular else { return (nil, []) }
        // Where the file system has no locks, nobody can be kept out.
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { throw failure("another process writes it") }
        if isNew { Self.synchronizeDirectory(of: path) }
        guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
        length = Int(status.st_size)
        let (last, torn) = try end()
        let known = try readHead()
        // The head is written after its line: with lines behind it, the file knows better; without, they were moved away with the file.
        guard let last else { return (known, torn) }
        guard let known, known.sequence > last.sequence else { return (last, torn) }
        return (known, torn)
    }

    /// Position of the last whole line, and what is behind it.
    private func end() throws(AuditFailure) -> (position: AuditPosition?, torn: [UInt8]) {
        let count = min(length, 2 * (AuditLine.limit + 1))
        var bytes = [UInt8](repeating: 0, count: count)
        var read = 0
        while read < count {
            let piece = bytes[read...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(length - count + read)) }
            if piece < 0, errno == EINTR { continue }
            guard piece > 0 else { throw piece < 0 ? failure(errno) : failure("became shorter while it was read") }
            read += piece
        }
        guard !bytes.isEmpty else { return (nil, []) }
        let newline = UInt8(ascii: "\n")
        let torn = Array(bytes[(bytes.lastIndex(of: newline).map { $0 + 1 } ?? 0)...])
        let lines = bytes.dropLast(torn.count).split(separator: newline)
        // An earlier unfinished line was ended by the next run; the one after it says so.
        guard let whole = lines.last else {
            guard count < length || torn.count > AuditLine.limit else { return (nil, torn) }
            throw failure("has no line of an audit at its end")
        }
        guard let last = AuditLine(Array(whole)) else {
            throw failure("its last line was changed; move the file away and see 'attestation-broker audit verify'")
        }
        return (last.position, torn)
    }

    private mutating func readHead() throws(AuditFailure) -> AuditPosition? {
        let name = Self.headPath(path)
        head = Glibc.open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard head >= 0 else { throw AuditFailure(description: "\(name): \(Self.words(errno))") }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = pread(head, &bytes, bytes.count, 0)
        guard count > 0, let known = AuditHead(Array(bytes.prefix(count))) else { return nil }
        if let key {
            guard let wanted = try? key.mac(of: known.position), wanted == known.mac else {
                throw AuditFailure(description: "\(name): was not written with this audit.key-file; move both files away")
            }
        }
        return known.position
    }

    var mustOpen: Bool {
        guard descriptor >= 0 else { return true }
        guard isRegular else { return false }
        var (own, named) = (stat(), stat())
        guard fstat(descriptor, &own) == 0, stat(path, &named) == 0 else { return true }
        return own.st_ino != named.st_ino || own.st_dev != named.st_dev
    }

    func isFull(with count: Int) -> Bool { isRegular && maximumSize > 0 && length > 0 && length + count > maximumSize }

    mutating func rotate(_ last: AuditPosition) throws(AuditFailure) {
        let digits = String(last.sequence)
        let name = path + "." + String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
        guard access(name, F_OK) != 0 else { throw failure("cannot be put aside: \(name) is there") }
        guard rename(path, name) == 0 else { throw failure("cannot be put aside as \(name): \(Self.words(errno))") }
        Self.synchronizeDirectory(of: path)
        close()
    }

    mutating func append(_ bytes: [UInt8]) throws(AuditFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            default:
                let reason = failure(errno)
                // Nobody was told of these lines. Where they cannot be taken back, opening again finds them.
                if isRegular { _ = ftruncate(descriptor, off_t(length)) }
                throw reason
            }
        }
        length += bytes.count
    }

    mutating func synchronize() throws(AuditFailure) {
        guard isRegular else { return }
        while fdatasync(descriptor) != 0 {
            guard errno == EINTR else { throw failure(errno, doing: "cannot be flushed: ") }
        }
    }

    mutating func note(_ last: AuditPosition) {
        guard isRegular, head >= 0, let bytes = try? AuditHead(last, key: key).bytes else { return }
        if pwrite(head, bytes, bytes.count, 0) == bytes.count { ftruncate(head, off_t(bytes.count)) }
    }

    mutating func close() {
        for open in [descriptor, head] where open >= 0 { Glibc.close(open) }
        (descriptor, head) = (-1, -1)
    }

    private func failure(_ reason: String) -> AuditFailure { AuditFailure(description: "\(path): \(reason)") }

    private func failure(_ number: Int32, doing words: String = "") -> AuditFailure {
        let reason = number == ENXIO ? "nobody reads it" : Self.words(number)
        return AuditFailure(
            description: "\(path): \(words)\(reason)", mayPass: [ENOSPC, EDQUOT, EROFS, EIO, ENXIO, EPIPE].contains(number))
    }

    private static func words(_ number: Int32) -> String { String(cString: strerror(number)) }

    /// So that the file's name outlives the machine too.
    private static func synchronizeDirectory(of path: String) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        Glibc.close(descriptor)
    }
}
