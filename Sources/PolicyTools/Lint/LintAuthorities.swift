internal import PlainText
internal import ReleasePolicy
internal import AttestationTokens

/// Whether an authority can be the issuer of a token.
enum LintAuthorities {
    static func check(_ text: String, at pointer: String, into drafts: inout PolicyLinter.Drafts) {
        let authority = AuthorityName(text)
        let shown = VisibleText.quoted(text)
        let fix = "write \(VisibleText.quoted(authority.canonical))"
        if authority.scheme != "https" {
            drafts.add(
                .authorityScheme, .error, pointer, "\(shown) does not start with https://; issuers do, and the texts are compared exactly",
                fix: fix)
        }
        if authority.host.contains(where: \.isUppercase) {
            drafts.add(
                .authorityCase, .error, pointer, "\(shown) has capital letters; issuers are lower case, and the texts are compared exactly",
                fix: fix)
        }
        if authority.path == "/" {
            drafts.add(
                .trailingSlash, .warning, pointer,
                "\(shown) ends with a slash; issuers of Azure Attestation have none, and exact comparison fails (whether a service "
                    + "forgives it is not documented)",
                fix: fix)
        } else if !authority.path.isEmpty {
            drafts.add(.authorityPath, .error, pointer, "something follows the host in \(shown); the issuer is the host alone", fix: fix)
        }
        guard authority.isAzureAttestation else {
            drafts.add(
                .foreignAuthority, .warning, pointer,
                "\(VisibleText.quoted(authority.host)) is not a host of Azure Attestation, the only authority that Key Vault and Managed "
                    + "HSM document",
                fix: "write the attestation provider's URL, https://NAME.REGION.attest.azure.net")
            return
        }
        checkProvider(authority, shown, at: pointer, into: &drafts)
    }

    private static func checkProvider(
        _ authority: AuthorityName, _ shown: String, at pointer: String, into drafts: inout PolicyLinter.Drafts
    ) {
        if authority.isTestEnvironment {
            drafts.add(
                .testEnvironment, .warning, pointer, "\(shown) is a host of the test environment",
                fix: "write the production host, without the label \"test\"")
        }
        guard let provider = authority.provider, let suffix = authority.suffix else {
            drafts.add(
                .impossibleAuthority, .error, pointer, "\(shown) cannot be a provider's host: those are NAME.REGION.attest.azure.net",
                fix: "write both the provider's name and its region's code")
            return
        }
        if let code = authority.sharedCode, code != provider.region {
            let isCode = AuthorityName.regionCodes.contains(code)
            // Somebody's own provider may be called sharedkeys; a slip in the code looks like the region's.
            if isCode || NearestName.nearest(to: code, among: [provider.region]) != nil {
                let likely = isCode ? code : provider.region
                drafts.add(
                    .impossibleAuthority, .error, pointer,
                    "\(shown) cannot exist: the host of a shared provider has its region's code twice, here they are "
                        + "\(VisibleText.quoted(code)) and \(VisibleText.quoted(provider.region))",
                    fix: "write \"https://shared\(likely).\(likely).\(suffix)\"")
                return
            }
        }
        if !AuthorityName.regionCodes.contains(provider.region) {
            let nearest = NearestName.nearest(to: provider.region, among: AuthorityName.regionCodes.sorted())
            drafts.add(
                .unknownRegion, .warning, pointer, "\(VisibleText.quoted(provider.region)) is no region code that is known here",
                fix: nearest.map { "did you mean \(VisibleText.quoted($0))?" })
        }
    }
}
