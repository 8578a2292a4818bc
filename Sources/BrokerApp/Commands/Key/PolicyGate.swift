#if PolicyTools
    internal import ArgumentParser
    internal import PolicyTools
    internal import ReleasePolicy

    /// What lint calls an error keeps a policy away from keys, unless it is named as meant.
    struct PolicyGate: ParsableArguments {
        @Option(help: ArgumentHelp("Accept a finding of 'policy lint' that is an error. May be repeated.", valueName: "rule")) var allow:
            [String] = []

        func validate() throws {
            for name in allow where LintRule(rawValue: name) == nil {
                throw ValidationError("there is no rule '\(name)'; 'policy lint --rules' lists them")
            }
        }

        func check(_ text: [UInt8]) throws {
            guard let document = try? PolicyDocument(text) else { return }
            let errors = PolicyLinter(isImmutable: false).check(document).filter {
                $0.severity == .error && !allow.contains($0.rule.rawValue)
            }
            guard !errors.isEmpty else { return }
            let lines = errors.map { finding in
                let place = finding.pointer.isEmpty ? "" : "\(finding.place): "
                return "\n  \(place)\(finding.message) [\(finding.rule.rawValue)]"
            }
            let rules = Set(errors.map(\.rule.rawValue)).sorted().map { "--allow \($0)" }.joined(separator: " ")
            throw CommandFailure(
                .refused, "this release policy would not guard the key, so no key gets it:\(lines.joined())",
                nextSteps: errors.compactMap(\.fix) + ["if it is meant: \(rules)"])
        }
    }
#endif
