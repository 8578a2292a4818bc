internal import PlainText

/// The address of a service: a DNS name and a port, and nothing else.
///
/// Bearer tokens are sent where an endpoint points, so its text is taken apart strictly: no user information, path, query or fragment, no
/// IP address, no trailing dot. What people copy along is tolerated: `https://` in front, a slash at the end, and the whole URL of a key.
/// Names are compared in lower case.
public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// Lower-case DNS name with at least two labels.
    public let host: String
    /// TCP port; 443 unless the text named one.
    public let port: Int

    /// Why a text is not an endpoint, in words for the person who wrote it.
    public struct Invalid: Error, Sendable, Equatable, CustomStringConvertible { public let description: String }

    /// Reads `host`, `host:port` or either with `https://` in front, and `https://host/keys/…`, of which the host counts.
    public init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= 300 else { throw Invalid(description: "an endpoint has at most 253 characters") }
        var rest = text.utf8[...]
        let hasScheme = String(decoding: rest.prefix(8), as: UTF8.self).lowercased() == "https://"
        if hasScheme { rest = rest.dropFirst(8) }
        if rest.last == UInt8(ascii: "/"), rest.count > 1 { rest = rest.dropLast() }
        if hasScheme, let slash = rest.firstIndex(of: UInt8(ascii: "/")), Self.isKeyPath(rest[slash...]) { rest = rest[..<slash] }
        guard !rest.isEmpty else {
            throw Invalid(description: "an endpoint cannot be empty; write a host name such as contoso.vault.azure.net")
        }
        for byte in rest where !ASCIISet.hostName.contains(byte) && byte != UInt8(ascii: ":") {
            throw Invalid(description: Self.complaint(about: byte))
        }
        let parts = rest.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        switch parts.count {
        case 1: port = 443
        case 2:
            guard let number = HostAndPort.port(Substring(parts[1])), number > 0 else {
                throw Invalid(description: "the port of an endpoint is a number from 1 to 65535")
            }
            port = number
        default: throw Invalid(description: "an endpoint has at most one ':' (before the port); IP addresses are not endpoints")
        }
        host = try Self.checkedName(parts[0])
    }

    /// `host`, with the port only where it is not 443.
    public var description: String { port == 443 ? host : "\(host):\(port)" }

    /// `https://` and the description: the origin that appears in tokens and policies.
    public var origin: String { "https://\(description)" }

    /// Whether the name is one label or more below `suffix` (given without a leading dot), compared label by label.
    public func isUnder(_ suffix: String) -> Bool { host.hasSuffix("." + suffix.lowercased()) }

    /// Whether the name is exactly one label below `suffix` (given without a leading dot): `contoso` + `.vault.azure.net`.
    public func isDirectlyUnder(_ suffix: String) -> Bool {
        guard isUnder(suffix) else { return false }
        return !host.dropLast(suffix.utf8.count + 1).contains(".")
    }

    private static func checkedName(_ bytes: Substring.UTF8View.SubSequence) throws(Invalid) -> String {
        let name = String(decoding: bytes, as: UTF8.self).lowercased()
        guard (1...253).contains(name.utf8.count) else { throw Invalid(description: "a host name has 1 to 253 characters") }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2 else { throw Invalid(description: "'\(name)' is not a full host name such as contoso.vault.azure.net") }
        for label in labels {
            guard let first = label.first, let last = label.last, label.count <= 63 else {
                throw Invalid(description: "'\(name)' has an empty or too long label")
            }
            guard first != UInt8(ascii: "-"), last != UInt8(ascii: "-") else {
                throw Invalid(description: "'\(name)' has a label that starts or ends with '-'")
            }
        }
        // The last label of a DNS name is never all digits (RFC 3696, 2), that of an IPv4 address (also 0x7f.1) always starts with one.
        if let top = labels.last?.first, ASCIISet.digits.contains(top) {
            throw Invalid(description: "'\(name)' is an IP address; write the host name of the service")
        }
        return name
    }

    /// Whether a path is that of a key: `/keys/NAME` or `/keys/NAME/VERSION`.
    private static func isKeyPath(_ path: Substring.UTF8View) -> Bool {
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
        guard (2...3).contains(parts.count), let first = parts.first, String(decoding: first, as: UTF8.self).lowercased() == "keys" else {
            return false
        }
        return parts.dropFirst().allSatisfy { $0.consists(of: .alphanumeric + "-") } && parts.dropFirst().first?.isEmpty == false
    }

    private static func complaint(about byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "/"): "an endpoint is a host name without a path"
        case UInt8(ascii: "?"), UInt8(ascii: "#"): "an endpoint is a host name without a query or fragment"
        case UInt8(ascii: "@"): "an endpoint is a host name without user information"
        case UInt8(ascii: "["), UInt8(ascii: "]"): "an endpoint is a host name, not an IP address"
        default: "an endpoint is a host name: letters, digits, '-' and '.', with an optional ':port'"
        }
    }
}
