internal import AzureServices
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import Logging

/// What an operator should see first.
enum StartUpLog {
    static func write(_ configuration: BrokerConfiguration, to logger: Logger) {
        logger.notice(
            "attestation-broker \(ProgramVersion.text)",
            metadata: [
                "evidence": "\(configuration.evidence.name)", "verifier": "\(configuration.verifiers.map(\.name).joined(separator: ","))",
                "key_stores": "\(configuration.keyStores.map(\.name).joined(separator: ","))",
                "cloud": "\(configuration.identity.cloud.rawValue)",
            ])
        if let session = configuration.engine.session {
            let (age, uses) = (session.maxAge.settingText, session.maxUses)
            logger.notice("release sessions: one wrapping key opens every key released within \(age) (at most \(uses))")
        } else {
            logger.notice("release sessions are off: every wrapping key is used once")
        }
        for warning in configuration.warnings { logger.warning("\(warning)") }
    }
}
