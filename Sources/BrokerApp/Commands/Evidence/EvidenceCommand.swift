internal import ArgumentParser

struct EvidenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence", abstract: "Collect, decode and verify attestation reports.",
        subcommands: [EvidenceGet.self, EvidenceShow.self, EvidenceVerify.self, EvidenceChecks.self])
}
