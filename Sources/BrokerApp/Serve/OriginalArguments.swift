/// Command lines written for the original sidecar, which knows no commands: `-port 8080 -base64 … -loglevel debug`.
enum OriginalArguments {
    private static let flags: Set<String> = ["base64", "port", "loglevel", "logfile", "server_type"]

    /// The same line with `serve` in front and each flag as this program spells it; any other line unchanged.
    static func translated(_ arguments: [String]) -> [String] {
        guard let first = arguments.first, flag(first) != nil else { return arguments }
        var result = ["serve"]
        for argument in arguments {
            guard let (name, value) = flag(argument) else {
                result.append(argument)
                continue
            }
            let option = "--original-" + name.replacing("_", with: "-")
            result.append(value.map { "\(option)=\($0)" } ?? option)
        }
        return result
    }

    /// Name and, where it is written with `=`, value of one of the original's flags; Go accepts one dash or two.
    private static func flag(_ argument: String) -> (name: String, value: String?)? {
        guard argument.hasPrefix("-") else { return nil }
        let parts = argument.drop { $0 == "-" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first.map(String.init), flags.contains(name) else { return nil }
        return (name, parts.count == 2 ? String(parts[1]) : nil)
    }
}
