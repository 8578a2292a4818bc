internal import BrokerCore
internal import PlainText
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
            issuers: Self.issuers(options.uvmIssuers).map { issuer in
                var issuer = issuer
                issuer.minimumSVN = max(issuer.minimumSVN, options.uvmMinimumSVN)
                return issuer
            }, time: time)
        utilityVM.extendedKeyUsages = options.uvmUsages
        tcbReference = StatementTrust(issuers: Self.issuers(options.tcbReferenceIssuers), time: time)
        platformReference = StatementTrust(issuers: Self.issuers(options.platformReferenceIssuers), time: time)
    }

    /// The settings were checked before.
    private static func issuers(_ texts: [String]) -> [TrustedIssuer] { texts.compactMap { try? TrustedIssuer($0) } }

    /// What is wrong with a list of issuers, for the settings.
    static let complaint: @Sendable ([String]) -> String? = { texts in
        for (index, text) in texts.enumerated() {
            do throws(TrustedIssuer.Complaint) { _ = try TrustedIssuer(text) } catch { return "entry \(index + 1): \(error.description)" }
        }
        return nil
    }

    static let usageComplaint: @Sendable ([String]) -> String? = { usages in
        if usages.contains(TrustedIssuer.everySigner) {
            return "\(TrustedIssuer.everySigner) is in every certificate of Microsoft's signers and identifies none"
        }
        let isRight = usages.allSatisfy { $0.utf8.consists(of: .digits + ".", count: 3...128) && $0.utf8.contains(UInt8(ascii: ".")) }
        return isRight ? nil : "expected object identifiers such as 1.3.6.1.4.1.311.76.59.1.2"
    }
}
