/// The authority of a policy taken apart, as far as Azure Attestation's naming goes (AttestationService.md, "Endpoints").
package struct AuthorityName {
    /// Region codes of the shared providers, in public and government clouds.
    package static let regionCodes: Set<String> = [
        "cau", "cau2", "eau", "sau", "ate", "sbr", "sebr", "cac", "cae", "cin", "cus", "clc", "easia", "eus", "eus2", "frc", "frs", "den",
        "dewc", "ilc", "itn", "jpe", "jpw", "krc", "krs", "mxc", "nzn", "ncus", "neu", "noe", "now", "plc", "san", "saw", "scus", "sin",
        "sasia", "esc", "sec", "ses", "swn", "sww", "uaec", "uaen", "uks", "ukw", "wcus", "weu", "win", "wus", "wus2", "wus3", "ugv", "uga",
    ]

    /// Region names as the portal and the templates write them, for what has a shared provider.
    package static let regions: [String: String] = [
        "australiacentral": "cau", "australiacentral2": "cau2", "australiaeast": "eau", "australiasoutheast": "sau", "austriaeast": "ate",
        "brazilsouth": "sbr", "brazilsoutheast": "sebr", "canadacentral": "cac", "canadaeast": "cae", "centralindia": "cin",
        "centralus": "cus", "chilecentral": "clc", "eastasia": "easia", "eastus": "eus", "eastus2": "eus2", "francecentral": "frc",
        "francesouth": "frs", "germanynorth": "den", "germanywestcentral": "dewc", "israelcentral": "ilc", "italynorth": "itn",
        "japaneast": "jpe", "japanwest": "jpw", "koreacentral": "krc", "koreasouth": "krs", "mexicocentral": "mxc",
        "newzealandnorth": "nzn", "northcentralus": "ncus", "northeurope": "neu", "norwayeast": "noe", "norwaywest": "now",
        "polandcentral": "plc", "southafricanorth": "san", "southafricawest": "saw", "southcentralus": "scus", "southindia": "sin",
        "southeastasia": "sasia", "spaincentral": "esc", "swedencentral": "sec", "swedensouth": "ses", "switzerlandnorth": "swn",
        "switzerlandwest": "sww", "uaecentral": "uaec", "uaenorth": "uaen", "uksouth": "uks", "ukwest": "ukw", "westcentralus": "wcus",
        "westeurope": "weu", "westindia": "win", "westus": "wus", "westus2": "wus2", "westus3": "wus3", "usgovvirginia": "ugv",
        "usgovarizona": "uga", "usgovtexas": "uga",
    ]

    package static let suffixes = ["attest.azure.net", "attest.azure.us"]

    package let text: String
    /// What stands before `://`, as written; `nil` without one.
    package let scheme: String?
    package let host: String
    /// What follows the host, its slash included.
    package let path: String

    package init(_ text: String) {
        self.text = text
        var rest = text[...]
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            scheme = String(parts[0])
            rest = parts[1]
        } else {
            scheme = nil
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        host = String(rest[..<end])
        path = String(rest[end...])
    }

    private var labels: [String] { host.lowercased().split(separator: ".").map(String.init) }

    /// The suffix of Azure Attestation that the host ends in.
    package var suffix: String? { Self.suffixes.first { host.lowercased().hasSuffix("." + $0) } }

    package var isAzureAttestation: Bool { suffix != nil }

    /// Labels before the suffix: provider, region, and `test` in the test environment.
    private var own: [String] {
        guard let suffix else { return [] }
        return Array(labels.dropLast(suffix.split(separator: ".").count))
    }

    package var isTestEnvironment: Bool { own.last == "test" && own.count == 3 }

    /// Provider and region of `contoso.weu.attest.azure.net`; `nil` for hosts of another form.
    package var provider: (name: String, region: String)? {
        let own = isTestEnvironment ? own.dropLast() : own[...]
        guard own.count == 2, let name = own.first, let region = own.last else { return nil }
        return (name, region)
    }

    /// The region code inside the name of a shared provider: `eus2` of `sharedeus2`.
    package var sharedCode: String? {
        guard let name = provider?.name, name.hasPrefix("shared") else { return nil }
        let code = String(name.dropFirst("shared".count))
        return code.isEmpty ? nil : code
    }

    /// Run by Microsoft for everybody.
    package var isShared: Bool { sharedCode.map { $0 == provider?.region || Self.regionCodes.contains($0) } ?? false }

    /// The issuer as Azure Attestation writes it: https, lower case, nothing after the host.
    package var canonical: String { "https://" + host.lowercased() }

    /// The issuer that a user means: a URL, a host, or the name of a region for its shared provider. `nil` for what is none of these.
    package static func origin(_ text: String) -> String? {
        if let code = AuthorityName.regions[text.lowercased()] {
            let suffix = code.hasPrefix("ug") ? AuthorityName.suffixes[1] : AuthorityName.suffixes[0]
            return "https://shared\(code).\(code).\(suffix)"
        }
        let name = AuthorityName(text.contains("://") ? text : "https://" + text)
        guard name.scheme == "https", name.path.isEmpty || name.path == "/", name.host.contains(".") else { return nil }
        let allowed = name.host.lowercased().allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-:".contains($0)) }
        return allowed ? name.canonical : nil
    }
}
