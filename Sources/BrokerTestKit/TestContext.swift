internal import Waiting
public import BrokerCore
package import HTTPTransport

extension RequestContext {
    /// A context for one test request, with a deadline that a busy machine does not reach.
    package static func forTest(id: String = "test-request", timeout: Duration = .seconds(600), log: RecordedLog = RecordedLog())
        -> RequestContext
    { RequestContext(id: id, deadline: .after(timeout), logger: log.logger()) }
}

extension HostServices {
    /// What a broker lends a provider, with a scripted transport and a clock that stands still.
    package static func forTest(
        transport: any HTTPTransport, accessTokens: any AccessTokenSource = StaticAccessTokens(),
        trust: TLSTrust = TLSTrust(includesSystemDefaults: false), cloud: String = "public", clock: any WallClock = ManualClock(),
        log: RecordedLog = RecordedLog()
    ) -> HostServices {
        HostServices(
            transport: transport, accessTokens: accessTokens, trust: SharedTrustStore(trust), cloud: cloud, clock: clock,
            logger: log.logger())
    }
}

extension ProviderFactory {
    /// Makes the provider from written settings, which are checked against its schema first.
    public func makeForTest(_ values: [String: RawSetting] = [:], host: HostServices) throws(BrokerError) -> Provider {
        for (key, value) in values {
            guard let declaration = schema[key] else {
                throw BrokerError(.misconfigured, at: .startup, "\(name) declares no setting '\(key)'")
            }
            if let complaint = declaration.complaint(value) {
                throw BrokerError(.misconfigured, at: .startup, "\(name).\(key): \(complaint)")
            }
        }
        return try make(Settings(path: name, values: values), host)
    }
}
