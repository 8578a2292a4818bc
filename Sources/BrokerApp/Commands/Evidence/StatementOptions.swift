internal import ArgumentParser
internal import InputReading
internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON
internal import UVMEndorsements

/// The options of `evidence verify` about what the platform says: whose endorsements count, which ledgers are pinned, and the signed
/// statements beside them.
struct StatementOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Who may endorse the utility VM, instead of Microsoft: did:x509 identifier, feed and, where asked for, lowest SVN, with "
                + "spaces "
                + "between. May be repeated.", valueName: "issuer")) var uvmIssuer: [String] = []

    @Option(
        help: ArgumentHelp(
            "Keys of ledgers: a JWK set, which LEDGER=FILE pins to one ledger, or a transparency trust list (COSE_Sign1). The endorsement "
                + "must then have a receipt that verifies with one of them. May be repeated.", valueName: "[ledger=]file")) var receipts:
        [String] = []

    @Option(
        help: ArgumentHelp(
            "Who may sign a trust list of --receipts, written as in --uvm-issuer; without, its keys do not count. May be repeated.",
            valueName: "issuer")) var trustListIssuer: [String] = []

    @Option(help: ArgumentHelp("tcb-reference-info, raw or base64; opaque without --tcb-reference-issuer.", valueName: "file"))
    var tcbReference: String?

    @Option(help: ArgumentHelp("Who must have signed it, written as in --uvm-issuer. May be repeated.", valueName: "issuer"))
    var tcbReferenceIssuer: [String] = []

    @Option(help: ArgumentHelp("platform-reference-info, raw or base64; opaque without --platform-reference-issuer.", valueName: "file"))
    var platformReference: String?

    @Option(help: ArgumentHelp("Who must have signed it, written as in --uvm-issuer. May be repeated.", valueName: "issuer"))
    var platformReferenceIssuer: [String] = []

    func validate() throws {
        for (option, texts) in [
            ("--uvm-issuer", uvmIssuer), ("--trust-list-issuer", trustListIssuer), ("--tcb-reference-issuer", tcbReferenceIssuer),
            ("--platform-reference-issuer", platformReferenceIssuer),
        ] {
            for text in texts {
                do throws(TrustedIssuer.Complaint) { _ = try TrustedIssuer(text) } catch {
                    throw ValidationError("\(option): \(error.description)")
                }
            }
        }
    }

    /// Everything that was read and judged.
    struct Outcome {
        /// What an endorsement of the utility VM has to satisfy, but for the measurement.
        var policy = UVMEndorsementVerifier.Policy()
        var checks: [Check] = []
        /// What was read, for JSON.
        var members: [(String, JSONValue)] = []
    }

    /// `time` is when certificates are judged that claim no time of signing.
    func outcome(at time: Int64) throws -> Outcome {
        var outcome = Outcome()
        outcome.policy.time = time
        if !uvmIssuer.isEmpty { outcome.policy.trustedIssuers = Self.issuers(uvmIssuer) }
        if !receipts.isEmpty {
            var keys = LedgerKeys()
            for receipt in receipts { try pin(receipt, into: &keys, &outcome, at: time) }
            outcome.policy.ledgerKeys = keys
            outcome.policy.requiresReceipt = true
        }
        for (name, file, texts) in [
            ("tcb-reference", tcbReference, tcbReferenceIssuer), ("platform-reference", platformReference, platformReferenceIssuer),
        ] {
            guard let file else { continue }
            let content = try InputFile.readOne(file, as: StatementInput.kind, limit: 1 << 20)
            var value: JSONObject = [
                "bytes": .integer(Int64(content.count)), "sha256": .string(Hex.encode(DigestAlgorithm.sha256.digest(content))),
                "opaque": .boolean(texts.isEmpty),
            ]
            if !texts.isEmpty {
                let verdict = StatementVerifier(prefix: name, trust: StatementTrust(issuers: Self.issuers(texts), time: time)).verify(
                    content)
                outcome.checks += verdict.checks
                value.set("content_type", verdict.statement?.contentType.map { .string($0) } ?? .null)
                value.set("svn", verdict.statement?.svn.map { .string(String($0)) } ?? .null)
            }
            outcome.members.append((name.replacing("-", with: "_"), .object(value)))
        }
        return outcome
    }

    /// Adds the keys of one `--receipts`.
    private func pin(_ text: String, into keys: inout LedgerKeys, _ outcome: inout Outcome, at time: Int64) throws {
        // A host name has no slash, so that no path is taken for one.
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isPinned = parts.count == 2 && parts[0].utf8.consists(of: .alphanumeric + "-.:", count: 1...253)
        let file = isPinned ? parts[1] : text
        let content = try InputFile.readOne(file, as: LedgerKeysInput.kind, limit: 1 << 18)
        guard content.first == UInt8(ascii: "{") || content.consists(of: .printable + .whiteSpace) else {
            guard !isPinned else { throw CommandFailure(.usage, "--receipts \(text): a trust list names its ledgers itself") }
            let list = TransparencyTrustList(cose: content, issuers: Self.issuers(trustListIssuer), time: time)
            outcome.checks += list.verdict.checks
            outcome.members.append(("trust_list", Self.json(list)))
            keys.add(list.keys)
            return
        }
        do { keys.add(try LedgerKeys(jwks: content, issuer: isPinned ? parts[0] : nil)) } catch {
            throw CommandFailure(.impossible, "\(InputFile.name(file)): not the keys of a ledger: \(error)")
        }
    }

    private static func json(_ list: TransparencyTrustList) -> JSONValue {
        let ledgers = list.ledgers.map { ledger -> JSONValue in
            [
                "ledger": .string(ledger.host), "keys": .array(ledger.keyIDs.map { .string($0) }),
                "unknown_keys": .integer(Int64(ledger.unknownKeys)),
            ]
        }
        let statement = list.verdict.statement
        return [
            "verified": .boolean(list.verdict.isVerified), "issuer": statement.map { .string($0.issuer) } ?? .null,
            "subject": statement.map { .string($0.feed) } ?? .null, "svn": statement?.svn.map { .string(String($0)) } ?? .null,
            "ledgers": .array(ledgers),
        ]
    }

    /// The texts were checked before.
    private static func issuers(_ texts: [String]) -> [TrustedIssuer] { texts.compactMap { try? TrustedIssuer($0) } }
}

/// The codes of the checks of signed statements, with what each means when it fails.
enum StatementCheckCodes {
    private static let subjects = [
        (TransparencyTrustList.prefix, "The transparency trust list"), ("tcb-reference", "The statement tcb-reference-info"),
        ("platform-reference", "The statement platform-reference-info"),
    ]

    static var rows: [(code: String, meaning: String)] {
        subjects.flatMap { prefix, name in
            [
                ("\(prefix)-form", "\(name) is not a COSE_Sign1 message with the header and content that it should have."),
                ("\(prefix)-signature", "\(name) is not signed by its signer, or the signer's certificates do not hold."),
                ("\(prefix)-issuer", "\(name) is not of an issuer that was named for it, or its version number is too low."),
            ]
        }
    }

    /// What holds where the check is passed.
    static func holding(_ code: String) -> String? {
        guard let prefix = subjects.map(\.0).first(where: { code.hasPrefix($0 + "-") }) else { return nil }
        let name = prefix == TransparencyTrustList.prefix ? "the trust list" : "the \(prefix) statement"
        switch code.dropFirst(prefix.utf8.count) {
        case "-form": return "\(name) is well-formed"
        case "-signature": return "\(name) is signed by its signer"
        case "-issuer": return "the issuer of \(name) is trusted"
        default: return nil
        }
    }
}
