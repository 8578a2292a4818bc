internal import Glibc

/// Files that commands write.
enum OutputFile {
    /// Makes the directory and those above it, where they are not there.
    static func makeDirectory(_ path: String) throws {
        var made = path.hasPrefix("/") ? "/" : ""
        for name in path.split(separator: "/") {
            made += "\(name)/"
            guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
                throw CommandFailure(.impossible, "\(path): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Writes a file anew, readable for everybody; the directory must exist.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CommandFailure(.impossible, "\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw CommandFailure(.impossible, "\(path): \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }
}
