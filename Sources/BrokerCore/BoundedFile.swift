internal import Glibc

/// Reads small files whose size nobody vouches for.
public enum BoundedFile {
    /// Why a file could not be read, in words.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// The content of a regular file (or of a pipe) of at most `limit` bytes; a longer one is refused, not cut.
    public static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: "\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw Failure(description: "\(path): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw Failure(description: "\(path): is a directory") }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(description: "\(path): \(String(cString: strerror(errno)))")
            }
            if count == 0 { return content }
            guard content.count + count <= limit else {
                throw Failure(description: "\(path): longer than \(limit) bytes")
            }
            content.append(contentsOf: chunk[..<count])
        }
    }
}
