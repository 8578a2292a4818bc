internal import BrokerCore
internal import HTTPTransport

/// Where the server listens: an IP address or a name, and a TCP port.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// Without the brackets of an IPv6 address.
    package let host: String
    /// 0 lets the system choose a free one.
    package let port: Int

    /// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; `nil` for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 300, let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = text.utf8[text.utf8.index(after: colon)...]
        guard (1...5).contains(digits.count), digits.allSatisfy(Self.isDigit), let port = Int(String(decoding: digits, as: UTF8.self)),
            port <= 65535
        else { return nil }
        var name = text[..<colon]
        if name.hasPrefix("["), name.hasSuffix("]") {
            name = name.dropFirst().dropLast()
            guard name.contains(":"), IPAddress(String(name)) != nil else { return nil }
        } else {
            let bytes = name.utf8
            guard !bytes.isEmpty, bytes.allSatisfy(Self.isNameByte), !name.hasPrefix("-"), !name.hasPrefix(".") else { return nil }
            if bytes.allSatisfy({ Self.isDigit($0) || $0 == UInt8(ascii: ".") }) {
                guard IPAddress(String(name)) != nil else { return nil }
            }
        }
        host = String(name)
        self.port = port
    }

    /// Whether only this machine (for a container group: this group) can reach it.
    package var isLoopback: Bool { IPAddress.isLoopback(host: host) }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: isDigit(byte)
        }
    }
}

/// The setting of a listen address, where nothing means not to listen.
struct ListenSetting: SettingValue {
    let address: ListenAddress?

    static var settingType: String { "HOST:PORT, or nothing" }
    var settingText: String { address?.description ?? "" }

    static func decode(_ raw: RawSetting) -> Result<ListenSetting, SettingComplaint> {
        switch raw {
        case .string(""), .text(""): return .success(ListenSetting(address: nil))
        case .string(let text), .text(let text):
            if let address = ListenAddress(text) { return .success(ListenSetting(address: address)) }
            return .failure(SettingComplaint("expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080"))
        default: return .failure(SettingComplaint("expected HOST:PORT, found \(raw.kind)"))
        }
    }
}
