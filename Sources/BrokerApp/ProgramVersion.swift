internal import CBuildIdentity
internal import CurlTransport
internal import OpenSSLCrypto
internal import StrictJSON

enum ProgramVersion {
    static let text = "0.1.0"

    /// What `--version` prints: of which sources this program is, which parts of them it has, and with which libraries it runs.
    static var report: String {
        let commit = String(cString: broker_build_commit())
        return """
            attestation-broker \(text)
            commit: \(commit.isEmpty ? "unknown (the build was told no SOURCE_COMMIT)" : commit)
            traits: \(traits.isEmpty ? "none" : traits.joined(separator: ", "))
            libraries: OpenSSL \(OpenSSLVersion.text), libcurl \(CurlVersion.text), Jansson \(JanssonVersion.text)
            """
    }

    private static var traits: [String] {
        var names: [String] = []
        #if FixtureEvidence
            names.append("FixtureEvidence")
        #endif
        #if GRPC
            names.append("GRPC")
        #endif
        #if PolicyTools
            names.append("PolicyTools")
        #endif
        #if Simulators
            names.append("Simulators")
        #endif
        return names
    }
}
