internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import BrokerEngine

struct DoctorCommand: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at this machine with this configuration and say what stands in the way.",
        discussion: """
            Follows the chain device, endorsements, verifier, identity, store, policy, on what the machine gives them: configuration, \
            clock, trust store, network. One cause is one problem; what follows from it is marked as such. With --key the key is \
            released once and forgotten, because nothing else shows whether the identity may release it; without, that is said to be \
            untested. Nothing is changed, and no token and no key is shown. Exit status 1 when there is a problem.
            """
    ).examples("doctor --config broker.json --key my-key", "doctor --offline --policy policy.json", "doctor --quick --json")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Ask no service; look at this machine only.") var offline = false
    @Flag(help: "For a probe: give each part two seconds, all at the same time; no attestation, no release.") var quick = false
    @Option(help: ArgumentHelp("Would this release policy admit this machine?", valueName: "file")) var policy: String?
    @Option(
        help: ArgumentHelp("Would this key be released to this machine? Reads its policy and releases it once.", valueName: "name"))
    var key: String?
    @OptionGroup var store: KeyStoreOption
    #if PolicyTools
        @Option(help: ArgumentHelp("Write a self-contained page; - for standard output.", valueName: "file")) var html: String?
    #endif
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if offline, key != nil { throw ValidationError("--key asks its store, so it excludes --offline; --policy does not") }
        if quick, key != nil || policy != nil { throw ValidationError("--quick has no time for --key and --policy") }
        #if PolicyTools
            if html == "-", json { throw ValidationError("--html - and --json both want standard output") }
        #endif
    }

    func run(_ registry: ProviderRegistry) async throws {
        var configuration = try options.load(registry)
        if quick { configuration.engine.requestTimeout = min(configuration.engine.requestTimeout, .seconds(2)) }
        let examination = DoctorExamination(
            configuration: configuration, registry: registry, network: !offline, quick: quick, policy: policy, key: key, store: store)
        let report = DoctorReport(try await examination.rows())
        let failure = report.first.map {
            CommandFailure(.refused, "\($0.finding.subject): \($0.finding.text)", nextStep: $0.finding.nextStep)
        }
        var isShown = json
        #if PolicyTools
            if let html {
                if html == "-" { Console.writeBytes(report.page()) } else { try OutputFile.write(report.page(), to: html) }
                isShown = isShown || html == "-"
            }
        #endif
        if json { Console.json(report.json, failure: failure) }
        if !isShown { report.show(Style(isOn: Console.hasColour)) }
        try Console.end(failure)
    }
}

extension DoctorReport {
    func show(_ style: Style) {
        let width = entries.map(\.finding.subject.count).max() ?? 0
        for entry in entries {
            let word = entry.verdict == .consequence ? "follows" : entry.verdict.rawValue
            let padded = word + String(repeating: " ", count: 7 - word.count)
            let shown =
                switch entry.verdict {
                case .ok: style.good(padded)
                case .warning: style.strong(padded)
                case .problem: style.bad(padded)
                case .consequence: style.faint(padded)
                }
            let subject = entry.finding.subject + String(repeating: " ", count: width - entry.finding.subject.count)
            Console.line("\(shown)  \(subject)  \(entry.finding.text)")
            let next = entry.follows.map { "follows from: \($0)" } ?? entry.finding.nextStep.map { "next: \($0)" }
            if let next { Console.line(String(repeating: " ", count: width + 11) + style.faint(next)) }
        }
        Console.line()
        Console.line(
            shownChain.map { link, state in
                let text = "\(link.rawValue) \(words(link, state))"
                return state == .broken ? style.bad(text) : text
            }.joined(separator: " → "))
        if let first {
            Console.line(style.strong("first fix this: ") + "\(first.finding.subject): \(first.finding.text)")
            for step in first.finding.nextSteps { Console.line("  next: \(step)") }
        }
        Console.line(summary)
    }

    /// The first broken link stands out without colour too.
    func words(_ link: ReleaseLink, _ state: State) -> String { link == firstBroken ? "BROKEN" : state.words }
}
