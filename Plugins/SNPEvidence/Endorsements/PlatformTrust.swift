internal import BrokerCore
internal import UVMEndorsements

/// Values of the setting `uvm-check`.
enum UVMCheckChoice: String, SettingChoice {
    /// Without an endorsement that holds, where the platform brings one, there is no evidence.
    case require
    /// What does not hold is passed on all the same, with a line in the log: the verifier judges it.
    case warn
    /// What the platform brings is passed on unread.
    case off
}

/// How the platform's statements about itself are judged.
struct PlatformTrust: Sendable {
    var check = UVMCheckChoice.require
    /// Of the utility VM's endorsement.
    var utilityVM = StatementTrust(issuers: TrustedIssuer.microsoft)
    /// Of `tcb-reference-info` and `platform-reference-info`; without an issuer each is opaque.
    var tcbReference = StatementTrust(issuers: [])
    var platformReference = StatementTrust(issuers: [])

    init() {}

    init(_ options: SNPSettings, time: Int64) {
        check = options.uvmCheck
        utilityVM = StatementTrust(
            issuers: options.uvmIssuers, minimumSVN: options.uvmMinimumSVN, extendedKeyUsages: options.uvmUsages, time: time)
        tcbReference = StatementTrust(issuers: options.tcbReferenceIssuers, time: time)
        platformReference = StatementTrust(issuers: options.platformReferenceIssuers, time: time)
    }
}
