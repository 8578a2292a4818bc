import Foundation
import Testing

/// The commands of `samples/upgrade-from-skr.md`, as they stand there.
@Suite(.serialized) struct UpgradeTests {
    /// Lines that are set off as commands, in order.
    private static func commands() throws -> [String] {
        let page = Program.packageRoot.appending(path: "samples/upgrade-from-skr.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }
    }

    /// A clean folder with what the page's commands read, and programs under the names that they have in the images.
    private final class Place {
        let azure: LocalAzure
        let scratch: Scratch
        let environment: [String: String]
        static let hostData = "9e8f675eb6ad756d869bffb50a053cf7fca70e3dd2bd82f94b4f20d604e8411b"

        init() throws {
            azure = try LocalAzure()
            scratch = try Scratch()
            let policy = "package policy\napi_version := \"0.10.0\"\ncontainers := []\nallow_properties_access := true\n"
            try scratch.write("policy.base64", Data(policy.utf8).base64EncodedString())
            try scratch.write("encryptionKey", Data((0..<32).map { UInt8($0) }))
            // The older form: `mhsm`, and no `kty`.
            let claims = [LocalAzure.sound]
            let store = ["endpoint": LocalAzure.managedHSM, "bearer_token": try azure.token("https://managedhsm.azure.net")]
            let key: [String: Any] = ["kid": "my-key", "authority": ["endpoint": LocalAzure.authority], "mhsm": store]
            try scratch.write("importkeyconfig.json", try JSONSerialization.data(withJSONObject: ["key": key, "claims": claims]))
            try scratch.write("plaintext", "wrapped by its owner")
            try FileManager.default.createDirectory(at: scratch.directory.appending(path: "keys"), withIntermediateDirectories: true)
            try FileManager.default.createDirectory(at: scratch.directory.appending(path: "bin"), withIntermediateDirectories: true)
            let pem = try Program.run(["genpkey", "-algorithm", "RSA"], executable: URL(filePath: "/usr/bin/openssl")).output
            let pub = try Program.run(["pkey", "-pubout"], input: pem, executable: URL(filePath: "/usr/bin/openssl")).output
            try scratch.write("keys/pub.pem", pub)
            try scratch.write("keys/testkey000-info.json", #"{"public_key_path":"keys/pub.pem","kms_endpoint":"","attester_endpoint":""}"#)
            let samples = Program.packageRoot.appending(path: "samples/container")
            var links = [("attestation-broker", Program.executable)]
            links += ["skr.sh", "attest_client.sh", "skr_client.sh"].map { ($0, samples.appending(path: $0)) }
            for (name, target) in links {
                try FileManager.default.createSymbolicLink(
                    at: scratch.directory.appending(path: "bin/\(name)"), withDestinationURL: target)
            }
            let configuration = try scratch.write("broker.json", try JSONSerialization.data(withJSONObject: azure.configuration))
            environment = [
                "PATH": "\(scratch.path)/bin:/usr/bin:/bin", "BROKER_CONFIG": configuration.path,
                "SkrSideCarArgs": Data(#"{"maaconfig":{"user_agent":"an-operator"}}"#.utf8).base64EncodedString(),
            ]
        }

        func shell(_ command: String, _ more: [String: String] = [:]) -> (arguments: [String], environment: [String: String]) {
            (["-c", "cd '\(scratch.path)' && exec \(command)"], environment.merging(more) { $1 })
        }

        func run(_ command: String, _ more: [String: String] = [:]) throws -> Program.Result {
            let (arguments, environment) = shell(command, more)
            return try Program.run(arguments, environment: environment, executable: URL(filePath: "/bin/sh"))
        }
    }

    @Test("every command of the page works as it is written") func pageCommands() throws {
        let place = try Place()
        defer { place.scratch.remove() }
        let commands = try Self.commands()
        #expect(commands.count >= 9)
        // Imports before releases; the page tells servers first.
        let tools = commands.filter { $0.hasPrefix("attestation-broker") && !$0.contains("ort \"$Port\"") }
        for command in tools {
            let result = try place.run(command)
            #expect(result.status == 0, "\(command): \(result.text)\(result.errors)")
            if command.contains("policy digest") { #expect(result.text == Place.hostData + "\n", "\(command)") }
            if command.contains("key import") { #expect(result.text.contains(LocalAzure.managedHSM + "/keys/my-key"), "\(command)") }
        }
        #expect(FileManager.default.fileExists(atPath: place.scratch.path + "/wrapped"))
        let servers = commands.filter { $0.contains("$Port") }
        #expect(servers.count == 3)
        for command in servers {
            let port = try FreePort.any()
            let (arguments, environment) = place.shell(command, ["Port": ""])
            let text = arguments.map { $0.replacing("$Port", with: String(port)) }
            let broker = try Broker(text, environment: environment, executable: URL(filePath: "/bin/sh"))
            #expect(broker.port == port, "\(command): \(broker.program.output)")
            for client in commands where client.contains("_client.sh") {
                let result = try place.run(client, ["Port": String(port)])
                #expect(result.status == 0, "\(client): \(result.text)\(result.errors)")
            }
            #expect(broker.program.stop() == 0, "\(command)")
        }
    }

    @Test("called by the original's name, the program serves without being told") func name() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let skr = scratch.directory.appending(path: "skr")
        try FileManager.default.createSymbolicLink(at: skr, withDestinationURL: Program.executable)
        let broker = try Broker([], environment: ["BROKER_SERVER_HTTP": "127.0.0.1:0"], executable: skr)
        #expect(try broker.get("/status").status == 200)
        #expect(broker.program.stop() == 0)
        let image = try String(contentsOf: Program.packageRoot.appending(path: "samples/container/rootfs.sh"), encoding: .utf8)
        #expect(image.contains("attestation-broker \"$root/bin/skr\""))
    }

    @Test("the start script's arguments stand for variables that are empty, and options pass") func startScript() throws {
        let place = try Place()
        defer { place.scratch.remove() }
        // `serve` is replaced by a look at what it would do.
        let text = try place.scratch.write("look.sh", Data("#!/bin/sh\nshift\nexec \(Program.executable.path) config check \"$@\"\n".utf8))
        let look = try place.scratch.install(text, as: "look").path
        func effective(_ command: String, _ more: [String: String]) throws -> String {
            let result = try place.run(command, more.merging(["BROKER": look]) { $1 })
            #expect(result.status == 0, "\(command): \(result.errors)")
            return result.text
        }
        let blob = Data(#"{"identity":{"client_id":"33333333-cccc-4ccc-8ccc-333333333333"}}"#.utf8).base64EncodedString()
        #expect(try effective("skr.sh \(blob) 9001", ["SkrSideCarArgs": ""]).contains("127.0.0.1:9001"))
        #expect(try effective("skr.sh \(blob) 9001", ["SkrSideCarArgs": ""]).contains("33333333-cccc"))
        #expect(try effective("skr.sh '' 9001", [:]).contains("127.0.0.1:9001"))
        #expect(try effective("skr.sh \(blob) 9001", ["Port": "9002"]).contains("127.0.0.1:9002"))
        #expect(!(try effective("skr.sh \(blob)", [:]).contains("33333333-cccc")), "the variable counts more")
        #expect(try effective("skr.sh --set server.http=127.0.0.1:9003", [:]).contains("127.0.0.1:9003"))
        #expect(try effective("skr.sh \(blob) 9001 --set evidence.use=fixture", [:]).contains("127.0.0.1:9001"))
    }
}

/// A port of loopback that was free a moment ago.
enum FreePort {
    static func any() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = bind(descriptor, pointer, length)
                _ = getsockname(descriptor, pointer, &length)
            }
            return Int(UInt16(bigEndian: $0.pointee.sin_port))
        }
    }
}
