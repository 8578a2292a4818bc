internal import PlainText

/// The host names of Azure and AMD that are simulated (AttestationService.md, "Endpoints"; AzureClouds.md, "Names and audiences";
/// AMDEndorsements.md, "Key distribution service" and "Azure certificate cache").
enum KnownHosts {
    /// Region codes of attestation providers.
    static let regionCodes = [
        "cau", "cau2", "eau", "sau", "ate", "sbr", "sebr", "cac", "cae", "cin", "cus", "clc", "easia", "eus", "eus2", "frc", "frs", "den",
        "dewc", "ilc", "itn", "jpe", "jpw", "krc", "krs", "mxc", "nzn", "ncus", "neu", "noe", "now", "plc", "san", "saw", "scus", "sin",
        "sasia", "esc", "sec", "ses", "swn", "sww", "uaec", "uaen", "uks", "ukw", "wcus", "weu", "win", "wus", "wus2", "wus3",
    ]
    static let governmentRegionCodes = ["ugv", "uga"]

    static let attestationSuffixes = ["attest.azure.net", "attest.azure.us", "attest.azure.cn"]
    static let vaultSuffixes = ["vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn"]
    static let managedHSMSuffixes = ["managedhsm.azure.net", "managedhsm.usgovcloudapi.net", "managedhsm.azure.cn"]
    static let entraHosts = [
        "login.microsoftonline.com", "login.microsoftonline.us", "login.windows.net", "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
    ]
    static let managementHosts = ["management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"]
    /// `contoso.vault.localhost`: names that many clients resolve to the loopback interface by themselves.
    static let privateTopLabels = ["localhost", "localtest"]
    static let keyDistributionHost = "kdsintf.amd.com"
    static let certificateCacheHost = "global.acccache.azure.net"

    /// DNS names of the server certificate. A wildcard covers one label, so every region needs its own.
    static func serverCertificateNames(extra: [String]) -> [String] {
        var names = ["localhost"]
        for suffix in attestationSuffixes + vaultSuffixes + managedHSMSuffixes { names.append("*." + suffix) }
        for top in privateTopLabels { names += ["attest", "vault", "managedhsm"].map { "*.\($0).\(top)" } }
        names += regionCodes.map { "*.\($0).attest.azure.net" }
        names += governmentRegionCodes.map { "*.\($0).attest.azure.us" }
        names += entraHosts + managementHosts + [keyDistributionHost, certificateCacheHost] + extra
        return names
    }

    /// The service that answers for a host.
    enum Role: Equatable {
        case attestation
        case keyStore(KeyStorePersonality)
        case entra
        case management
        case keyDistribution
        case certificateCache
    }

    /// Whose host it is, by suffix; `nil` for strangers.
    static func role(of host: String) -> Role? {
        // Host names become file names and parts of tokens, so nothing but a DNS name may pass.
        guard host.utf8.consists(of: .lowercase + .digits + "-.", count: 0...253), !host.contains(".."), host.first != "." else {
            return nil
        }
        if entraHosts.contains(host) { return .entra }
        if managementHosts.contains(host) { return .management }
        if host == keyDistributionHost { return .keyDistribution }
        if host == certificateCacheHost { return .certificateCache }
        for suffix in attestationSuffixes where isUnder(host, suffix) { return .attestation }
        for suffix in vaultSuffixes where isDirectlyUnder(host, suffix) { return .keyStore(.vault) }
        for suffix in managedHSMSuffixes where isDirectlyUnder(host, suffix) { return .keyStore(.managedHSM) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard labels.count == 3, let top = labels.last, privateTopLabels.contains(top), labels[0] != "" else { return nil }
        switch labels[labels.count - 2] {
        case "attest": return .attestation
        case "vault": return .keyStore(.vault)
        case "managedhsm": return .keyStore(.managedHSM)
        default: return nil
        }
    }

    private static func isUnder(_ host: String, _ suffix: String) -> Bool { host.hasSuffix("." + suffix) }

    private static func isDirectlyUnder(_ host: String, _ suffix: String) -> Bool {
        isUnder(host, suffix) && !host.dropLast(suffix.utf8.count + 1).contains(".")
    }
}
