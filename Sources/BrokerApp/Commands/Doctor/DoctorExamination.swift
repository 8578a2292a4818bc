internal import AttestationTokens
internal import AzureKeyRelease
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import OpenSSLCrypto
internal import PlainText
internal import ReleasePolicy
internal import SNPReport
internal import StrictJSON

/// Everything that `doctor` looks at, in the order in which one thing depends on another.
struct DoctorExamination {
    let configuration: BrokerConfiguration
    let registry: ProviderRegistry
    let network: Bool
    let policy: String?
    let key: String?
    let store: KeyStoreOption

    func findings() async throws -> [Finding] {
        var findings = configurationFindings()
        let composition: Composition
        do { composition = try Composition(configuration, registry: registry, logger: LoggingSetup.quiet()) } catch {
            return findings + [Finding("start", error, next: "'serve' ends with this; 'config check' shows the settings")]
        }
        defer { composition.shutdown() }
        findings += trustFindings(composition)
        if let identity = composition.host.accessTokens as? any Diagnosing {
            findings += await identity.diagnosis(network: network, in: composition.engine.makeContext(id: "doctor"))
        }
        if network { findings += await DoctorNetwork(composition).findings() } else { findings.append(clockFinding) }
        let providers = await composition.engine.diagnosis(network: network, id: "doctor")
        findings += providers
        return findings + (try await policyFindings(composition))
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
                next: "set the clock; certificates and tokens are judged by it")
        }
        return Finding(.ok, "clock", "\(RFC3339.format(now)); compared with nobody's")
    }

    // MARK: Token and policy

    private func policyFindings(_ composition: Composition) async throws -> [Finding] {
        let engine = composition.engine
        var findings: [Finding] = []
        var claims: JSONObject?
        var issuer = ""
        var unknowable: [String] = []
        if network, composition.authority != nil {
            do {
                let token = try await engine.token(for: RuntimeData([]), from: nil, in: engine.makeContext(id: "doctor"))
                claims = token.content.claims
                issuer = token.content.issuer
                findings.append(Finding(.ok, "token", Self.words(claims, issuer)))
            } catch { findings.append(Finding("token", error)) }
        }
        guard policy != nil || key != nil else { return findings }
        if claims == nil {
            do throws(BrokerError) {
                let evidence = try await engine.rawEvidence(for: RuntimeData([]), in: engine.makeContext(id: "doctor"))
                if let report = try? AttestationReport(evidence.report) {
                    claims = ReportClaims.make(report)
                    unknowable = ReportClaims.unknowable
                    issuer = composition.authority.map { $0.origin } ?? ""
                    claims?.set("iss", .string(issuer))
                }
            } catch { return findings + [Finding("policy", error)] }
        }
        guard let claims else { return findings }
        func judge(_ policy: ReleasePolicy, _ name: String) -> Finding {
            Self.judge(
                ReleaseExplanation(policy.evaluate(claims: claims, issuer: issuer), claims: claims, unknowableClaims: unknowable), name)
        }
        if let policy {
            do { findings.append(judge(try ReleasePolicy(json: PolicyFile.document(policy).text), policy)) } catch let error
                as CommandFailure
            { throw error } catch {
                findings.append(
                    Finding(.problem, "policy", "\(policy) is no release policy: \(error)", next: "'policy lint' names every fault"))
            }
        }
        if let key { findings.append(try await keyFinding(key, composition, judge)) }
        return findings
    }

    private func keyFinding(_ name: String, _ composition: Composition, _ judge: (ReleasePolicy, String) -> Finding) async throws -> Finding
    {
        guard let keyName = KeyName(name) else {
            throw CommandFailure(.usage, "a key's name is NAME or NAME/VERSION, the version 32 hexadecimal digits")
        }
        let manager = try KeyManager(store: try store.endpoint(composition), composition.host)
        let description: KeyDescription
        do throws(BrokerError) { description = try await manager.key(keyName, in: composition.engine.makeContext(id: "doctor")) } catch {
            return Finding("key", error)
        }
        guard description.isReleasable, let policy = description.policy else {
            return Finding(.problem, "key", "\(description.keyID) is \(KeyTerms(description).verdict)")
        }
        return judge(policy, description.keyID)
    }

    private static func words(_ claims: JSONObject?, _ issuer: String) -> String {
        guard case .string(let status)? = claims?["x-ms-compliance-status"] else {
            return "\(issuer) gave a token, which verifies; it has no x-ms-compliance-status"
        }
        let shown = String(decoding: JSONValue.string(String(status.prefix(80))).serialized(), as: UTF8.self)
        return "\(issuer) gave a token, which verifies; x-ms-compliance-status is \(shown)"
    }

    private static func judge(_ explanation: ReleaseExplanation, _ name: String) -> Finding {
        switch explanation.verdict {
        case "satisfied": Finding(.ok, "policy", "\(name): \(explanation.summary)")
        case "undecided":
            Finding(.warning, "policy", "\(name): \(explanation.summary)", next: "run without --offline for the authority's word")
        default:
            Finding(
                .problem, "policy", "\(name): \(explanation.summary)",
                next: explanation.smallestChange?.steps.first.flatMap { $0.deployment ?? $0.policy }
                    ?? "'policy explain' shows the whole tree")
        }
    }
}
