package import BrokerCore
internal import HTTPTransport

/// Azure clouds (AzureClouds.md, "Names and audiences"). The raw value is `HostServices.cloud`.
package enum Cloud: String, SettingChoice {
    case `public`
    case usGovernment = "us-government"
    case china
}

/// Which statuses and error texts the REST interface answers with.
package enum ResponseProfile: String, SettingChoice {
    /// Those of the original sidecar.
    case compatible
    /// The proper one for each error code.
    case precise
}

/// Where the broker's own access tokens come from.
package enum IdentityKind: String, SettingChoice {
    /// Workload identity where its variables are set, otherwise managed identity.
    case auto
    /// From the instance metadata service.
    case managedIdentity = "managed-identity"
    /// A managed identity from the endpoint that App Service, Functions and Container Apps name in `IDENTITY_ENDPOINT`.
    case appService = "app-service"
    case workloadIdentity = "workload-identity"
    /// No identity of its own: every release must bring an access token.
    case none
}

/// Severity; the raw values are those of swift-log's `Logger.Level`.
package enum LogLevel: String, SettingChoice { case trace, debug, info, notice, warning, error, critical }

/// Form of a log line.
package enum LogFormat: String, SettingChoice { case text, json }

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
