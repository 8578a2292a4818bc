internal import ReleasePolicy

/// Which of the two services answers (KeyStores.md, "Vault and HSM").
enum KeyStorePersonality: Sendable, Equatable {
    case vault
    case managedHSM

    /// Host of the authority in challenges.
    var challengeHost: String {
        switch self {
        case .vault: "login.windows.net"
        case .managedHSM: "login.microsoftonline.com"
        }
    }

    var policyStyle: ReleasePolicy.Style {
        switch self {
        case .vault: .vault
        case .managedHSM: .managedHSM
        }
    }

    /// Provider and type in names of data actions.
    var resourceType: String {
        switch self {
        case .vault: "Microsoft.KeyVault/vaults"
        case .managedHSM: "Microsoft.KeyVault/managedHsm"
        }
    }

    /// `kty` in answers to get, create and import; `nil` where the service does not have such keys.
    func storedType(_ requested: String, hsm: Bool) -> String? {
        switch (self, requested) {
        case (.vault, "RSA"), (.vault, "EC"): hsm ? requested + "-HSM" : requested
        case (_, "RSA-HSM"), (_, "EC-HSM"): requested
        case (.managedHSM, "RSA"), (.managedHSM, "EC"): requested + "-HSM"
        case (.managedHSM, "oct"), (.managedHSM, "oct-HSM"): "oct-HSM"
        default: nil
        }
    }

    /// `kty` inside of a release answer.
    func releasedType(_ stored: String) -> String {
        switch self {
        case .vault: stored
        case .managedHSM: stored.hasSuffix("-HSM") ? String(stored.dropLast(4)) : stored
        }
    }
}
