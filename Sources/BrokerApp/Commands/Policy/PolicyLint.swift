#if PolicyTools
    internal import ArgumentParser
    internal import PolicyTools
    internal import StrictJSON

    struct PolicyLint: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "lint", abstract: "Check release policies against the grammar and against what tokens look like.",
            discussion: """
                Reads a policy, a key as the store shows it (the policy in release_policy), or the policy's base64. Exit status 0 without \
                errors, 1 with errors; with \
                --strict also with warnings. --rules lists what is checked; --allow accepts a finding that is meant.
                """
        ).examples("policy lint --for container policy.json")

        @Argument(help: ArgumentHelp("Policies; - for standard input.", valueName: "file")) var files: [String] = []

        @Option(
            name: .customLong("for"),
            help: ArgumentHelp("What the policies are for: container or cvm (default: as each seems to be).", valueName: "kind"),
            transform: PolicyFile.purpose) var purpose: PolicyLinter.Purpose?

        @Option(help: ArgumentHelp("A rule whose findings are accepted. May be repeated.", valueName: "rule")) var allow: [String] = []

        @Flag(help: "The policies are to be immutable, so nothing can be mended later.") var immutable = false
        @Flag(help: "Count warnings like errors.") var strict = false
        @Flag(help: "List the rules.") var rules = false
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if files.isEmpty, !rules { throw ValidationError("name a policy file, or - for standard input") }
            for name in allow where LintRule(rawValue: name) == nil {
                throw ValidationError("there is no rule '\(name)'; 'policy lint --rules' lists them")
            }
        }

        func run() throws {
            guard !rules else { return listRules() }
            let linter = PolicyLinter(purpose: purpose, isImmutable: immutable ? true : nil)
            var findings: [(file: String, finding: LintFinding)] = []
            for file in files {
                let document = try PolicyFile.document(file)
                findings += linter.check(document).filter { !allow.contains($0.rule.rawValue) }.map { (file, $0) }
            }
            func count(_ severity: LintFinding.Severity) -> Int { findings.filter { $0.finding.severity == severity }.count }
            let isFaulty = count(.error) > 0 || (strict && count(.warning) > 0)
            let words = "\(Self.words(count(.error), "error")), \(Self.words(count(.warning), "warning"))"
            let failure = isFaulty ? CommandFailure(.refused, words) : nil
            if json {
                let result: JSONValue = [
                    "verdict": .string(isFaulty ? "faulty" : findings.isEmpty ? "clean" : "remarks"),
                    "errors": .integer(Int64(count(.error))), "warnings": .integer(Int64(count(.warning))),
                    "notes": .integer(Int64(count(.note))), "findings": .array(findings.map { Self.json($0.file, $0.finding) }),
                ]
                Console.json(result, failure: failure)
            } else {
                print(findings)
                Console.line(findings.isEmpty ? "clean" : words)
            }
            try Console.end(failure)
        }

        private func print(_ findings: [(file: String, finding: LintFinding)]) {
            let style = Style(isOn: Console.hasColour)
            for (file, finding) in findings {
                let place = [finding.line, finding.column].compactMap { $0.map(String.init) }.joined(separator: ":")
                let severity: String
                switch finding.severity {
                case .error: severity = style.bad("error")
                case .warning: severity = style.strong("warning")
                case .note: severity = "note"
                }
                let pointer = finding.pointer.isEmpty ? "" : style.faint(" \(finding.place)")
                Console.line(
                    "\(file)\(place.isEmpty ? "" : ":\(place)"): \(severity): \(finding.message) [\(finding.rule.rawValue)]\(pointer)")
                if let fix = finding.fix { Console.line("    \(fix)") }
            }
        }

        private func listRules() {
            if json {
                let value = JSONValue.array(LintRule.allCases.map { ["rule": .string($0.rawValue), "meaning": .string($0.meaning)] })
                Console.json(value)
            } else {
                for rule in LintRule.allCases {
                    Console.line(rule.rawValue + String(repeating: " ", count: max(1, 30 - rule.rawValue.utf8.count)) + rule.meaning)
                }
            }
        }

        private static func json(_ file: String, _ finding: LintFinding) -> JSONValue {
            guard case .object(var object) = finding.json else { return finding.json }
            object.set("file", .string(file))
            return .object(object)
        }

        private static func words(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
    }
#endif
