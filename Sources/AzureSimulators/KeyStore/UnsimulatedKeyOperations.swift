/// Operations of the stores that are not simulated, by path (KeyStores.md, "Not simulated").
extension UnsimulatedOperation {
    private static let keepsKeys = "start 'simulate' with --keys DIRECTORY, which keeps every key from one start to the next"
    private static let newVersion = "create or import a key of the same name, which makes a new version"
    private static let local = "use the public key locally, or have the key released and use it where it is"

    /// What clients ask of one key: the last segment of its path.
    static func ofKey(_ action: String) -> UnsimulatedOperation? {
        switch action {
        case "encrypt", "decrypt", "sign", "verify": UnsimulatedOperation(action, instead: local)
        case "wrapkey": UnsimulatedOperation("wrapKey", instead: local)
        case "unwrapkey": UnsimulatedOperation("unwrapKey", instead: local)
        case "rotate": UnsimulatedOperation("rotate a key", instead: newVersion)
        case "rotationpolicy": UnsimulatedOperation("rotation policy of a key", instead: newVersion)
        case "attestation": UnsimulatedOperation("attestation of a key", instead: "there is no HSM that could attest a simulated key")
        case "backup": UnsimulatedOperation("backup of a key", instead: keepsKeys)
        case "restore": UnsimulatedOperation("restore of a key", instead: keepsKeys)
        default: nil
        }
    }

    static let restoreKey = UnsimulatedOperation("restore of a key", instead: keepsKeys)
    static let randomBytes = UnsimulatedOperation("random bytes (rng)", instead: "take them from the operating system")
    static let wrappedImport = UnsimulatedOperation(
        "import of a wrapped key (BYOK, key_hsm)", instead: "import the key itself, as 'attestation-broker key import' does")
    static let externalKey = UnsimulatedOperation("external key (EKM)", instead: "create or import a key in the store")
    static let postQuantum = UnsimulatedOperation("ML-DSA keys (AKP)", instead: "keys of these types cannot be released; use RSA or EC")

    /// What belongs to a store as a whole and is no key: the path's segments in lower case.
    static func ofStore(_ path: [String]) -> UnsimulatedOperation? {
        if let provider = path.firstIndex(of: "providers"), path[provider...].dropFirst().first == "microsoft.authorization" {
            let name = path[provider...].contains { $0.hasPrefix("roledefinition") } ? "role definitions" : "role assignments"
            return UnsimulatedOperation(
                name, instead: "every caller may do everything; 'simulate --deny PERMISSION' takes a permission away")
        }
        return switch path.first {
        case "secrets", "deletedsecrets": UnsimulatedOperation("secrets", instead: "the simulated stores hold keys alone")
        case "certificates", "deletedcertificates":
            UnsimulatedOperation("certificates", instead: "the simulated stores hold keys alone")
        case "storage", "deletedstorage": UnsimulatedOperation("storage accounts", instead: "the simulated stores hold keys alone")
        case "settings": UnsimulatedOperation("settings of a Managed HSM", instead: "a simulated HSM has none to change")
        case "backup", "prebackup": UnsimulatedOperation("full backup of a Managed HSM", instead: keepsKeys)
        case "restore", "prerestore": UnsimulatedOperation("full restore of a Managed HSM", instead: keepsKeys)
        case "securitydomain":
            UnsimulatedOperation("security domain of a Managed HSM", instead: "a simulated HSM is active from the start")
        case "ekm", "ekmconnection", "externalkeymanager": externalKey
        default: nil
        }
    }
}
