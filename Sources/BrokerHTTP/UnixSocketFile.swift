internal import BrokerCore
internal import Glibc
internal import Logging

/// The file of a unix domain socket: cleared of what an earlier run left, restricted while it lives, removed afterwards.
enum UnixSocketFile {
    /// Makes sure that the listener may take the path: nothing is there, or the socket of a process that no longer listens.
    static func prepare(_ path: String) throws(BrokerError) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        guard information.st_mode & S_IFMT == S_IFSOCK else {
            throw BrokerError(.misconfigured, at: .startup, "server.unix: \(path) exists and is not a socket")
        }
        guard !isListening(path) else {
            throw BrokerError(.misconfigured, at: .startup, "server.unix: another process listens on \(path)")
        }
        unlink(path)
    }

    static func restrict(_ path: String, to mode: UInt16, logger: Logger) {
        guard chmod(path, mode_t(mode)) != 0 else { return }
        logger.warning("the permissions of the unix socket could not be set", metadata: ["path": "\(path)"])
    }

    static func remove(_ path: String) {
        unlink(path)
    }

    private static func isListening(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let isCopied = withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            guard path.utf8.count < bytes.count else { return false }
            bytes.copyBytes(from: path.utf8)
            return true
        }
        guard isCopied else { return false }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
