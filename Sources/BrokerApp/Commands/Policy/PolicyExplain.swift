#if PolicyTools
    internal import AttestationTokens
    internal import ArgumentParser
    internal import BrokerConfiguration
    internal import BrokerCore
    internal import BrokerEngine
    internal import PolicyTools
    internal import ReleasePolicy
    internal import SNPReport
    internal import StrictJSON

    struct PolicyExplain: ProviderCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "Show why a release policy does or does not admit a token.",
            discussion: """
                The evaluator is the simulators' and the broker's. A token's signature is not looked at, 'token verify' does that: a yes \
                says what would happen if the token is genuine and in force, and when it expires. With --live the claims are derived \
                from a report of the configured evidence provider: what only the authority decides, above all the compliance status, \
                is then unknown and --assume can state it. Exit status 0 when the policy is satisfied, 1 when it is not or cannot be \
                decided.
                """
        ).examples("policy explain --policy policy.json --token token.jwt")

        @OptionGroup var options: ConfigurationOptions

        @Option(help: ArgumentHelp("The policy, or a key as the store shows it; - for standard input.", valueName: "file")) var policy:
            String

        @Option(help: ArgumentHelp("An attestation token; - for standard input.", valueName: "file")) var token: String?

        @Option(help: ArgumentHelp("Claims as a JSON object; - for standard input.", valueName: "file")) var claims: String?

        @Flag(help: "Derive the claims from the evidence of this machine.") var live = false

        @Option(
            help: ArgumentHelp(
                "The token's issuer, for claims that have none (default with --live: the configured MAA endpoint).", valueName: "url"))
        var issuer: String?

        @Option(
            help: ArgumentHelp(
                "Set a claim, for example x-ms-compliance-status=azure-compliant-uvm. May be repeated.", valueName: "claim=value"))
        var assume: [String] = []

        @Option(help: ArgumentHelp("Write a self-contained page; - for standard output.", valueName: "file")) var html: String?

        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            let sources = [token != nil, claims != nil, live].filter { $0 }.count
            if sources != 1 { throw ValidationError("give one of --token, --claims and --live") }
            if [policy, token, claims].compactMap({ $0 }).filter({ $0 == "-" }).count > 1 {
                throw ValidationError("only one input can be standard input")
            }
            if html == "-", json { throw ValidationError("--html - and --json both want standard output") }
        }

        func run(_ registry: ProviderRegistry) async throws {
            let policyFile = try PolicyFile.document(policy)
            let parsed: ReleasePolicy
            do { parsed = try ReleasePolicy(json: policyFile.text) } catch {
                throw CommandFailure(.impossible, "\(policy): not a release policy: \(error)", nextStep: "'policy lint' names every fault")
            }
            let subject = try await subject(registry)
            let explanation = ReleaseExplanation(
                parsed.evaluate(claims: subject.claims, issuer: subject.issuer), claims: subject.claims,
                unknowableClaims: subject.unknowable, premise: subject.premise)
            let sources = [("policy", policy), (subject.label, subject.name)]
            if let html {
                let page = explanation.page(title: "Release policy: \(policy)", sources: sources, claims: subject.claims)
                if html == "-" { Console.writeBytes(page) } else { try OutputFile.write(page, to: html) }
            }
            let failure = explanation.isSatisfied ? nil : CommandFailure(.refused, explanation.summary)
            if json {
                var document = JSONObject()
                if case .object(let object) = explanation.json() { document = object }
                document.set("claims", .object(subject.claims))
                Console.json(.object(document), failure: failure)
            } else if html != "-" {
                Console.write(explanation.text(marks: TextMarks(Style(isOn: Console.hasColour))))
            }
            for note in subject.notes { Console.note("note: \(note)") }
            try Console.end(failure)
        }

        /// Whose claims they are.
        private struct Subject {
            var label: String
            var name: String
            var claims: JSONObject
            var issuer: String
            var unknowable: [String] = []
            var premise: Premise
            var notes: [String] = []
        }

        private func subject(_ registry: ProviderRegistry) async throws -> Subject {
            var subject: Subject
            if let token {
                let content = try TokenFile.read(token)
                subject = Subject(
                    label: "token", name: token, claims: content.claims, issuer: content.issuer,
                    premise: .token(content.claims, at: SystemClock().now()))
                subject.notes.append("the token's signature was not checked; 'token verify' does that")
            } else if let claims {
                subject = try Self.claimsFile(claims)
            } else {
                subject = try await liveSubject(registry)
            }
            for assumption in assume {
                let parts = assumption.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, !parts[0].isEmpty else { throw CommandFailure(.usage, "--assume wants CLAIM=VALUE") }
                subject.claims = ClaimAssumption.set(parts[0], parts[1], in: subject.claims)
                subject.premise.assume(parts[0])
                subject.notes.append("\(parts[0]) is assumed, not attested")
            }
            if let issuer {
                subject.issuer = issuer
                subject.claims.set("iss", .string(issuer))
            } else if subject.issuer.isEmpty, case .string(let stated)? = subject.claims["iss"] {
                subject.issuer = stated
            }
            if subject.issuer.isEmpty { subject.notes.append("there is no issuer (iss), so no authority can match; --issuer states one") }
            return subject
        }

        private static func claimsFile(_ path: String) throws -> Subject {
            let object: JSONObject
            do {
                object = try JSONCursor.parse(
                    InputFile.bytes(path, limit: MAAToken.maximumFileBytes), limits: JSONLimits(bigIntegers: .asReal)
                ).object()
            } catch let error as JSONError { throw CommandFailure(.impossible, "\(path): \(error)") }
            var claims = object
            // What 'token show --json' prints.
            if object["header"] != nil, case .object(let inner)? = object["claims"] { claims = inner }
            return Subject(
                label: "claims", name: path, claims: claims, issuer: "", premise: .claims(claims, at: SystemClock().now()))
        }

        private func liveSubject(_ registry: ProviderRegistry) async throws -> Subject {
            let configuration = try options.load(registry)
            let composition = try Composition(configuration, registry: registry, logger: LoggingSetup.quiet())
            defer { composition.shutdown() }
            let engine = composition.engine
            let evidence = try await engine.rawEvidence(for: RuntimeData([]), in: engine.makeContext(id: "policy-explain"))
            let report: AttestationReport
            do { report = try AttestationReport(evidence.report) } catch {
                throw CommandFailure(.impossible, "the evidence is not an attestation report: \(error)")
            }
            var subject = Subject(
                label: "evidence", name: "\(evidence.provenance.rawValue) evidence of the provider \(engine.evidenceProvider)",
                claims: ReportClaims.make(report), issuer: "", unknowable: ReportClaims.unknowable, premise: .evidence)
            if let endpoint = configuration.effective.first(where: { $0.path == "verifier.maa.endpoint" })?.value {
                subject.issuer = AuthorityName.origin(endpoint) ?? ""
                subject.claims.set("iss", .string(subject.issuer))
            }
            subject.notes.append(
                "the claims were derived from this machine's report; nobody vouched for them. Unknown here: the compliance status, the "
                    + "hash and claims of the authority's policy, runtime data, nonce and times"
            )
            return subject
        }
    }

    /// Claims that somebody states on the command line.
    enum ClaimAssumption {
        /// Sets a claim by its dotted name. `true`, `false` and whole numbers get their own type.
        static func set(_ path: String, _ text: String, in claims: JSONObject) -> JSONObject {
            let value: JSONValue =
                switch text {
                case "true": .boolean(true)
                case "false": .boolean(false)
                default: Int64(text).flatMap { String($0) == text ? .integer($0) : nil } ?? .string(text)
                }
            return set(path.split(separator: ".").map(String.init)[...], value, in: claims)
        }

        private static func set(_ path: ArraySlice<String>, _ value: JSONValue, in claims: JSONObject) -> JSONObject {
            var claims = claims
            guard let first = path.first else { return claims }
            guard path.count > 1 else {
                claims.set(first, value)
                return claims
            }
            var inner = JSONObject()
            if case .object(let object)? = claims[first] { inner = object }
            claims.set(first, .object(set(path.dropFirst(), value, in: inner)))
            return claims
        }
    }
#endif
