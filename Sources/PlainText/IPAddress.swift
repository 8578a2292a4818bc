internal import Glibc

/// An IP address as it is written in a `Host` field or a listen address, without brackets or zone.
package struct IPAddress: Sendable {
    private let bytes: [UInt8]

    /// Dotted decimal with four parts, or IPv6; nothing else, so neither `0x7f.1` nor `2130706433`.
    package init?(_ text: String) {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 {
                self.bytes = bytes
                return
            }
        }
        return nil
    }

    /// 127.0.0.0/8 or ::1.
    package var isLoopback: Bool { bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 }

    /// Whether only programs on this machine can connect to a listener on `host`: `localhost`, 127.0.0.0/8 or ::1. Another name is not,
    /// whatever it resolves to.
    package static func isLoopback(host: String) -> Bool { host.lowercased() == "localhost" || IPAddress(host)?.isLoopback == true }
}
