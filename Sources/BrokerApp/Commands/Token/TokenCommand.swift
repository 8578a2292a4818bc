internal import AttestationTokens
internal import ArgumentParser
internal import InputReading
internal import JOSE
internal import PlainText
internal import StrictJSON

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Decode and verify attestation tokens.", subcommands: [TokenShow.self, TokenVerify.self])
}

/// Attestation tokens that commands read.
enum TokenFile {
    /// `-` for standard input. The error never quotes the token.
    static func read(_ path: String) throws -> MAAToken {
        let compact = try InputFile.readOne(path, as: TokenInput.kind, limit: MAAToken.maximumFileBytes)
        do { return try MAAToken(compact: compact) } catch {
            throw CommandFailure(
                .impossible, "\(InputFile.name(path)): not an attestation token: \(error.reason)", nextStep: TokenInput.kind.advice)
        }
    }
}

struct TokenShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Decode a token without judging it.",
        discussion: "Prints header and claims, never the signature or the token itself: whoever has that can use it."
    ).examples("token show token.jwt")

    @Argument(help: ArgumentHelp("The token; - for standard input.", valueName: "file")) var token: String = "-"
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let token = try TokenFile.read(token)
        if json {
            let result: JSONValue = ["header": .object(token.shownHeader), "claims": .object(token.claims)]
            Console.json(result)
            return
        }
        Console.line("header")
        for line in ShownClaims.lines(token.shownHeader) { Console.line("  \(line)") }
        Console.line("claims")
        for line in ShownClaims.lines(token.claims, time: RFC3339.format) { Console.line("  \(line)") }
        Console.note("decoded, not verified; 'token verify' says whether to believe it")
    }
}
