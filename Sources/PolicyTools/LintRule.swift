/// The rules of the linter. Their codes are stable.
public enum LintRule: String, Sendable, CaseIterable {
    // The grammar (azure-protocols.md, section 2.9).
    case syntax
    case topLevelAllOf = "top-level-all-of"
    case missingAuthorities = "missing-authorities"
    case unsupportedVersion = "unsupported-version"
    case missingMember = "missing-member"
    case unknownMember = "unknown-member"
    case invalidValue = "invalid-value"
    case emptyList = "empty-list"
    case ambiguous
    case tooDeep = "too-deep"
    case previewForm = "preview-form"
    case oldVersion = "old-version"

    // Authorities.
    case impossibleAuthority = "authority-host-impossible"
    case unknownRegion = "authority-region-unknown"
    case trailingSlash = "authority-trailing-slash"
    case authorityScheme = "authority-scheme"
    case authorityCase = "authority-case"
    case authorityPath = "authority-path"
    case testEnvironment = "authority-test-environment"
    case foreignAuthority = "authority-not-attestation"

    // Claims and values.
    case unknownClaim = "unknown-claim"
    case claimCase = "claim-case"
    case structureClaim = "claim-not-comparable"
    case valueCase = "value-case"
    case valueForm = "value-form"
    case valueType = "value-type"
    case unknownValue = "value-unknown"
    case numberText = "number-text"
    case orderOfText = "order-of-text"
    case unsafeNumber = "unsafe-number"
    case unverifiedOperator = "unverified-operator"

    // What the policy as a whole admits.
    case containerStyle = "container-claims-for-cvm"
    case machineStyle = "cvm-claims-for-container"
    case anyTenant = "admits-any-tenant"
    case missingDebug = "missing-debug-clause"
    case debugAdmitted = "debug-admitted"
    case missingHostData = "missing-host-data"
    case wellKnownHostData = "well-known-host-data"
    case missingCompliance = "missing-compliance-clause"
    case pinnedMeasurement = "measurement-pinned"
    case contradiction
    case repeated = "repeated-condition"
    case tooManyAlternatives = "too-many-alternatives"
    case immutable = "immutable-with-findings"

    /// What a finding of the rule means, one sentence.
    public var meaning: String {
        switch self {
        case .syntax: "The text is not JSON, or larger or deeper than a policy may be."
        case .topLevelAllOf: "The top level is allOf; a release policy's top level is anyOf with a list of authorities."
        case .missingAuthorities: "There is no anyOf with a list of authorities."
        case .unsupportedVersion: "The version is none that a service accepts."
        case .missingMember: "A required member is absent."
        case .unknownMember: "A member or operator that the grammar does not know."
        case .invalidValue: "A value of the wrong type or form."
        case .emptyList: "A list that needs an element is empty; an empty allOf would admit every token."
        case .ambiguous: "anyOf and allOf together, or two operators in one condition."
        case .tooDeep: "Conditions nest too deeply."
        case .previewForm:
            "The form {claim, condition, value} of the first preview; whether services still accept it is unknown."
        case .oldVersion: "The version is missing or old; Managed HSM once refused policies without one."
        case .impossibleAuthority: "The host cannot exist: its two region codes disagree."
        case .unknownRegion: "The region code is none of a shared provider that is known here."
        case .trailingSlash: "The authority ends with a slash, which issuers of Azure Attestation do not have."
        case .authorityScheme: "The authority does not start with https://."
        case .authorityCase: "The authority has capital letters, which issuers do not have."
        case .authorityPath: "Something follows the host; the issuer is the host alone."
        case .testEnvironment: "The host is of Azure Attestation's test environment."
        case .foreignAuthority: "The host is none of Azure Attestation, the only authority that is documented."
        case .unknownClaim: "No token has this claim as far as is known; the nearest known name is suggested."
        case .claimCase: "The claim's name is right but for the case of letters, which counts."
        case .structureClaim: "The claim is an object or an array, which no operand equals."
        case .valueCase: "The value's letters have the wrong case; comparison is case-sensitive."
        case .valueForm: "The value cannot be this claim's: wrong length, wrong characters, a placeholder."
        case .valueType: "The claim is of a type whose text never equals this value."
        case .unknownValue: "The claim has a small set of values, and this is none of them."
        case .numberText: "The number is written so that its text differs from the claim's: 1.0, 00."
        case .orderOfText: "An ordering operator on a claim that is no number, or with a number written as text."
        case .unsafeNumber: "A number beyond 2^53, which some JSON readers round."
        case .unverifiedOperator: "An operator whose effect on the services is not documented well enough to rely on."
        case .containerStyle: "Undotted claims where a confidential VM's token has them under x-ms-isolation-tee."
        case .machineStyle: "Claims of a confidential VM's token in a policy for containers, whose tokens are flat."
        case .anyTenant:
            "Guests of every Azure tenant satisfy one of the alternatives: nothing identifies this workload."
        case .missingDebug: "Nothing demands that the guest cannot be debugged by its host."
        case .debugAdmitted: "The policy admits a guest whose memory its host can read."
        case .missingHostData:
            "A policy for containers that does not pin the host data, the hash of the security policy."
        case .wellKnownHostData: "The host data is one that identifies nobody: zeros, or a well-known allow-all policy."
        case .missingCompliance: "Nothing demands that Azure knows the platform's firmware and measurement."
        case .pinnedMeasurement: "The launch measurement is pinned; it changes with every update of the platform."
        case .contradiction: "Two conditions that no token meets together."
        case .repeated: "The same condition twice."
        case .tooManyAlternatives: "So many alternatives that the judgement of the whole was left out."
        case .immutable: "The policy is immutable, so none of the findings can ever be mended on this key."
        }
    }
}
