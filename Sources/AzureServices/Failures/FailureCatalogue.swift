// swift-format-ignore-file: LineLength
// One table; its rows are longer than lines of code.

extension KnownFailure {
    /// Everything that is known, the more special entry before the more general one. Sources: KeyStores.md, "Refusals";
    /// EntraTokens.md, "Refusals"; AttestationService.md, "Refusals"; KnownProblems.md, "Overview".
    package static let catalogue: [KnownFailure] =
        keyRelease + keyStore + KeyAction.allCases.map(\.missingPermission) + keyState + identity + attestation

    /// Secure key release itself.
    private static let keyRelease: [KnownFailure] = [
        KnownFailure(
            "policy-not-satisfied", ["does not meet key release policy", "does not satisfy the key release policy"],
            "the attestation token is genuine, but does not satisfy the key's release policy",
            [
                "compare each clause of the policy with the token: 'attestation-broker policy explain' prints the tree",
                "after a change of the container group's security policy, put the new host data into the key's policy "
                    + "('attestation-broker policy digest')",
            ]),
        KnownFailure(
            "token-not-verified", ["attestation statement cannot be verified"],
            "the key store could not verify the attestation token: its signature, issuer or times",
            [
                "the policy's authority must be the issuer of the token to the letter; a trailing slash or another region is another "
                    + "authority",
                "if the token verifies here ('attestation-broker token verify'), try again: the stores report this at times without cause",
            ]),
        KnownFailure(
            "akv-skr-1001", ["AKV.SKR.1001"], "the vault or the API version does not know exportable keys",
            ["use a premium vault and an API version of at least 7.3"]),
        KnownFailure(
            "akv-skr-1003", ["AKV.SKR.1003", "AKV.SKR.1014", "Cannot modify the exportable state"],
            "the store has a key of this name, and an existing key cannot become exportable, nor stop to be it",
            [
                "'attestation-broker key show' says what is there under this name",
                "import or create the key under a new name, or delete and purge the old one first",
            ]),
        KnownFailure(
            "akv-skr-1004", ["AKV.SKR.1004", "Exportable keys must have release policy"],
            "the release policy is missing or cannot be decoded",
            ["send release_policy.data as unpadded base64url of the policy's JSON; 'attestation-broker key import' does"]),
        KnownFailure(
            "akv-skr-1005", ["AKV.SKR.1005", "Non-exportable keys must not have release policy"],
            "the key is not exportable, so it has no release policy and cannot be released",
            ["import the key again under a new name with exportable and a policy", "an unrelated update must not send the policy along"]),
        KnownFailure(
            "akv-skr-1006", ["AKV.SKR.1006"], "software keys cannot be exportable",
            ["use the key types RSA-HSM, EC-HSM or, at a Managed HSM, oct-HSM; plain RSA and EC make software keys in a vault"]),
        KnownFailure(
            "akv-skr-1012", ["AKV.SKR.1012", "The specified attestation service"],
            "the store could not reach the policy's authority to fetch its keys; mostly this passes",
            [
                "try again in a minute",
                "if it stays, compare the authority with the attestation provider's URI to the letter ('attestation-broker key policy "
                    + "show'): the store asks it over the public internet",
            ]),
        KnownFailure(
            "akv-skr-1016", ["AKV.SKR.1016", "can only be set on versionless key"],
            "a release policy belongs to the key, not to one version",
            [
                "PATCH /keys/{name} without a version; 'attestation-broker key policy set NAME FILE' does",
                "a key that was made with the default policy for confidential VMs was reported to refuse every change: import it again "
                    + "under a new name",
            ]),
        KnownFailure(
            "akv-skr-1020", ["AKV.SKR.1020", "Immutable Key Release Policy"],
            "the release policy was made immutable and can never be changed",
            ["import the key again under a new name with the right policy; the old key stays as it is until it is deleted"]),
        KnownFailure(
            "akv-skr-other", ["AKV.SKR."], "the vault refuses for a reason of secure key release that is not in this catalogue",
            ["the number in the message is the vault's; look it up in the Key Vault documentation"]),
        KnownFailure(
            "policy-without-version", ["missing 'version' property"], "the release policy has no version",
            ["write \"version\": \"1.0.0\" into the policy ('attestation-broker policy lint' finds this)"]),
        KnownFailure(
            "oct-key-too-large", ["k property of oct key is too large"], "a symmetric key has at most 64 bytes",
            ["an RSA or EC key was probably imported as oct-HSM; set kty to RSA-HSM or EC-HSM"]),
        KnownFailure(
            "oct-key-in-vault", ["oct-HSM"], "a key vault has no symmetric keys",
            [
                "import the key into a Managed HSM (a host below managedhsm.azure.net)",
                "or give an RSA-HSM or EC-HSM key; -out derives a symmetric key from an RSA key",
            ], action: .import),
    ]

