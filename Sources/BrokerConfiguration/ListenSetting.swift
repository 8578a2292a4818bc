internal import BrokerCore
internal import PlainText

/// The same where a port alone means loopback: for a listener that is nobody's but this machine's unless it says otherwise.
struct LoopbackListenSetting: SettingValue {
    let address: HostAndPort?

    static var settingType: String { "PORT on loopback, HOST:PORT, or nothing" }
    var settingText: String { address?.description ?? "" }

    static func decode(_ raw: RawSetting) -> Result<LoopbackListenSetting, SettingComplaint> {
        let port: Int? =
            switch raw {
            case .integer(let number): (0...65535).contains(number) ? Int(number) : nil
            case .string(let text), .text(let text): HostAndPort.port(text)
            default: nil
            }
        if let port { return .success(LoopbackListenSetting(address: HostAndPort(host: "127.0.0.1", port: port))) }
        return ListenSetting.decode(raw).map { LoopbackListenSetting(address: $0.address) }
    }
}

/// The setting of a listen address, where nothing means not to listen.
struct ListenSetting: SettingValue {
    let address: HostAndPort?

    static var settingType: String { "HOST:PORT, or nothing" }
    var settingText: String { address?.description ?? "" }

    static func decode(_ raw: RawSetting) -> Result<ListenSetting, SettingComplaint> {
        switch raw {
        case .string(""), .text(""): return .success(ListenSetting(address: nil))
        case .string(let text), .text(let text):
            if let address = HostAndPort(listening: text) { return .success(ListenSetting(address: address)) }
            return .failure(SettingComplaint("expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080"))
        default: return .failure(SettingComplaint("expected HOST:PORT, found \(raw.kind)"))
        }
    }
}
