internal import BrokerCore
internal import BrokerEngine
internal import StrictJSON

/// What a release stands on, in the order in which one needs another.
enum ReleaseLink: String, CaseIterable {
    /// Configuration, clock, trust store and network, on which the chain hangs.
    case machine
    case device, endorsements, verifier, identity, store, policy

    /// What has to work before a problem here is a cause of its own.
    var needs: Set<ReleaseLink> {
        switch self {
        case .machine, .device: []
        case .endorsements: [.machine, .device, .endorsements]
        case .verifier: [.machine, .verifier]
        case .identity: [.machine, .identity]
        case .store: [.machine, .identity, .store]
        case .policy: [.machine, .device, .endorsements, .verifier, .identity, .store, .policy]
        }
    }
}

/// A finding with its place.
struct DoctorRow {
    let finding: Finding
    let link: ReleaseLink
    let needs: Set<ReleaseLink>

    init(_ link: ReleaseLink, _ finding: Finding, needs: Set<ReleaseLink>? = nil) {
        self.link = link
        self.finding = finding
        self.needs = needs ?? link.needs
    }

    /// What a provider says of itself.
    init(_ stage: BrokerError.Stage, _ finding: Finding) {
        let link: ReleaseLink =
            switch (stage, finding.subject) {
            case (_, "endorsements"), (_, "utility VM"): .endorsements
            case (_, "identity"): .identity
            case (.verify, _): .verifier
            case (.release, _): .store
            default: .device
            }
        self.init(link, finding, needs: link == .device ? [.device] : nil)
    }
}

/// All findings in the order of the chain: one problem for each cause, and what follows from it apart.
struct DoctorReport {
    enum Verdict: String, CaseIterable { case ok, warning, problem, consequence }

    struct Entry {
        let finding: Finding
        let link: ReleaseLink
        let verdict: Verdict
        /// Subject of the problem that a consequence follows from.
        let follows: String?
    }

    enum State: String {
        case ok, warning, broken
        case notReached = "not-reached"
        case notTested = "not-tested"

        var words: String { rawValue.replacing("-", with: " ") }
    }

    /// The `cause` of a finding that says that something was left out.
    static let untested = "not-tested"

    let entries: [Entry]
    let chain: [(link: ReleaseLink, state: State)]
    /// What to fix first.
    var first: Entry? { entries.first { $0.verdict == .problem } }
    var firstBroken: ReleaseLink? { first?.link }

    init(_ rows: [DoctorRow]) {
        var broken: [ReleaseLink: String] = [:]
        var entries: [Entry] = []
        for link in ReleaseLink.allCases {
            for row in rows where row.link == link {
                let cause = ReleaseLink.allCases.filter { row.needs.contains($0) }.compactMap { broken[$0] }.first
                let isProblem = row.finding.verdict == .problem
                if isProblem, cause == nil, broken[link] == nil { broken[link] = row.finding.subject }
                let verdict: Verdict =
                    switch row.finding.verdict {
                    case .ok: .ok
                    case .warning: .warning
                    case .problem: cause == nil ? .problem : .consequence
                    }
                entries.append(Entry(finding: row.finding, link: link, verdict: verdict, follows: isProblem ? cause : nil))
            }
        }
        self.entries = entries
        chain = ReleaseLink.allCases.map { link in
            let own = entries.filter { $0.link == link }
            let isCut = link.needs.contains { broken[$0] != nil }
            return (link, Self.state(own, isCut: isCut))
        }
    }

    private static func state(_ entries: [Entry], isCut: Bool) -> State {
        let verdicts = Set(entries.map(\.verdict))
        if verdicts.contains(.problem) { return .broken }
        if verdicts.contains(.consequence) { return .notReached }
        if entries.allSatisfy({ $0.finding.cause == untested }) { return isCut ? .notReached : .notTested }
        return verdicts.contains(.warning) ? .warning : .ok
    }

    func count(_ verdict: Verdict) -> Int { entries.count { $0.verdict == verdict } }

    /// The chain in words. The machine is shown where it is not in order.
    var shownChain: [(link: ReleaseLink, state: State)] { chain.filter { $0.link != .machine || $0.state == .broken } }

    var summary: String {
        func counted(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }
        let problems = count(.problem) == 0 ? "no problem" : counted(count(.problem), "problem", "problems")
        let following = count(.consequence) == 0 ? "" : ", \(counted(count(.consequence), "consequence", "consequences"))"
        return problems + following + ", " + counted(count(.warning), "warning", "warnings")
    }

    /// CommandLine.md, "Doctor".
    var json: JSONValue {
        func shown(_ entry: Entry) -> JSONValue {
            [
                "name": .string(Self.name(entry.finding.subject)), "category": .string(entry.link.rawValue),
                "verdict": .string(entry.verdict.rawValue), "subject": .string(entry.finding.subject), "text": .string(entry.finding.text),
                "cause": entry.finding.cause.map { .string($0) } ?? .null,
                "follows": entry.follows.map { .string(Self.name($0)) } ?? .null,
                "next": entry.finding.nextStep.map { .string($0) } ?? .null,
                "hints": .array(entry.finding.nextSteps.map { .string($0) }),
            ]
        }
        return [
            "problems": .integer(Int64(count(.problem))), "warnings": .integer(Int64(count(.warning))),
            "counts": .object(JSONObject(Verdict.allCases.map { ($0.rawValue, .integer(Int64(count($0)))) })),
            "chain": .array(
                chain.map { link -> JSONValue in ["link": .string(link.link.rawValue), "state": .string(link.state.rawValue)] }),
            "first": first.map(shown) ?? .null, "findings": .array(entries.map(shown)),
        ]
    }

    private static func name(_ subject: String) -> String { subject.lowercased().replacing(" ", with: "-") }
}
