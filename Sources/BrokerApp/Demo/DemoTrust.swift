#if Simulators && FixtureEvidence && PolicyTools
    internal import BrokerCore
    internal import OpenSSLCrypto
    internal import PlainText
    internal import PolicyTools
    internal import SNPFixture
    internal import SNPReport
    internal import SNPVerification
    internal import StrictJSON

    /// Who vouches for whom in a release: read from what the broker sent and was answered, and judged anew.
    struct DemoTrust {
        private struct Link {
            let name: String
            let words: String
            var facts: [(label: String, value: String)] = []
        }

        private let links: [Link]
        private let checks: [Check]
        private let isVerified: Bool

        /// `attestation` is the exchange with the attestation service, `release` the one with the key store.
        init(attestation: DemoMessage, release: DemoMessage, root: Certificate, now: Int64) throws {
            let request = try JSONCursor.parse(attestation.sent ?? [])
            let evidence = try JSONCursor.parse(try Self.bytes(request, "report"))
            let runtimeData = try Self.bytes(request.member("runtimeData"), "data")
            var policy = EvidenceVerifier.Policy(time: now)
            policy.roots = [PinnedRoot(name: "the demo's own root", product: .milan, certificate: root)]
            policy.expectedReportData = ReportData(sha256Of: runtimeData).bytes
            policy.expectedHostData = DigestAlgorithm.sha256.digest(SamplePolicy.bytes)
            let certificates = try Certificate.parse(pemOrDER: try Self.bytes(evidence, "VcekCertChain"), maximumCount: 8)
            let result = EvidenceVerifier().verify(
                report: try Self.bytes(evidence, "SnpReport"), certificates: certificates, policy: policy)
            guard let report = result.report, let endorsement = result.endorsement else {
                throw DemoMismatch("the evidence that was sent cannot be read: \(result.failures.joined(separator: ", "))")
            }
            let token = try Self.parts(of: JSONCursor.parse(attestation.answer).string("token"))
            let answer = try Self.parts(of: JSONCursor.parse(release.answer).string("value"))
            let key = try JSONCursor.parse(runtimeData).array("keys").first
            checks = result.checks
            isVerified = result.isVerified
            let chip = endorsement.extensions?.hardwareID.map { Hex.encode($0.prefix(8)) + "…" } ?? "none"
            links = [
                Link(
                    name: endorsement.root.subjectCommonName ?? "root",
                    words: "The root, made for this demo. On a real machine it is AMD's, and pinned in the program.",
                    facts: [("SHA-256", Hex.encode(endorsement.root.sha256))]),
                Link(
                    name: endorsement.intermediate.subjectCommonName ?? "intermediate", words: "The root signed this certificate.",
                    facts: [("SHA-256", Hex.encode(endorsement.intermediate.sha256))]),
                Link(
                    name: endorsement.leaf.subjectCommonName ?? "leaf",
                    words: "The intermediate signed this certificate of one chip at one firmware version.",
                    facts: [("chip", chip), ("valid until", RFC3339.format(endorsement.leaf.notAfter))]),
                Link(
                    name: "attestation report", words: "The chip's key signed what it measured, and 64 bytes that the broker chose.",
                    facts: [
                        ("measurement", Hex.encode(report.measurement)),
                        ("host data", "\(Hex.encode(report.hostData)), SHA-256 of the security policy"),
                        ("report data", "\(Hex.encode(report.reportData.prefix(32))), SHA-256 of the wrapping key's JWK"),
                    ]),
                Link(
                    name: "wrapping key", words: "Made in the broker for this release; its private half never leaves it.",
                    facts: [("kid", Self.text(key, "kid")), ("kty", Self.text(key, "kty"))]),
                Link(
                    name: "attestation token",
                    words: "The attestation service verified all of that and signed a token that names the wrapping key.",
                    facts: [
                        ("issuer", Self.text(token.payload, "iss")), ("signed with", Self.text(token.header, "kid")),
                        ("expires", (try? token.payload.integer("exp")).map(RFC3339.format) ?? "never"),
                    ]),
                Link(
                    name: "released key",
                    words: "The key store found its release policy met, wrapped the key to the wrapping key and signed the answer.",
                    facts: [
                        ("algorithm", Self.text(answer.header, "alg")),
                        ("key", Self.text(try? answer.payload.member("response").member("key").member("key"), "kid")),
                    ]),
            ]
        }

        func write(into html: inout HTMLPage) {
            html.open("section")
            html.element("h2", "The chain of trust")
            html.open("ol", class: "chain")
            for link in links {
                html.open("li")
                html.element("p", link.name, class: "name")
                html.element("p", link.words)
                html.facts(link.facts.map { ($0.label, VisibleText.shortened($0.value)) })
                html.close("li")
            }
            html.close("ol")
            html.open("details", class: isVerified ? "entry good" : "entry bad")
            html.open("summary")
            html.element("span", isVerified ? "✓ ok" : "✗ FAIL", class: "mark")
            html.element("span", "\(checks.count) checks of report and certificates")
            html.close("summary")
            html.open("ul", class: "tree")
            for check in checks {
                html.open("li", class: check.ok ? "good" : "bad")
                html.element("span", check.ok ? "✓ ok" : "✗ FAIL", class: "mark")
                html.element("span", CheckWords.holding(check) ?? check.code, class: "name")
                html.element("span", check.detail, class: "why")
                html.close("li")
            }
            html.close("ul")
            html.close("details")
            html.close("section")
        }

        private static func bytes(_ cursor: JSONCursor, _ name: String) throws -> [UInt8] {
            var digits = try cursor.string(name).utf8[...]
            while digits.last == UInt8(ascii: "=") { digits = digits.dropLast() }
            guard let bytes = Base64.decodeURL(String(decoding: digits, as: UTF8.self)) else {
                throw DemoMismatch("\(name) was not sent as base64url")
            }
            return bytes
        }

        /// Header and payload of a signed message that the broker has verified.
        static func parts(of compact: String) throws -> (header: JSONCursor, payload: JSONCursor) {
            let parts = compact.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, let header = Base64.decodeURL(parts[0]), let payload = Base64.decodeURL(parts[1]) else {
                throw DemoMismatch("what was answered is not a signed message")
            }
            return (try JSONCursor.parse(header), try JSONCursor.parse(payload, limits: JSONLimits(bigIntegers: .asReal)))
        }

        private static func text(_ cursor: JSONCursor?, _ name: String) -> String { (try? cursor?.string(name)) ?? "not named" }
    }
#endif
