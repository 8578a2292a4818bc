#if PolicyTools
    internal import ArgumentParser
    internal import PolicyTools
    internal import StrictJSON

    struct PolicyDiff: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff", abstract: "Compare two release policies, or two security policies, by what they mean.",
            discussion: """
                Release policies are compared clause by clause; the order of anyOf and allOf makes no difference. Security policies are \
                compared where they have the form that 'az confcom' writes: containers, environment rules, mounts and fragments; other \
                Rego is refused. Exit status 0 when both say the same, 1 when they differ, 2 when one cannot be read.
                """
        ).examples("policy diff old.json new.json", "policy diff old.rego new.rego --html diff.html")

        @Argument(help: ArgumentHelp("A policy, or a file that holds one; - for standard input.", valueName: "old")) var old: String
        @Argument(help: ArgumentHelp("What it is compared with.", valueName: "new")) var new: String
        @Option(help: ArgumentHelp("Write a self-contained page; - for standard output.", valueName: "file")) var html: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if old == "-", new == "-" { throw ValidationError("only one input can be standard input") }
            if html == "-", json { throw ValidationError("--html - and --json both want standard output") }
        }

        func run() throws {
            guard let difference = try Self.policy(old).difference(to: try Self.policy(new)) else {
                throw CommandFailure(.impossible, "\(old) and \(new): one is a release policy, the other a security policy")
            }
            if let html {
                let page = difference.page(old: old, new: new)
                if html == "-" { Console.writeBytes(page) } else { try OutputFile.write(page, to: html) }
            }
            let failure = difference.areEqual ? nil : CommandFailure(.refused, "the policies differ")
            if json {
                Console.json(difference.json, failure: failure)
            } else if html != "-" {
                for line in difference.lines { Console.line(line) }
            }
            try Console.end(failure)
        }

        private static func policy(_ path: String) throws -> ComparablePolicy {
            do { return try ComparablePolicy(InputFile.bytes(path)) } catch let failure as ComparablePolicy.Failure {
                throw CommandFailure(.impossible, "\(path == "-" ? "standard input" : path): \(failure)")
            }
        }
    }
#endif
