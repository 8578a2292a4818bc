public import BrokerCore
package import BrokerObservability
internal import HTTPTransport
public import Logging

extension Logger.Level: SettingChoice {}

extension LogLineFormat: SettingChoice {}

extension AuditFlush: SettingChoice {}

/// Which statuses and error texts the REST interface answers with.
package enum ResponseProfile: String, SettingChoice {
    /// Those of the original sidecar.
    case compatible
    /// The proper one for each error code.
    case precise
}

/// Which TCP listeners serve TLS where it is set up.
enum TLSListeners: String, SettingChoice {
    case all, http, grpc
}

/// Permissions of a socket's file as chmod(1) takes them: three octal digits, with or without a zero in front.
struct SocketMode: SettingValue {
    let bits: UInt16

    static var settingType: String { "permissions in octal, such as 0660" }
    var settingText: String { "0" + String(bits, radix: 8) }

    static func decode(_ raw: RawSetting) -> Result<SocketMode, SettingComplaint> {
        switch raw {
        case .string(let text), .text(let text):
            guard (3...4).contains(text.utf8.count), let bits = UInt16(text, radix: 8), bits <= 0o777, text.utf8.first != UInt8(ascii: "+")
            else { return .failure(SettingComplaint("expected three octal digits such as 0660")) }
            return .success(SocketMode(bits: bits))
        default: return .failure(SettingComplaint("expected text such as \"0660\", found \(raw.kind)"))
        }
    }
}

/// Size of the broker's RSA wrapping keys.
package enum WrappingKeySize: Int, SettingValue, CaseIterable {
    case bits2048 = 2048
    case bits3072 = 3072
    case bits4096 = 4096

    package static var settingType: String { "2048, 3072 or 4096" }
    package var settingText: String { String(rawValue) }
    package var rawSetting: RawSetting { .integer(Int64(rawValue)) }

    package static func decode(_ raw: RawSetting) -> Result<WrappingKeySize, SettingComplaint> {
        switch Int.decode(raw) {
        case .success(let bits):
            Self(rawValue: bits).map(Result.success) ?? .failure(SettingComplaint("expected \(settingType), found \(bits)"))
        case .failure: .failure(SettingComplaint("expected \(settingType), found \(raw.kind)"))
        }
    }
}

/// The setting of connections that go elsewhere.
struct ConnectOverrides: SettingValue {
    let list: [ConnectOverride]

    static var settingType: String { "list of HOST:PORT:ADDRESS:PORT" }
    var settingText: String { list.map(\.description).joined(separator: ",") }
    var rawSetting: RawSetting { .list(list.map(\.description)) }

    static func decode(_ raw: RawSetting) -> Result<ConnectOverrides, SettingComplaint> {
        switch [String].decode(raw) {
        case .failure(let complaint): return .failure(complaint)
        case .success(let texts):
            var list: [ConnectOverride] = []
            for text in texts {
                do { list.append(try ConnectOverride(text)) } catch { return .failure(SettingComplaint(error.description)) }
            }
            return .success(ConnectOverrides(list: list))
        }
    }
}
