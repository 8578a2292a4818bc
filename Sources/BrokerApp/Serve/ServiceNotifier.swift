internal import Glibc

/// Tells the service manager how it goes: datagrams to the socket in `NOTIFY_SOCKET` (sd_notify(3); CommandLine.md, "Under systemd").
struct ServiceNotifier: Sendable {
    private let address: [UInt8]
    /// How often the service manager wants to hear that the program is alive, where it does.
    let watchdogInterval: Duration?

    /// `nil` where no service manager listens.
    init?(_ environment: [String: String], processID: Int32 = getpid()) {
        guard let socket = environment["NOTIFY_SOCKET"], socket.hasPrefix("/") || socket.hasPrefix("@"), socket.utf8.count > 1,
            // sun_path has 108 bytes (unix(7)).
            socket.utf8.count <= 107
        else { return nil }
        // A name that begins with @ is abstract: its first byte is 0.
        address = socket.hasPrefix("@") ? [0] + socket.utf8.dropFirst() : Array(socket.utf8) + [0]
        let isForUs = environment["WATCHDOG_PID"].map { Int32($0) == processID } ?? true
        let interval = environment["WATCHDOG_USEC"].flatMap(Int64.init)
        // Half of what is allowed, as sd_watchdog_enabled(3) recommends.
        watchdogInterval = isForUs ? interval.flatMap { $0 > 0 ? .microseconds($0 / 2) : nil } : nil
    }

    /// Lines such as `READY=1`. Never waits; whether the datagram was taken.
    @discardableResult func send(_ lines: String...) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var peer = sockaddr_un()
        peer.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &peer.sun_path) { $0.copyBytes(from: address) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        let message = Array(lines.joined(separator: "\n").utf8)
        return withUnsafePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length) == message.count
            }
        }
    }
}
