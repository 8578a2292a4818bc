public import BrokerCore

/// Microsoft Azure Attestation for SEV-SNP (AttestationService.md, "Overview").
public let maaVerifier = ProviderFactory<any Verifier>(
    name: "maa", summary: "Microsoft Azure Attestation, SEV-SNP", schema: MAASettings.schema
) { settings, host throws(BrokerError) in try AttestationAuthority(try MAASettings(settings), host) }
