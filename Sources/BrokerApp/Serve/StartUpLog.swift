internal import AzureServices
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import BrokerObservability
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
        write(configuration.callers, to: logger)
        if let audit = configuration.audit {
            let words = audit.isRequired ? "nothing leaves without its line" : "keys leave also where their line cannot be written"
            logger.notice("audit: \(words)", metadata: ["file": "\(audit.file)", "fsync": "\(audit.flush.rawValue)"])
        }
        for warning in configuration.warnings { logger.warning("\(warning)") }
    }

    static func write(_ callers: BrokerConfiguration.Callers, to logger: Logger) {
        let count = callers.rules.rules.count
        logger.notice(
            count == 0
                ? "callers.rules is empty: every process that reaches a listener may take every key"
                : "callers: \(count) \(count == 1 ? "rule" : "rules"); who is in none of them gets nothing")
    }
}
