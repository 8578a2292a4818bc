import Foundation
import Testing

/// What the program and its samples say of its own making.
@Suite struct SupplyChainTests {
    private static let python = ProcessInfo.processInfo.environment["SBOM_TEST_PYTHON"]

    /// The build's directory, which has SwiftPM's record of packages.
    private static func scratch() throws -> String {
        var directory = Program.executable.resolvingSymlinksInPath().deletingLastPathComponent()
        while directory.path != "/" {
            if FileManager.default.fileExists(atPath: directory.appending(path: "workspace-state.json").path) { return directory.path }
            directory.deleteLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }

    private static func sbom(_ options: [String] = []) throws -> Program.Result {
        let script = Program.packageRoot.appending(path: "samples/container/sbom.py").path
        return try Program.run([script, "--scratch", scratch()] + options, executable: URL(filePath: "/usr/bin/python3"))
    }

    private static func word(_ number: Int, _ arguments: [String], _ program: String) throws -> String {
        let words = try Program.run(arguments, executable: URL(filePath: program)).text.split { $0 == " " || $0 == "\n" }
        return String(try #require(words.dropFirst(number).first))
    }

    @Test("--version tells commit, traits and the libraries that run") func version() throws {
        let result = try Program.run(["--version"])
        #expect(result.status == 0)
        let lines = result.text.split(separator: "\n").map(String.init)
        try #require(lines.count == 4)
        #expect(lines[0].wholeMatch(of: /attestation-broker \d+\.\d+\.\d+/) != nil)
        #expect(lines[1].wholeMatch(of: /commit: (?:[0-9a-f]{40}|unknown \(the build was told no SOURCE_COMMIT\))/) != nil, "\(lines[1])")
        #expect(lines[2] == "traits: FixtureEvidence, GRPC, PolicyTools, Simulators")
        let openssl = try Self.word(1, ["version"], "/usr/bin/openssl")
        let curl = try Self.word(3, ["--version"], "/usr/bin/curl").split(separator: "/").last ?? ""
        #expect(lines[3].hasPrefix("libraries: OpenSSL \(openssl), libcurl \(curl), Jansson 2."), "\(lines[3])")
    }

    @Test("the list of materials is the build's, with versions and licences, and the same each time") func materials() throws {
        let result = try Self.sbom(["--commit", "0123"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(try Self.sbom(["--commit", "0123"]).output == result.output)
        let components = try #require(result.object["components"] as? [[String: Any]])
        let names = components.compactMap { $0["name"] as? String }
        for name in ["swift-nio", "swift-argument-parser", "libssl3", "libcurl4", "libjansson4"] { #expect(names.contains(name)) }
        #expect(Set(names).count == components.count && components.count > 20)
        for component in components {
            #expect(component["version"] as? String != "unknown", "\(component)")
            let licences = component["licenses"] as? [[String: String]]
            #expect(licences?.first?["expression"]?.isEmpty == false, "\(component)")
        }
        let table = try Self.sbom(["--list"]).text.split(separator: "\n")
        #expect(table.count == components.count && table.contains { $0.hasPrefix("swift-nio ") && $0.hasSuffix(" Apache-2.0") })
        // Without a build there is nothing to list.
        let absent = try Self.sbom(["--scratch", "/nonexistent"])
        #expect(absent.status == 2 && absent.output.isEmpty && absent.errors.contains("build first"), "\(absent.errors)")
    }

    @Test(
        "the list is CycloneDX, as its authors' own library reads it",
        .enabled(if: python != nil, "SBOM_TEST_PYTHON names no Python with cyclonedx-python-lib")) func cycloneDX() throws
    {
        let script = """
            import sys
            from cyclonedx.schema import SchemaVersion
            from cyclonedx.validation.json import JsonStrictValidator
            error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read())
            sys.exit(f"{error}" if error else 0)
            """
        let python = URL(filePath: try #require(Self.python))
        let list = try Self.sbom().output
        let valid = try Program.run(["-c", script], input: list, executable: python)
        #expect(valid.status == 0, "\(valid.errors)")
        // It would have told.
        let broken = Data(String(decoding: list, as: UTF8.self).replacing("\"library\"", with: "\"book\"").utf8)
        #expect(try Program.run(["-c", script], input: broken, executable: python).status == 1)
    }
}
