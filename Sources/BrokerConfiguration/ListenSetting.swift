internal import BrokerCore
internal import PlainText

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
