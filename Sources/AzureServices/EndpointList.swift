package import BrokerCore
package import HTTPTransport

/// A setting that lists host names.
package struct EndpointList: SettingValue, Equatable {
    package var endpoints: [Endpoint]

    package init(_ endpoints: [Endpoint] = []) { self.endpoints = endpoints }

    package static var settingType: String { "list of host names" }

    package var settingText: String { endpoints.map(\.description).joined(separator: ",") }

    /// A list, one host name, or in the environment and on the command line host names separated by commas.
    package static func decode(_ raw: RawSetting) -> Result<EndpointList, SettingComplaint> {
        switch [String].decode(raw) {
        case .failure: return .failure(SettingComplaint("expected a list of host names, found \(raw.kind)"))
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
