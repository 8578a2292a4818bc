internal import InputReading
internal import OpenSSLCrypto
internal import PolicyTools
internal import ReleasePolicy
internal import StrictJSON

extension FuzzTarget {
    /// Policy, claims and issuer: the verdict is that of an evaluator without a model, and every way to write a policy keeps it.
    static let releasePolicy = FuzzTarget("release-policy", seeds: PolicyTarget.seeds, run: PolicyTarget.run)
    /// What a policy can be wrapped in, and the linter.
    static let policyLint = FuzzTarget("policy-lint", seeds: LintTarget.seeds, run: LintTarget.run)
    static let securityPolicy = FuzzTarget("security-policy", seeds: SecurityTarget.seeds, run: SecurityTarget.run)
}

private let samplePolicies = [
    #"{"version":"1.0.0","anyOf":[{"authority":"https://a.eus.attest.azure.net","allOf":[{"claim":"x-ms-sevsnpvm-hostdata","equals":"00"},"#
        + #"{"claim":"x-ms-isolation-tee.x-ms-attestation-type","equals":"sevsnpvm"},{"anyOf":[{"claim":"n","greaterOrEquals":7},"#
        + #"{"claim":"d","notEquals":"true"}]}]}]}"#,
    #"{"anyOf":[{"authority":"i","anyOf":[{"claim":"a.b","exists":"true"},{"claim":"n","less":-1.5e2},{"claim":"n","greater":"0.001"}]}]}"#,
    #"{"version":"0.2","anyOf":[{"authority":"i","allOf":[{"claim":"a","condition":"equals","value":true},{"claim":"n","lessOrEquals":5}]}"#
        + "]}",
]
private let sampleClaims = [
    #"{"x-ms-sevsnpvm-hostdata":"00","x-ms-isolation-tee":{"x-ms-attestation-type":"sevsnpvm"},"n":8,"d":true}"#,
    #"{"a":{"b":null},"n":-151,"list":[1]}"#, #"{"a":true,"n":5.0,"d":"5"}"#,
]

private enum PolicyTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        zip(samplePolicies, zip(sampleClaims, ["https://a.eus.attest.azure.net", "i", "i"])).map { .records($0, $1.0, $1.1) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let parts = input.records
        let policy: ReleasePolicy
        do throws(PolicyError) { policy = try ReleasePolicy(json: parts[0]) } catch {
            try require(error.description.utf8.count < 4000 && error.description.isOneLine, "the refusal \(error)")
            return false
        }
        // No token has NUL in a claim: StrictJSON refuses it.
        guard parts.count > 2, !parts[2].contains(0),
            case .object(let claims)? = try? JSONValue.parse(parts[1], limits: JSONLimits(bigIntegers: .asReal))
        else {
            return true
        }
        let document = try JSONValue.parse(parts[0])
        let issuer = parts[2].text
        let outcome = policy.evaluate(claims: claims, issuer: issuer)
        let expected = PlainPolicy.isSatisfied(document, claims: claims, issuer: issuer)
        let found = planted(outcome.isSatisfied, instead: outcome.isSatisfied || claims.count == 4)
        try require(found == expected, "satisfied \(found), by the plain evaluator \(expected)")
        try require(outcome.obstacles.isEmpty == outcome.isSatisfied, "obstacles \(outcome.obstacles)")
        for style in [ReleasePolicy.Style.vault, .managedHSM] {
            let again = try ReleasePolicy(json: policy.serialized(style: style))
            try require(again.evaluate(claims: claims, issuer: issuer).isSatisfied == outcome.isSatisfied, "written again it is another")
            if style == .vault { try require(PolicyDifference(policy, again).areEqual, "written again it differs") }
        }
        try explain(outcome, claims, issuer)
        return true
    }

    private static func explain(_ outcome: PolicyOutcome, _ claims: JSONObject, _ issuer: String) throws {
        let explanation = ReleaseExplanation(outcome, claims: claims)
        try require(explanation.isSatisfied == outcome.isSatisfied, "the explanation has another verdict")
        _ = try JSONValue.parse(explanation.json().serialized(), limits: JSONLimits(bigIntegers: .asReal))
        try require(explanation.text().unicodeScalars.allSatisfy { $0 == "\n" || String($0).isOneLine }, "a control character is shown")
        let page = explanation.page(title: issuer, claims: claims)
        try require(!contains(page, "<script"), "a script in the page")
        if !outcome.isSatisfied { try require(explanation.verdict != "satisfied", "the verdict \(explanation.verdict)") }
    }

    private static func contains(_ page: [UInt8], _ word: String) -> Bool { page.text.lowercased().contains(word) }
}

