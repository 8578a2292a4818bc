/// An answer of a key store that is not yes (KeyStores.md, "Refusals").
struct KeyStoreRefusal: Error {
    var status: Int
    var code: String
    var message: String
    /// `innererror.code`.
    var inner: String?
    /// What the real service does not say. Goes into `x-simulator-explanation` and the log.
    var explanation: String?

    init(_ status: Int, _ code: String, _ message: String, inner: String? = nil, because explanation: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner
        self.explanation = explanation
    }

    init(_ operation: UnsimulatedOperation) {
        self.init(UnsimulatedOperation.status, UnsimulatedOperation.code, operation.message)
    }

    static func badParameter(_ message: String, because explanation: String? = nil) -> KeyStoreRefusal {
        KeyStoreRefusal(400, "BadParameter", message, because: explanation)
    }

    static func forbidden(_ message: String, inner: String? = nil, because explanation: String? = nil) -> KeyStoreRefusal {
        KeyStoreRefusal(403, "Forbidden", message, inner: inner, because: explanation)
    }

    /// 404 for a key, or a version of one.
    static func keyNotFound(_ name: String, version: String? = nil, _ personality: KeyStorePersonality) -> KeyStoreRefusal {
        let identity = version.map { "\(name)/\($0)" } ?? name
        let message =
            switch personality {
            case .vault:
                "A key with (name/id) \(identity) was not found in this key vault. If you recently deleted this key you "
                    + "may be able to recover it using the correct recovery command. For help resolving this issue, "
                    + "please see https://go.microsoft.com/fwlink/?linkid=2125182"
            case .managedHSM: "Key not found: \(identity)"
            }
        return KeyStoreRefusal(404, "KeyNotFound", message)
    }

    static func deletedKeyNotFound(_ name: String) -> KeyStoreRefusal {
        KeyStoreRefusal(404, "KeyNotFound", "Deleted Key not found: \(name)")
    }

    /// Secure key release errors: numbered at the vault, plain at the HSM.
    static func skr(_ number: Int, _ text: String, _ personality: KeyStorePersonality, because explanation: String? = nil)
        -> KeyStoreRefusal
    {
        switch personality {
        case .vault: badParameter("AKV.SKR.\(number): \(text)", because: explanation)
        case .managedHSM: badParameter(text.hasSuffix(".") ? String(text.dropLast()) : text, because: explanation)
        }
    }

    /// The token's signature, its signer or its times are not believed.
    static func attestationNotVerified(_ explanation: String) -> KeyStoreRefusal {
        forbidden("Target environment attestation statement cannot be verified.", because: explanation)
    }

    /// The token is genuine, but the policy is not satisfied.
    static func policyNotSatisfied(_ explanation: String) -> KeyStoreRefusal {
        forbidden("Target environment attestation does not meet key release policy requirements.", because: explanation)
    }
}
