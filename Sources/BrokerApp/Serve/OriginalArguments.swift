/// Command lines written for the programs of the original sidecar, as this program spells them (OriginalSidecar.md, "Start-up inputs" and
/// "importkey").
///
/// Its server knows no commands: `-port 8080 -base64 … -loglevel debug` becomes `serve` with options, also where `serve` is in front, and
/// `-infile … -keypath … -outfile …` becomes `wrap`. Its import tool takes values of flags as Go does: `-out=true`, and `-out true` as its
/// guide writes it.
enum OriginalArguments {
    private static let serverFlags: Set<String> = ["base64", "port", "loglevel", "logfile", "server_type"]
    private static let wrapFlags: Set<String> = ["infile", "keypath", "outfile"]
    private static let importFlags: Set<String> = ["out", "a"]

    /// The same line for this program; any other line unchanged. A program that is called `skr` serves without being told.
    static func translated(_ arguments: [String], program: String) -> [String] {
        if arguments.isEmpty, program.split(separator: "/").last == "skr" { return ["serve"] }
        if arguments.starts(with: ["key", "import"]) { return translatedImport(arguments) }
        guard let first = arguments.first else { return arguments }
        guard first == "serve" || flag(first, of: serverFlags) != nil else {
            return arguments.contains { flag($0, of: wrapFlags) != nil } && first.hasPrefix("-") ? ["wrap"] + arguments : arguments
        }
        return ["serve"]
            + arguments.drop { $0 == "serve" }.map { argument in
                guard let (name, value) = flag(argument, of: serverFlags) else { return argument }
                let option = "--original-" + name.replacing("_", with: "-")
                return value.map { "\(option)=\($0)" } ?? option
            }
    }

    private static func translatedImport(_ arguments: [String]) -> [String] {
        var result: [String] = []
        for argument in arguments {
            if argument == "true", let last = result.last, flag(last, of: importFlags) != nil { continue }
            guard let (name, value) = flag(argument, of: importFlags), let value, ["true", "false"].contains(value) else {
                result.append(argument)
                continue
            }
            if value == "true" { result.append("-\(name)") }
        }
        return result
    }

    /// Name and, where it is written with `=`, value of one of these flags; Go accepts one dash or two.
    private static func flag(_ argument: String, of flags: Set<String>) -> (name: String, value: String?)? {
        guard argument.hasPrefix("-") else { return nil }
        let parts = argument.drop { $0 == "-" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first.map(String.init), flags.contains(name) else { return nil }
        return (name, parts.count == 2 ? String(parts[1]) : nil)
    }
}