private enum LintTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        let policy = samplePolicies[0]
        let encoded = Base64.encodeURL(Array(policy.utf8))
        return [
            policy, samplePolicies[2], encoded, "{\"key\":{\"kid\":\"x\"},\"release_policy\":{\"data\":\"\(encoded)\",\"immutable\":true}}",
            "{\"encodedPolicy\":\"{\\\"anyOf\\\":[]}\"}",
            "{\"version\":\"9\",\"anyOf\":[{\"authority\":\"http://sharedeus.attest.azure.net/\"}]}",
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let document: PolicyDocument
        do throws(PolicyDocument.Failure) { document = try PolicyDocument(input) } catch {
            try require(error.description.isOneLine, "the refusal \(error.description)")
            return false
        }
        let policy = try? ReleasePolicy(json: document.text)
        for purpose in [nil, .container, .confidentialVM] as [PolicyLinter.Purpose?] {
            let findings = PolicyLinter(purpose: purpose).check(document)
            let errors = findings.filter { $0.severity == .error }
            let count = planted(errors.count, instead: document.form == .encoded ? 0 : errors.count)
            if policy == nil { try require(count > 0, "a policy that is refused has no error") }
            if policy != nil { try require(!findings.contains { $0.rule == .syntax }, "a policy that is taken has a syntax error") }
            let lines = document.text.count { $0 == 0x0A } + 1
            for finding in findings {
                try require(
                    finding.line.map { (1...lines).contains($0) } ?? true, "\(finding.rule) in line \(finding.line ?? 0) of \(lines)")
                try require(finding.message.isOneLine && finding.place.isOneLine, "the message \(finding.message) at \(finding.place)")
                _ = try JSONCursor.parse(finding.json.serialized())
            }
        }
        guard let policy, let comparable = try? ComparablePolicy(input) else { return true }
        try require(comparable.difference(to: comparable)?.areEqual == true, "a policy differs from itself")
        _ = policy.normalizedVersion
        return true
    }
}

private enum SecurityTarget {
    private static let rego = """
        package policy
        import future.keywords.every
        api_version := "0.10.0"
        framework_version := "0.2.3"
        containers := [{"command":["/app"],"env_rules":[{"pattern":"A=B","required":false,"strategy":"string"}],"layers":["ab","cd"],
          "mounts":[],"allow_elevated":false,"working_dir":"/"}]
        default create_container := {"allowed": false}
        create_container := data.framework.create_container
        """

    @Sendable static func seeds() -> [[UInt8]] {
        let encoded = Base64.encode(Array(rego.utf8))
        let wrapped = encoded.enumerated().map { $0.offset % 60 == 59 ? "\($0.element)\n" : "\($0.element)" }.joined()
        return [
            rego, encoded, wrapped, "apiVersion: v1\nmetadata:\n  annotations:\n    microsoft.containerinstance.ccepolicy: \(encoded)\n",
            "{\"$schema\":\"x/deploymentTemplate.json\",\"resources\":[{\"properties\":{\"x\":{\"ccePolicy\":\"\(encoded)\"}}}]}",
            "{\"parameters\":{\"p\":{\"defaultValue\":\"\(encoded)\"}},\"resources\":[{\"ccePolicy\":\"[parameters('p')]\"}]}",
            "// comment\n{\"ccePolicy\": \"\(encoded)\"}", rego.replacing("\n", with: "\r\n"),
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        for form in SecurityPolicyForm.allCases {
            guard let found = try? SecurityPolicyInput.read(input, as: form) else { continue }
            try require(!found.isEmpty && found.allSatisfy { $0.form == form }, "another form than was asked for")
        }
        let found: [SecurityPolicyInput]
        do throws(InputRefusal) { found = try SecurityPolicyInput.read(input) } catch {
            try require(error.description.isOneLine && error.description.utf8.count < 4000, "the refusal \(error.description)")
            return false
        }
        try require(!found.isEmpty, "no policy, and not refused")
        for policy in found {
            let digest = SecurityPolicyDigest.digest(of: policy)
            let expected = Hex.encode(DigestAlgorithm.sha256.digest(policy.bytes))
            try require(digest.hostData == planted(expected, instead: policy.bytes.count % 16 == 7 ? "" : expected), "the host data")
            try require(digest.variants.allSatisfy { $0.hostData != expected }, "a mistake that is none")
            try require(policy.notes.allSatisfy(\.isOneLine), "a note breaks its line")
            let again = try SecurityPolicyInput.read(Array(Base64.encode(policy.bytes).utf8))
            try require(again.map(\.bytes) == [policy.bytes], "its base64 text is read as something else")
        }
        if let comparable = try? ComparablePolicy(input) {
            try require(comparable.difference(to: comparable)?.areEqual == true, "a policy differs from itself")
        }
        return true
    }
}
