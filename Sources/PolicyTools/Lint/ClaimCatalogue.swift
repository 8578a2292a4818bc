internal import PlainText
internal import ReleasePolicy

/// The claims of Azure Attestation's tokens that a release policy may name (AttestationService.md, "Claims", "Claims that newer tokens add"
/// and "Tokens of confidential VMs").
enum ClaimCatalogue {
    enum Kind: Equatable {
        case text
        /// Lower-case hex of that many digits.
        case hex(digits: Int)
        case number
        case boolean
        /// A GUID; upper case on AMD.
        case identifier
        /// One of these texts.
        case choice([String])
        /// An object or array: nothing to compare, only to lead into.
        case structure
    }

    /// Where a claim is in a token.
    enum Home: Equatable {
        /// At the top of every token.
        case everywhere
        /// At the top of a raw SNP token, under `x-ms-isolation-tee` in the token of a confidential VM.
        case hardware
        /// At the top of the token of a virtual machine.
        case machine
    }

    struct Claim: Equatable {
        let name: String
        let kind: Kind
        let home: Home
    }

    static let attestationTypes = ["sevsnpvm", "azurevm", "tdxvm", "sgx", "tpm", "openenclave"]
    static let containerCompliance = ["azure-compliant-uvm", "azure-signed-katacc-uvm"]
    static let machineCompliance = "azure-compliant-cvm"

    static let all: [Claim] = common + hardware + machine

    private static let common: [Claim] = [
        Claim(name: "iss", kind: .text, home: .everywhere), Claim(name: "iat", kind: .number, home: .everywhere),
        Claim(name: "nbf", kind: .number, home: .everywhere), Claim(name: "exp", kind: .number, home: .everywhere),
        Claim(name: "jti", kind: .text, home: .everywhere), Claim(name: "nonce", kind: .text, home: .everywhere),
        Claim(name: "x-ms-ver", kind: .text, home: .everywhere), Claim(name: "x-ms-policy-hash", kind: .text, home: .everywhere),
        Claim(name: "x-ms-policy-signer", kind: .structure, home: .everywhere),
        Claim(name: "x-ms-policy", kind: .structure, home: .everywhere), Claim(name: "x-ms-inittime", kind: .structure, home: .everywhere),
        Claim(name: "x-ms-runtime", kind: .structure, home: .everywhere),
        Claim(name: "x-ms-isolation-tee", kind: .structure, home: .machine),
        Claim(name: "x-ms-attestation-type", kind: .choice(attestationTypes), home: .everywhere),
        Claim(name: "x-ms-compliance-status", kind: .choice(containerCompliance + [machineCompliance]), home: .hardware),
    ]

    private static let hardwareKinds: [(name: String, kind: Kind)] = [
        ("authorkeydigest", .hex(digits: 96)), ("bootloader-svn", .number), ("familyId", .hex(digits: 32)), ("guestsvn", .number),
        ("hostdata", .hex(digits: 64)), ("idkeydigest", .hex(digits: 96)), ("imageId", .hex(digits: 32)), ("is-debuggable", .boolean),
        ("launchmeasurement", .hex(digits: 96)), ("microcode-svn", .number), ("migration-allowed", .boolean),
        ("reportdata", .hex(digits: 128)), ("reportid", .hex(digits: 64)), ("smt-allowed", .boolean), ("snpfw-svn", .number),
        ("tee-svn", .number), ("vmpl", .number),
        // Seen only in third-party code (AttestationService.md, "Claims that newer tokens add").
        ("chipid", .text), ("chip-family", .text), ("ciphertext-hiding-dram-enabled", .boolean), ("cxl-allowed", .boolean),
        ("mem-aes256-xts-required", .boolean), ("page-swap-disabled", .boolean), ("rapl-disabled", .boolean), ("singlesocket", .boolean),
    ]

    private static let hardware: [Claim] = hardwareKinds.map { Claim(name: "x-ms-sevsnpvm-" + $0.name, kind: $0.kind, home: .hardware) }

    private static let machineKinds: [(name: String, kind: Kind)] = [
        ("secureboot", .boolean), ("x-ms-azurevm-attestation-protocol-ver", .text), ("x-ms-azurevm-attested-pcrs", .structure),
        ("x-ms-azurevm-attested-pcr-values", .structure), ("x-ms-azurevm-vmid", .identifier), ("x-ms-azurevm-osversion-major", .number),
        ("x-ms-azurevm-osversion-minor", .number), ("x-ms-azurevm-ostype", .text), ("x-ms-azurevm-osdistro", .text),
        ("x-ms-azurevm-osbuild", .text), ("x-ms-azurevm-is-windows", .boolean), ("x-ms-azurevm-bootdebug-enabled", .boolean),
        ("x-ms-azurevm-dbvalidated", .boolean), ("x-ms-azurevm-dbxvalidated", .boolean), ("x-ms-azurevm-debuggersdisabled", .boolean),
        ("x-ms-azurevm-default-securebootkeysvalidated", .boolean), ("x-ms-azurevm-elam-enabled", .boolean),
        ("x-ms-azurevm-flightsigning-enabled", .boolean), ("x-ms-azurevm-hypervisordebug-enabled", .boolean),
        ("x-ms-azurevm-kerneldebug-enabled", .boolean), ("x-ms-azurevm-signingdisabled", .boolean),
        ("x-ms-azurevm-testsigning-enabled", .boolean), ("x-ms-azurevm-hvci-policy", .number),
    ]

    private static let machine: [Claim] = machineKinds.map { Claim(name: $0.name, kind: $0.kind, home: .machine) }

    /// Names below which the deployment, a policy or another kind of hardware chooses the rest.
    private static let openPrefixes = [
        "x-ms-runtime.", "x-ms-inittime.", "x-ms-policy.", "x-ms-policy-signer.", "x-ms-azurevm-attested-pcr-values.", "x-ms-sgx-",
        "x-ms-tdx-", "x-ms-tpm-",
    ]

    static func isOpen(_ name: ClaimName) -> Bool { openPrefixes.contains { name.base.hasPrefix($0) } }

    /// The claim of that name; a VM's own claims are not under `x-ms-isolation-tee`.
    static func claim(_ name: ClaimName) -> Claim? {
        if name == ClaimName("x-ms-isolation-tee.x-ms-runtime.vm-configuration.vmUniqueId")
            || name == ClaimName("x-ms-runtime.vm-configuration.vmUniqueId")
        {
            return Claim(name: name.base, kind: .identifier, home: .hardware)
        }
        return all.first { $0.name == name.base && (!name.isNested || $0.home != .machine) }
    }

    /// The known name that was most likely meant.
    static func nearest(to text: String) -> String? {
        let name = ClaimName(text)
        let candidates = all.filter { !name.isNested || $0.home != .machine }.map(\.name)
        if let found = NearestName.nearest(to: name.base, among: candidates) {
            return name.isNested ? ClaimName.isolationPrefix + found : found
        }
        // A VM's own claim that was put into the hardware's part.
        if name.isNested, all.contains(where: { $0.name == name.base }) { return name.base }
        // A misspelled prefix.
        return NearestName.nearest(to: text, among: all.filter { $0.home == .hardware }.map { ClaimName.isolationPrefix + $0.name })
    }
}
