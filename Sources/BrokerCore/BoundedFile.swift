internal import Glibc
public import SecureMemory
public import Waiting

/// Reads small files whose size nobody vouches for.
public enum BoundedFile {
    /// Why a file could not be read, in words.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
        package init(description: String) { self.description = description }
    }

    /// The content of a regular file of at most `limit` bytes; a longer one is refused, not cut.
    ///
    /// A FIFO or a device, which may never end, is refused without waiting for it; `allowsPipes` is for what a person named on a command
    /// line, as in `<(command)`.
    public static func read(_ path: String, limit: Int, allowsPipes: Bool = false) throws(Failure) -> [UInt8] {
        let descriptor = try open(path, allowsPipes: allowsPipes)
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            var result = Result<Int, Failure>.success(0)
            chunk.withUnsafeMutableBytes { buffer in
                result = Result { () throws(Failure) in try piece(descriptor, into: buffer, path) }
            }
            let count = try result.get()
            if count == 0 { return content }
            guard content.count + count <= limit else { throw tooLong(path, limit) }
            content.append(contentsOf: chunk[..<count])
        }
    }

    /// The same for key material: the bytes are in no other memory than the result's.
    public static func readSecret(_ path: String, limit: Int, allowsPipes: Bool = false) throws(Failure) -> SecretBytes {
        let descriptor = try open(path, allowsPipes: allowsPipes)
        defer { close(descriptor) }
        return try SecretBytes(capacity: limit + 1) { (memory: UnsafeMutableRawBufferPointer) throws(Failure) -> Int in
            var total = 0
            while true {
                let count = try piece(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: memory[total...]), path)
                if count == 0 { return total }
                total += count
                guard total <= limit else { throw tooLong(path, limit) }
            }
        }
    }

    /// The same on a thread of its own, because a network file may hang: waits no longer than `deadline`.
    public static func read(_ path: String, limit: Int, until deadline: Deadline) async throws(Failure) -> [UInt8] {
        try await withDeadline(deadline) { () async throws(Failure) -> [UInt8] in
            let result = await BackgroundThread.run {
                Result { () throws(Failure) in try read(path, limit: limit) }
            }
            guard let result else { throw Failure(description: "\(path): could not be read in time") }
            return try result.get()
        }
    }

    private static func open(_ path: String, allowsPipes: Bool) throws(Failure) -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | (allowsPipes ? 0 : O_NONBLOCK))
        guard descriptor >= 0 else { throw failure(path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            defer { close(descriptor) }
            throw failure(path)
        }
        let kind = status.st_mode & S_IFMT
        if kind == S_IFREG || allowsPipes && kind != S_IFDIR { return descriptor }
        close(descriptor)
        throw Failure(description: kind == S_IFDIR ? "\(path): is a directory" : "\(path): is not a regular file")
    }

    private static func piece(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, _ path: String) throws(Failure) -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw failure(path) }
        }
    }

    private static func failure(_ path: String) -> Failure { Failure(description: "\(path): \(String(cString: strerror(errno)))") }

    private static func tooLong(_ path: String, _ limit: Int) -> Failure { Failure(description: "\(path): longer than \(limit) bytes") }
}
