internal import OpenSSLCrypto
internal import PlainText

/// AMD's revocation list. It is asked for the intermediate alone: leaves have no serial number, so no list can name one.
enum RevocationChecks {
    static func required(_ policy: EvidenceVerifier.Policy) -> Set<CheckCode> {
        policy.revocation.mode == .off
            ? []
            : [.crlMissing, .crlMalformed, .crlForeign, .crlFuture, .crlWithoutNextUpdate, .crlStale, .certificateRevoked]
    }

    static func run(
        _ path: EndorsementPath, policy: EvidenceVerifier.Policy, _ signatures: VerifiedSignatures, in findings: inout Findings
    ) {
        let rule = policy.revocation
        // Without these two the chain is incomplete, which is said elsewhere.
        guard rule.mode != .off, let root = path.root, let intermediate = path.intermediate else { return }
        let name = root.subjectCommonName ?? "the root"
        guard !rule.sources.isEmpty else {
            findings.fail(.crlMissing, "there is no revocation list of \(name)" + (rule.obstacle.map { ": \($0)" } ?? ""))
            return
        }
        findings.pass(.crlMissing, "there is a revocation list")
        var lists: [RevocationList] = []
        var malformed: [String] = []
        for source in rule.sources {
            switch source.list {
            case .success(let list): lists.append(list)
            case .failure(let error): malformed.append("\(source.name): \(error.reason)")
            }
        }
        findings.record(
            .crlMalformed, complaint: malformed.isEmpty ? nil : malformed.joined(separator: "; "),
            otherwise: "the revocation list is well-formed")
        guard !lists.isEmpty else { return }
        let own = lists.filter { $0.issuer == root.subject }
        let signed = own.filter { $0.signatureScheme == ChainChecks.amdScheme && signatures.isSigned($0, by: root) }
        guard let list = signed.max(by: { $0.thisUpdate < $1.thisUpdate }) else {
            let others = lists.map { $0.issuerCommonName ?? "nobody" }.joined(separator: ", ")
            findings.fail(
                .crlForeign, own.isEmpty ? "the revocation list is of \(others), not of \(name)" : "the list is not signed by \(name)")
            return
        }
        findings.pass(.crlForeign, "the revocation list is signed by \(name)")
        findings.record(
            .crlFuture, complaint: list.thisUpdate > policy.time ? "the list is of \(RFC3339.format(list.thisUpdate))" : nil,
            otherwise: "the list is of \(RFC3339.format(list.thisUpdate))")
        age(of: list, rule: rule, at: policy.time, in: &findings)
        findings.record(
            .certificateRevoked,
            // An older list that names it has not become wrong.
            complaint: signed.contains { $0.revokes(intermediate) }
                ? "\(intermediate.subjectCommonName ?? "the intermediate") with serial number 0x\(intermediate.serialNumberHex) is revoked"
                : nil, otherwise: "\(intermediate.subjectCommonName ?? "the intermediate") is not revoked")
    }

    private static func age(of list: RevocationList, rule: RevocationRule, at time: Int64, in findings: inout Findings) {
        guard let next = list.nextUpdate else {
            findings.fail(.crlWithoutNextUpdate, "the list names no nextUpdate, so nobody can say whether it is in force")
            return
        }
        findings.pass(.crlWithoutNextUpdate, "the list says until when it holds")
        let words = "the list should have been replaced at \(RFC3339.format(next))"
        if time <= next {
            findings.pass(.crlStale, "the list holds until \(RFC3339.format(next))")
        } else if case .staleOK(let limit) = rule.mode, time - next <= limit {
            findings.pass(.crlStale, words + ", and is used on request")
            findings.leaveOut(.crlStale, words + ": what was revoked since then is not known")
        } else {
            findings.fail(.crlStale, words)
        }
    }
}
