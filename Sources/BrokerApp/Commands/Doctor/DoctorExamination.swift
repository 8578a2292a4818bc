internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import OpenSSLCrypto
internal import PlainText

/// Everything that `doctor` looks at, in the order in which one thing depends on another.
struct DoctorExamination {
    let configuration: BrokerConfiguration
    let registry: ProviderRegistry
    let network: Bool
    /// Without attestation and release, and without services that count requests.
    let quick: Bool
    let policy: String?
    let key: String?
    let store: KeyStoreOption

    func rows() async throws -> [DoctorRow] {
        let machine = configurationFindings()
        let composition: Composition
        do { composition = try Composition(configuration, registry: registry, logger: LoggingSetup.quiet()) } catch {
            let finding = Finding("start", error, next: "'serve' ends with this; 'config check' shows the settings")
            return (machine + [finding]).map { DoctorRow(.machine, $0) }
        }
        defer { composition.shutdown() }
        let engine = composition.engine
        var rows = (machine + trustFindings(composition)).map { DoctorRow(.machine, $0) }
        if let identity = composition.host.accessTokens as? any Diagnosing {
            rows += await identity.diagnosis(network: network, in: engine.makeContext(id: "doctor")).map { DoctorRow(.identity, $0) }
        }
        rows += await DoctorProgress.during("asking the services and the evidence device") {
            async let answers = network ? DoctorNetwork(composition).rows() : [DoctorRow(.machine, clockFinding)]
            let found = await engine.diagnosis(network: network, endorsements: !quick, id: "doctor")
            return await answers + found.map { DoctorRow($0.stage, $0.finding) }
        }
        guard !quick else { return rows }
        return rows + (try await DoctorRelease(self, composition).rows())
    }

    private func configurationFindings() -> [Finding] {
        let set = configuration.effective.filter { $0.source != .builtIn }
        let sources = Set(
            set.map { setting in
                switch setting.source {
                case .builtIn: "the program"
                case .file: setting.source.description
                case .environment: "the environment"
                case .option: "the command line"
                case .original: "the original sidecar's inputs"
                }
            }
        ).sorted()
        var findings = [
            Finding(
                .ok, "configuration",
                set.isEmpty ? "everything at its default" : "\(set.count) settings from \(sources.joined(separator: ", "))")
        ]
        findings += configuration.warnings.map { Finding(.warning, "configuration", $0) }
        return findings
    }

    private func trustFindings(_ composition: Composition) -> [Finding] {
        let trust = configuration.tls.trust
        let named = (trust.files + trust.directories).joined(separator: ", ")
        do {
            let count = try composition.host.trust.store().certificateCount
            let places = [trust.includesSystemDefaults ? "the system's authorities" : nil, named.isEmpty ? nil : named].compactMap(\.self)
                .joined(separator: " and ")
            guard count != 0 else {
                return [
                    Finding(
                        .problem, "trust store", "\(places): no certificate authority at all, so nobody can be believed",
                        next: "install the package ca-certificates, or name a file with tls.ca-file")
                ]
            }
            return [Finding(.ok, "trust store", "\(places), " + (count.map { "\($0) certificates" } ?? "looked up by name"))]
        } catch {
            return [
                Finding(
                    .problem, "trust store", "the certificate authorities cannot be read: \(error)",
                    next: "install the package ca-certificates, or name a file with tls.ca-file")
            ]
        }
    }

    /// Without another clock to compare with, only what cannot be.
    private var clockFinding: Finding {
        let now = SystemClock().now()
        // The day on which this check was written.
        guard now > 1_795_000_000 - 45 * 86_400 else {
            return Finding(
                .problem, "clock", "this machine thinks it is \(RFC3339.format(now)), which is past",
                cause: "clock", next: "set the clock; certificates and tokens are judged by it")
        }
        return Finding(.ok, "clock", "\(RFC3339.format(now)); compared with nobody's")
    }
}
