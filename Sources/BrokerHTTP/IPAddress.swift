internal import Glibc

/// An IP address as it is written in a `Host` field or a listen address, without brackets or zone.
struct IPAddress {
    private let bytes: [UInt8]

    /// Dotted decimal with four parts, or IPv6; nothing else, so neither `0x7f.1` nor `2130706433`.
    init?(_ text: String) {
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
    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
}
