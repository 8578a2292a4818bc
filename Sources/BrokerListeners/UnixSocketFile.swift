package import BrokerConfiguration
package import BrokerCore
internal import Glibc
package import Logging

/// The file of a unix domain socket: cleared of what an earlier run left, restricted while it lives, removed afterwards.
///
/// A lock file beside it (`PATH.lock`, flock(2)) is held for as long as the socket is listened on, so that of several brokers that start
/// at once one
/// wins and the others say so. The lock goes with its process, however that ends.
package struct UnixSocketFile: Sendable {
    let path: String
    private let lock: Int32
    /// Which setting names it.
    private let setting: String

    /// Takes the path for this process: nothing is there, or the socket of a process that no longer listens.
    package static func claim(_ path: String, setting: String) throws(BrokerError) -> UnixSocketFile {
        let name = path + ".lock"
        while true {
            let lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard lock >= 0 else { throw failure(setting, "\(name): \(String(cString: strerror(errno)))") }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                close(lock)
                throw failure(setting, "another process listens on \(path)")
            }
            let file = UnixSocketFile(path: path, lock: lock, setting: setting)
            // An earlier owner removes its lock file: what was locked must be the file that has the name now.
            guard isSame(lock, name) else {
                close(lock)
                continue
            }
            do { try file.clear() } catch {
                file.unlock()
                throw error
            }
            return file
        }
    }

    /// Gives the file to the group first, so that no permission is there for another one.
    package func restrict(to options: SocketFileOptions, logger: Logger) {
        if let group = options.group {
            let isGiven = Self.groupID(group).map { chown(path, uid_t.max, $0) == 0 } ?? false
            if !isGiven {
                logger.warning("the group of the unix socket could not be set", metadata: ["path": "\(path)", "group": "\(group)"])
            }
        }
        guard chmod(path, mode_t(options.mode)) != 0 else { return }
        logger.warning("the permissions of the unix socket could not be set", metadata: ["path": "\(path)"])
    }

    private static func groupID(_ name: String) -> gid_t? { gid_t(name) ?? getgrnam(name)?.pointee.gr_gid }

    package func remove() {
        unlink(path)
        unlock()
    }

    private func unlock() {
        unlink(path + ".lock")
        close(lock)
    }

    private func clear() throws(BrokerError) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        guard information.st_mode & S_IFMT == S_IFSOCK else { throw Self.failure(setting, "\(path) exists and is not a socket") }
        // Also somebody who takes no lock.
        guard !isListening else { throw Self.failure(setting, "another process listens on \(path)") }
        unlink(path)
    }

    private static func failure(_ setting: String, _ reason: String) -> BrokerError {
        BrokerError(.misconfigured, at: .startup, "\(setting): \(reason)")
    }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var (open, named) = (stat(), stat())
        return fstat(descriptor, &open) == 0 && stat(path, &named) == 0 && open.st_ino == named.st_ino && open.st_dev == named.st_dev
    }

    private var isListening: Bool {
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
