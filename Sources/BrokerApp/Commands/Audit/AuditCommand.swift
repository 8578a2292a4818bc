internal import ArgumentParser
internal import BrokerCore
internal import BrokerObservability
internal import StrictJSON

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Verify and read the audit: who took which key.",
        subcommands: [AuditVerify.self, AuditShow.self, AuditTail.self])
}

/// The files of an audit, as commands read them.
struct AuditInput: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The audit file; files that rotation put aside are read first. Several files are read as given.", valueName: "file"))
    var files: [String]

    func validate() throws { if files.isEmpty { throw ValidationError("name the audit file") } }

    /// In the order of their lines.
    func contents() throws -> [(name: String, bytes: [UInt8])] {
        let names = files.count == 1 ? AuditFiles.rotated(files[0]) + files : files
        return try names.map { name in
            do throws(BoundedFile.Failure) { return (name, try BoundedFile.read(name, limit: AuditFiles.limit)) } catch {
                throw CommandFailure(.impossible, error.description, nextStep: "audit.file in the configuration names the file")
            }
        }
    }

    var head: [UInt8]? { files.last.flatMap { AuditFiles.head(of: $0) } }

    /// The lines that are as they were written.
    func lines() throws -> [AuditLine] {
        try contents().flatMap { $0.bytes.split(separator: UInt8(ascii: "\n")).compactMap { AuditLine(Array($0)) } }
    }
}

struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Say whether lines were changed, removed, reordered, duplicated or cut off, and which.",
        discussion: """
            Exit status 0 where nothing is wrong, 1 where something is. A torn last line is named and no fault: nothing was handed out for \
            it. Without --key-file whoever can write the files could have written all of them anew.
            """
    ).examples("audit verify /var/log/broker/audit", "audit verify audit --key-file audit.key --json")

    @OptionGroup var input: AuditInput
    @Option(help: ArgumentHelp("The key of audit.key-file.", valueName: "file")) var keyFile: String?
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        var key: AuditKey?
        do throws(BoundedFile.Failure) { key = try keyFile.map { (path) throws(BoundedFile.Failure) in try AuditKey(file: path) } } catch {
            throw CommandFailure(.impossible, error.description)
        }
        var verifier = AuditVerifier()
        for (name, bytes) in try input.contents() { verifier.read(bytes, file: name) }
        verifier.finish(head: input.head, key: key)
        let summary = verifier.summary
        let isSound = verifier.findings.isEmpty
        let failure =
            isSound
            ? nil : CommandFailure(.refused, "the audit is not as it was written", nextStep: "compare with a copy that was kept elsewhere")
        if json {
            Console.json(
                [
                    "sound": .boolean(isSound), "lines": .integer(Int64(summary.lines)),
                    "first": summary.first.map(JSONValue.integer) ?? .null, "last": summary.last.map(JSONValue.integer) ?? .null,
                    "keyed": .boolean(key != nil), "findings": .array(verifier.findings.map(\.json)),
                    "notes": .array(verifier.notes.map { .string($0) }),
                ], failure: failure)
            return try Console.end(failure)
        }
        let style = Style(isOn: Console.hasColour)
        for finding in verifier.findings { Console.line(style.bad("FAILED  ") + finding.words) }
        for note in verifier.notes { Console.line(style.faint("note    ") + note) }
        if let failure { throw failure }
        let numbers = summary.first.flatMap { first in summary.last.map { ", numbers \(first) to \($0)" } } ?? ""
        Console.line(style.good("verified") + ": \(summary.lines) lines\(numbers)" + (key == nil ? ", without a key" : ""))
    }
}

extension AuditVerifier.Finding {
    /// `audit:12: changed: line 12 is not as it was written`.
    var words: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(kind.rawValue): \(text)" }

    /// `{"kind", "file", "line", "seq", "text"}`.
    var json: JSONValue {
        [
            "kind": .string(kind.rawValue), "file": .string(file), "line": line.map { .integer(Int64($0)) } ?? .null,
            "seq": sequence.map(JSONValue.integer) ?? .null, "text": .string(text),
        ]
    }
}
