import BrokerConfiguration
import Logging

/// What an operator should see first.
enum StartUpLog {
    static func write(_ configuration: BrokerConfiguration, to logger: Logger) {
        logger.notice(
            "attestation-broker \(ProgramVersion.text)",
            metadata: [
                "evidence": "\(configuration.evidence.name)", "verifier": "\(configuration.verifier.name)",
                "key_stores": "\(configuration.keyStores.map(\.name).joined(separator: ","))",
                "cloud": "\(configuration.cloud.rawValue)",
            ])
        for warning in configuration.warnings { logger.warning("\(warning)") }
    }
}
