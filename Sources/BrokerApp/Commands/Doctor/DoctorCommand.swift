internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine
internal import StrictJSON

struct DoctorCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at this machine with this configuration and say what stands in the way.",
        discussion: """
            Configuration, clock, trust store, identity (never a token), network, evidence device, security context, endorsements, \
            attestation token, release \
            policy. Each line is ok, a warning or a problem with the next step. Nothing is changed and no key is released. Exit status 1 \
            when there is a problem.
            """
    ).examples("doctor --config broker.json --key my-key", "doctor --offline --policy policy.json")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Ask no service; look at this machine only.") var offline = false
    @Option(help: ArgumentHelp("Would this release policy admit this machine?", valueName: "file")) var policy: String?
    @Option(help: ArgumentHelp("Would this key be released to this machine? Reads the key's policy.", valueName: "name")) var key: String?
    @OptionGroup var store: KeyStoreOption
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if offline, key != nil { throw ValidationError("--key reads the key from its store, so it excludes --offline; --policy does not") }
    }

    func run(_ registry: ProviderRegistry) async throws {
        let configuration = try options.load(registry)
        let examination = DoctorExamination(
            configuration: configuration, registry: registry, network: !offline, policy: policy, key: key, store: store)
        let findings = try await examination.findings()
        let first = findings.first { $0.verdict == .problem }
        let failure = first.map { CommandFailure(.refused, "\($0.subject): \($0.text)", nextStep: $0.nextStep) }
        if json { Console.json(Self.json(findings), failure: failure) } else { Self.show(findings) }
        try Console.end(failure)
    }

    private static func show(_ findings: [Finding]) {
        let style = Style(isOn: Console.hasColour)
        let width = findings.map(\.subject.count).max() ?? 0
        for finding in findings {
            let word = finding.verdict.rawValue + String(repeating: " ", count: 7 - finding.verdict.rawValue.count)
            let shown =
                switch finding.verdict {
                case .ok: style.good(word)
                case .warning: style.strong(word)
                case .problem: style.bad(word)
                }
            let subject = finding.subject + String(repeating: " ", count: width - finding.subject.count)
            Console.line("\(shown)  \(subject)  \(finding.text)")
            if let next = finding.nextStep { Console.line(String(repeating: " ", count: width + 11) + style.faint("next: ") + next) }
        }
        let (problems, warnings) = count(findings)
        Console.line()
        Console.line(
            problems == 0
                ? "no problem, \(warnings) \(warnings == 1 ? "warning" : "warnings")"
                : "\(problems) \(problems == 1 ? "problem" : "problems"), \(warnings) \(warnings == 1 ? "warning" : "warnings")")
    }

    private static func count(_ findings: [Finding]) -> (problems: Int, warnings: Int) {
        (findings.count { $0.verdict == .problem }, findings.count { $0.verdict == .warning })
    }

    private static func json(_ findings: [Finding]) -> JSONValue {
        let (problems, warnings) = count(findings)
        return [
            "problems": .integer(Int64(problems)), "warnings": .integer(Int64(warnings)),
            "findings": .array(
                findings.map { finding in
                    [
                        "verdict": .string(finding.verdict.rawValue), "subject": .string(finding.subject), "text": .string(finding.text),
                        "next": finding.nextStep.map { .string($0) } ?? .null,
                    ]
                }),
        ]
    }
}
