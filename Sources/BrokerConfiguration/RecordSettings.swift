internal import BrokerCore
internal import BrokerObservability
internal import Logging

/// Who may ask, and what is written down about it.
extension BrokerSettings {
    static let noNUL: @Sendable (String) -> String? = { $0.utf8.contains(0) ? "a path has no NUL character" : nil }

    struct ServerTLS: SettingsGroup {
        let certificate = SettingKey<String>(
            "certificate", default: "",
            help: "PEM file with the certificate of server.http and server.grpc and its chain; without it, no TLS",
            check: noNUL)
        let key = SettingKey<String>("key", default: "", help: "PEM file with the certificate's private key", check: noNUL)
        let clientAuthority = SettingKey<String>(
            "client-ca", default: "", help: "PEM file with authorities of client certificates; nobody is served over TLS without one",
            check: noNUL)
        let listeners = SettingKey<TLSListeners>(
            "listeners", default: .all, help: "Which of server.http and server.grpc serve TLS; guests in Rust call gRPC in the clear only")
    }

    struct Callers: SettingsGroup {
        let rules = SettingKey<AccessRulesSetting>(
            "rules", default: AccessRulesSetting.none,
            help: "Who may ask for what; the first rule decides, and nobody else may once there is one")
        let bearerFile = SettingKey<String>(
            "bearer-file", default: "",
            help: "File with lines NAME TOKEN; where there is one, requests on TCP without a client certificate need such a bearer token",
            check: noNUL)
        let rate = SettingKey<RateSetting>("rate", default: RateSetting(rate: nil), help: "Most requests of each caller")
        let totalRate = SettingKey<RateSetting>(
            "total-rate", default: RateSetting(rate: nil), help: "Most requests of all callers together")
    }

    struct Log: SettingsGroup {
        let level = SettingKey<Logger.Level>("level", default: .info, help: "Least severe level that is logged")
        let format = SettingKey<LogLineFormat>("format", default: .text, help: "Lines for people or one JSON object a line")
        let file = SettingKey<String>(
            "file", default: "", help: "File to append to, made with mode 0600; standard error when empty",
            check: noNUL)
        let rotate = SettingKey<Int>(
            "rotate", default: 0, in: 0...(1 << 40),
            help: "Length of log.file in bytes at which it is renamed to FILE.1 and begun anew; 0 leaves that to others, who send SIGHUP")
    }

    struct Audit: SettingsGroup {
        let file = SettingKey<String>(
            "file", default: "", help: "File, or pipe, with a line for every attestation and release, made with mode 0600; none when empty",
            check: noNUL)
        let required = SettingKey<Bool>(
            "required", default: true, help: "Whether keys, tokens and evidence are kept back while their line cannot be written")
        let keyFile = SettingKey<String>(
            "key-file", default: "", help: "File with 32 to 4,096 random bytes; only who has them can write the head of the audit's chain",
            check: noNUL)
        let flush = SettingKey<AuditFlush>(
            "fsync", default: .batch,
            help: "Whether each line is flushed to the disk by itself, or those that come meanwhile together; answers wait either way")
        let maximumSize = SettingKey<Int>(
            "max-size", default: 64 << 20, in: 0...(1 << 40),
            help: "Length in bytes at which the file is put aside under the number of its last line; 0 never does")
    }
}
