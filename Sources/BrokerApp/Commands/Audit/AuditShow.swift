internal import ArgumentParser
internal import BrokerObservability
internal import PlainText
#if PolicyTools
    internal import PolicyTools
#endif
internal import StrictJSON

struct AuditShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show who took which key, and who was refused.",
        discussion: "Judges nothing: 'audit verify' says whether the lines are as they were written; those that are not are left out here."
    ).examples("audit show /var/log/broker/audit --key db-primary", "audit show audit --html > audit.html")

    @OptionGroup var input: AuditInput
    @Option(help: ArgumentHelp("Only lines about this key.", valueName: "name")) var key: String?
    @Option(help: "Only lines about this user id.") var uid: UInt32?
    @Flag(help: "Only what was refused or failed.") var failed = false
    #if PolicyTools
        @Flag(help: "Print a page for a browser.") var html = false
    #endif
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let lines = try input.lines().filter(isWanted)
        if json { return Console.json(["lines": .array(lines.map { .object($0.content) })]) }
        #if PolicyTools
            if html { return Console.writeBytes(AuditPage.page(lines, of: input.files.last ?? "")) }
        #endif
        for line in lines { Console.line(AuditWords.line(line)) }
    }

    private func isWanted(_ line: AuditLine) -> Bool {
        guard key != nil || uid != nil || failed else { return true }
        let name = line.text("key").map { $0.split(separator: "/").first.map(String.init) ?? $0 }
        if let key, name?.equalsIgnoringASCIICase(key) != true { return false }
        if let uid, AuditWords.uid(line) != Int64(uid) { return false }
        return !failed || line.text("outcome") == "failed"
    }
}

struct AuditTail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Show the last lines of an audit."
    ).examples("audit tail /var/log/broker/audit -n 5")

    @OptionGroup var input: AuditInput
    @Option(name: .shortAndLong, help: "How many lines.") var number = 10
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { if !(1...100_000).contains(number) { throw ValidationError("--number is 1 to 100000") } }

    func run() throws {
        let lines = try input.lines().suffix(number)
        if json { return Console.json(["lines": .array(lines.map { .object($0.content) })]) }
        for line in lines { Console.line(AuditWords.line(line)) }
    }
}

/// A line of an audit in words.
enum AuditWords {
    /// `12 2026-11-30T12:00:00.000Z ok release db-primary: uid 1000, /usr/bin/app`.
    static func line(_ line: AuditLine) -> String {
        let start = "\(line.sequence) \(line.text("time") ?? "")"
        if let event = line.event { return "\(start) \(event)" }
        let what = [line.text("code"), line.text("operation"), line.text("key")].compactMap(\.self).joined(separator: " ")
        return VisibleText.line("\(start) \(what): \(caller(line))", limit: 1000)
    }

    static func caller(_ line: AuditLine) -> String {
        guard case .object(let caller)? = line.content["caller"] else { return "" }
        return caller.map { name, value in
            switch value {
            case .string(let text): name == "way" ? text : "\(name) \(text)"
            case .integer(let number): "\(name) \(number)"
            default: name
            }
        }.joined(separator: ", ")
    }

    static func uid(_ line: AuditLine) -> Int64? {
        guard case .object(let caller)? = line.content["caller"], case .integer(let uid)? = caller["uid"] else { return nil }
        return uid
    }
}
