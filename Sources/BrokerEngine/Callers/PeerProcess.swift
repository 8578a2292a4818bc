package import BrokerCore
internal import Glibc

/// The process at the other end of a Unix socket, as `getsockopt(SO_PEERCRED)` gives it: three 32-bit numbers (unix(7)).
///
/// Front ends read it from their sockets as it is, so its layout is the kernel's.
package struct PeerCredentials: Sendable {
    package var pid: Int32
    package var uid: UInt32
    package var gid: UInt32

    /// The option's number at level SOL_SOCKET.
    package static let option = SO_PEERCRED
}

extension Caller {
    /// The caller on a Unix socket. User and group are those of the process when it connected, by the kernel's word. Program and control
    /// group are looked up under its number now: they narrow a rule, but a process can run another program after it connected, so they
    /// tell apart only what one user runs in good faith.
    package init(_ peer: PeerCredentials) {
        self.init(.unix)
        uid = peer.uid
        gid = peer.gid
        // 0 where the process is in a process namespace that this one does not see.
        guard peer.pid > 0 else { return }
        pid = peer.pid
        executable = Self.link("/proc/\(peer.pid)/exe")
        cgroup = Self.cgroup("/proc/\(peer.pid)/cgroup")
    }

    /// Longest path that counts, in bytes.
    private static let pathLimit = 4096

    private static func link(_ path: String) -> String? {
        let bytes = [UInt8](unsafeUninitializedCapacity: pathLimit) { buffer, count in
            count = buffer.baseAddress.map { max(0, readlink(path, $0, pathLimit)) } ?? 0
        }
        return bytes.isEmpty || bytes.count == pathLimit ? nil : String(validating: bytes, as: UTF8.self)
    }

    /// The path in the line of the unified hierarchy, `0::/…` (cgroups(7)); the first line where there is none.
    private static func cgroup(_ path: String) -> String? {
        guard let bytes = try? BoundedFile.read(path, limit: pathLimit), let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        let lines = text.split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("0::") }) ?? lines.first else { return nil }
        return line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last.map(String.init)
    }
}
