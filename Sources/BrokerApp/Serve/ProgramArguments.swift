internal import CProcessShims

/// The command line as `main` got it. `CommandLine.arguments` reads it from `/proc`, and is empty where that is not mounted.
enum ProgramArguments {
    static func current() -> [String] {
        (0..<broker_argument_count()).compactMap { broker_argument($0).map { String(cString: $0) } }
    }

    /// Without the program's name, which is always there.
    ///
    /// - Throws: `CommandFailure` with exit status 78 where there is nothing at all: what was asked for is lost, and help would look like
    /// success.
    static func checked(_ arguments: [String]) throws(CommandFailure) -> [String] {
        guard !arguments.isEmpty else {
            throw CommandFailure(
                .configuration, "the command line is lost: not even the program's name is in it",
                nextStep: "start the program with its name and arguments; is /proc mounted?")
        }
        return Array(arguments.dropFirst())
    }
}
