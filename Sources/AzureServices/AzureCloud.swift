package import BrokerCore

/// Names that belong to one Azure cloud (AzureClouds.md, "Names and audiences"). The only table of suffixes and audiences in the broker.
package enum AzureCloud: String, SettingChoice {
    case `public` = "public"
    case usGovernment = "us-government"
    case china = "china"

    /// The cloud that `HostServices.cloud` names.
    package init(named name: String) throws(BrokerError) {
        guard let cloud = AzureCloud(rawValue: name) else {
            throw BrokerError(.misconfigured, at: .startup, "cloud: expected \(Self.settingType), found '\(name)'")
        }
        self = cloud
    }

    /// Host that exchanges federated tokens.
    package var authorityHost: String {
        switch self {
        case .public: "login.microsoftonline.com"
        case .usGovernment: "login.microsoftonline.us"
        case .china: "login.chinacloudapi.cn"
        }
    }

    /// What follows the name of a key vault, without a leading dot.
    package var vaultSuffix: String {
        switch self {
        case .public: "vault.azure.net"
        case .usGovernment: "vault.usgovcloudapi.net"
        case .china: "vault.azure.cn"
        }
    }

    /// What follows the name of a Managed HSM, without a leading dot.
    package var managedHSMSuffix: String {
        switch self {
        case .public: "managedhsm.azure.net"
        case .usGovernment: "managedhsm.usgovcloudapi.net"
        case .china: "managedhsm.azure.cn"
        }
    }

    /// What follows the name of an attestation provider, without a leading dot; `nil` where no documented suffix is known, so that
    /// authorities must be configured.
    package var attestationSuffix: String? {
        switch self {
        case .public: "attest.azure.net"
        case .usGovernment: "attest.azure.us"
        case .china: nil
        }
    }

    /// Audience of access tokens for key vaults.
    package var vaultAudience: String { "https://" + vaultSuffix }

    /// Audience of access tokens for Managed HSMs. Not interchangeable with that of vaults.
    package var managedHSMAudience: String { "https://" + managedHSMSuffix }
}
