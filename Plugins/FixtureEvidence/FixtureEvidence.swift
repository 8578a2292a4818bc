public import BrokerCore

/// Evidence provider `fixture`: reports with real signatures under a root of its own, or a recorded report played back.
///
/// For development and demonstrations. A simulator in another process can trust it through the setting `directory`, where the root is kept
/// as `fixture-ark.pem` (`SNPFixture.FixtureDirectory`). Every piece of evidence says that it is a fixture's.
public let fixtureEvidence = ProviderFactory<any EvidenceProvider>(
    name: "fixture", summary: "reports signed by a fixture root, or a recorded report; proves nothing about this machine",
    schema: FixtureSettings.schema
) { settings, host throws(BrokerError) in
    let options = try FixtureSettings(settings)
    if let recording = options.recording {
        return try RecordedEvidence(recording, platformEndorsements: options.platformEndorsements, path: settings.path, host: host)
    }
    return FixtureProvider(options, clock: host.clock)
}
