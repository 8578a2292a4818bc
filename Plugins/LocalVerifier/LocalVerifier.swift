public import BrokerCore

/// Verifier `local`: judges evidence by the operator's configuration, beside the one that issues tokens.
public let localVerifier = ProviderFactory<any Verifier>(
    name: "local", summary: "the broker's own judgement of its evidence; signs nothing, stands beside a verifier that issues tokens",
    schema: LocalSettings.schema
) { settings, host throws(BrokerError) in try LocalJudge(try LocalSettings(settings, host), host) }
