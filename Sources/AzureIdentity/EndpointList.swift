public import BrokerCore
public import HTTPTransport

/// A setting that lists host names.
public struct EndpointList: SettingValue, Equatable {
    public var endpoints: [Endpoint]

    public init(_ endpoints: [Endpoint] = []) {
        self.endpoints = endpoints
    }

    public static var settingType: String { "list of host names" }

    public var settingText: String { endpoints.map(\.description).joined(separator: ",") }

    /// A list, one host name, or in the environment and on the command line host names separated by commas.
    public static func decode(_ raw: RawSetting) -> Result<EndpointList, SettingComplaint> {
        switch [String].decode(raw) {
        case .failure:
            return .failure(SettingComplaint("expected a list of host names, found \(raw.kind)"))
        case .success(let texts):
            var endpoints: [Endpoint] = []
            for text in texts {
                switch Endpoint.decode(.string(text)) {
                case .success(let endpoint): endpoints.append(endpoint)
                case .failure(let complaint): return .failure(complaint)
                }
            }
            return .success(EndpointList(endpoints))
        }
    }
}
