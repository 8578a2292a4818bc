#if PolicyTools
    internal import ArgumentParser
    internal import Glibc
    internal import InputReading
    internal import OpenSSLCrypto
    internal import PolicyTools
    internal import StrictJSON

    struct PolicyDigest: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "digest", abstract: "Print the host data that a security policy (ccePolicy) leads to.",
            discussion: """
                The host data is the SHA-256 of the decoded policy, 64 lower-case hex digits: the value of x-ms-sevsnpvm-hostdata. The \
                input is base64 text as in an ARM template, a Rego file, an ARM template or parameter file with ccePolicy in it, a pod \
                manifest for virtual nodes, or a security context directory. What is none of these is refused and not hashed. Two traps \
                are named on standard error: CRLF line ends, which count, and input that was decoded already. Exit status 2 when there is \
                no policy in the input, 1 when --expect does not match.
                """
        ).examples("policy digest template.json", "policy digest -p cGFja2FnZSBwb2xpY3kK", "policy digest --expect 9e8f… ccepolicy.base64")

        @Argument(
            help: ArgumentHelp("The policy, template or manifest, or the base64 text itself; - for standard input.", valueName: "file"))
        var input: String?

        @Option(
            name: [.customShort("p"), .customLong("policy")],
            help: ArgumentHelp("The base64 text of the policy, as the original takes it.", valueName: "base64")) var policy: String?

        @Option(name: [.customShort("f"), .customLong("file")], help: ArgumentHelp("The same as the argument.", valueName: "file"))
        var file: String?

        @Option(
            help: ArgumentHelp("What the input is, instead of recognising it: \(SecurityPolicyFile.forms).", valueName: "form"),
            transform: SecurityPolicyFile.form) var form: SecurityPolicyForm?

        @Option(
            help: ArgumentHelp(
                "The host data that somebody else computed or that a token carries; says whether it is this policy's, and if not, which "
                    + "slip gives it.",
                valueName: "hex")) var expect: String?

        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard [input, policy, file].compactMap({ $0 }).count <= 1 else { throw ValidationError("give one of FILE, -f and -p") }
            if policy == nil, (file ?? input ?? "-") == "-", isatty(STDIN_FILENO) == 1 {
                throw ValidationError("name a file, or give the policy with -p or on standard input")
            }
            if let expect, HexText.decode(expect)?.count != 32 { throw ValidationError("--expect wants 64 hex digits") }
        }

        private func policies() throws -> [SecurityPolicyInput] {
            if let policy { return try SecurityPolicyFile.parse(Array(policy.utf8), as: form, name: "-p") }
            let path = file ?? input ?? "-"
            // The text itself, where there is no file of that name.
            if file == nil, path != "-", access(path, F_OK) != 0, path.utf8.count >= 16,
                let policies = try? SecurityPolicyInput.read(Array(path.utf8), as: form)
            {
                return policies
            }
            return try SecurityPolicyFile.read(path, as: form)
        }

        func run() throws {
            let digests = try policies().map(SecurityPolicyDigest.digest)
            let wanted = expect.flatMap { HexText.decode($0) }.map { Hex.encode($0) }
            let failure = wanted.flatMap { mismatch(digests, $0) }
            if json {
                printJSON(digests, wanted, failure)
            } else {
                for digest in digests { Console.line(digests.count == 1 ? digest.hostData : "\(digest.hostData)  \(digest.place ?? "")") }
            }
            for digest in digests {
                let place = digests.count == 1 ? "" : "\(digest.place ?? ""): "
                for note in digest.notes { Console.note("note: \(place)\(note)") }
            }
            if let failure { Console.note(failure.message) }
            try Console.end(failure)
        }

        private func mismatch(_ digests: [SecurityPolicyDigest], _ wanted: String) -> CommandFailure? {
            guard !digests.contains(where: { $0.hostData == wanted }) else { return nil }
            let slips = digests.flatMap(\.variants).filter { $0.hostData == wanted }
            return CommandFailure(
                .refused,
                slips.isEmpty
                    ? "not the expected host data, and no usual slip explains it: it is of another policy"
                    : "not the expected host data; that is this policy \(slips[0].mistake)")
        }

        private func printJSON(_ digests: [SecurityPolicyDigest], _ wanted: String?, _ failure: CommandFailure?) {
            let policies = digests.map { digest -> JSONValue in
                var members: [(String, JSONValue)] = [
                    ("host_data", .string(digest.hostData)), ("form", .string(digest.form.rawValue)),
                    ("policy_bytes", .integer(Int64(digest.byteCount))), ("place", digest.place.map { .string($0) } ?? .null),
                    ("notes", .array(digest.notes.map { .string($0) })),
                    ("slips", .array(digest.variants.map { ["mistake": .string($0.mistake), "host_data": .string($0.hostData)] })),
                ]
                if let wanted { members.append(("expected", .boolean(digest.hostData == wanted))) }
                return .object(JSONObject(members))
            }
            let result: JSONValue = ["policies": .array(policies)]
            Console.json(result, failure: failure)
        }
    }
#endif