    /// Key stores in general.
    private static let keyStore: [KnownFailure] = [
        KnownFailure(
            "network-rules", ["ForbiddenByFirewall", "Client address is not authorized"],
            "the key store's firewall does not admit this address",
            ["allow this address or subnet in the store's network rules, or use a private endpoint"]),
        KnownFailure(
            "public-access-disabled", ["ForbiddenByConnection", "Public network access is disabled"],
            "the key store can only be reached through a private endpoint",
            ["run in a network with a private endpoint of the store, and check that its name resolves to the private address"]),
    ]

    /// What every action meets at a key store that would let it happen.
    private static let keyState: [KnownFailure] = [
        KnownFailure(
            "key-disabled", ["KeyDisabled", "KeyExpired", "KeyNotYetValid"], "the key is disabled, expired or not valid yet",
            ["look at enabled, nbf and exp with 'attestation-broker key show'"]),
        KnownFailure(
            "key-deleted", ["ObjectIsDeletedButRecoverable", "deleted but recoverable"], "a deleted key still holds this name",
            ["recover the deleted key, or purge it, or use another name"]),
        KnownFailure(
            "key-not-found", ["KeyNotFound"], "the store has no such key",
            [
                "'attestation-broker key list' shows the names; the configured store may be another than the one of the import",
                "a deleted key may be recoverable",
            ]),
        KnownFailure(
            "wrong-audience", ["AKV10022"], "the access token was issued for another service",
            ["ask for a token for https://vault.azure.net or https://managedhsm.azure.net, as the store is; they are not interchangeable"]),
        KnownFailure(
            "access-token-rejected", ["AKV10000", "AKV10001", "AKV10032", "AKV10046"],
            "the access token is missing, expired or of another tenant", ["get a new token from the tenant that the store belongs to"]),
        KnownFailure(
            "throttled", ["Throttled", "TooManyRequests"], "too many requests for the store's limits",
            ["wait as long as Retry-After says; HSM keys have low limits, larger RSA keys lower ones"]),
    ]

    /// Entra ID and the metadata service.
    private static let identity: [KnownFailure] = [
        KnownFailure(
            "federated-subject-mismatch", ["AADSTS70021", "AADSTS700213"],
            "no federated credential matches issuer, subject and audience of the service account's token",
            ["compare iss, sub and aud of the token with the identity's federated credential, letter by letter"]),
        KnownFailure(
            "federated-audience-mismatch", ["AADSTS700212"], "the federated credential names another audience",
            ["use the audience api://AzureADTokenExchange for both"]),
        KnownFailure(
            "assertion-expired", ["AADSTS700024"], "the service account's token is outside of its validity",
            ["check this machine's clock, and that the projected token is renewed"]),
        KnownFailure(
            "application-unknown", ["AADSTS700016"], "the tenant has no application with this client id",
            ["check AZURE_CLIENT_ID and AZURE_TENANT_ID"]),
        KnownFailure(
            "tenant-unknown", ["AADSTS90002", "AADSTS900023"], "there is no such tenant", ["check AZURE_TENANT_ID, and the cloud"]),
        KnownFailure(
            "resource-unknown", ["AADSTS500011"], "the tenant does not know the service that the token is for",
            ["check the cloud; vault and HSM have names of their own in each"]),
        KnownFailure(
            "identity-not-assigned", ["Identity not found", "no managed identity"], "no such managed identity is assigned to this machine",
            ["assign the identity to the container group or VM, or correct identity.client-id"]),
        KnownFailure(
            "entra-other", ["AADSTS"], "Entra ID refuses for a reason that is not in this catalogue",
            ["look the AADSTS number up at https://login.microsoftonline.com/error"]),
    ]

    /// Microsoft Azure Attestation.
    private static let attestation: [KnownFailure] = [
        KnownFailure(
            "attestation-policy-denied", ["PolicyEvaluationError", "A Deny claim was issued"],
            "the attestation provider's own policy refuses this evidence",
            [
                "compare the provider's attestation policy with the report ('attestation-broker evidence show'): debug, VMPL, versions, "
                    + "measurement",
                "a shared provider has a default policy that admits every genuine guest; use it to tell policy from evidence",
            ])
    ]
}
