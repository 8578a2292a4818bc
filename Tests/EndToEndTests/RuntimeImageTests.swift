import Foundation
import Testing

/// The directory that Tests/runtime-image.sh made.
private enum RuntimeImage { static let root = ProcessInfo.processInfo.environment["BROKER_RUNTIME_ROOT"].flatMap { $0.isEmpty ? nil : $0 } }

/// The sidecar from the root file system of its image (Tests/runtime-image.sh), as the user of the image, with nothing writable.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(
        if: RuntimeImage.root != nil && geteuid() == 0 && EmulatedGuest.isPossible,
        "no BROKER_RUNTIME_ROOT from Tests/runtime-image.sh, or not root")) struct RuntimeImageTests
{
    /// Starts `command` in the image: the root read-only, a directory of the test at its own path, the device's stand-in preloaded.
    private func start(_ command: String, _ scratch: Scratch, environment: [String: String]) throws -> Broker {
        let root = try #require(RuntimeImage.root)
        let script = """
            set -e
            mount --make-rprivate /
            mount --bind "$1" "$1"
            mount -t tmpfs -o mode=0755 tmpfs "$1/tmp"
            mkdir -p "$1$2"
            mount --bind "$2" "$1$2"
            mount --bind "${LIBRARY%/*}" "$1/sys"
            mount --rbind /dev "$1/dev"
            mount --rbind /proc "$1/proc"
            mount -o remount,ro,bind "$1/tmp"
            mount -o remount,ro,bind "$1$2"
            mount -o remount,ro,bind "$1"
            exec chroot --userspec=65532:65532 "$1" /bin/sh -c "LD_PRELOAD=/sys/${LIBRARY##*/} exec $3"
            """
        var environment = environment
        environment["LIBRARY"] = environment.removeValue(forKey: "LD_PRELOAD")
        environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
        return try Broker(
            ["--mount", "bash", "-c", script, "image", root, scratch.path, command], environment: environment,
            executable: URL(filePath: "/usr/bin/unshare"))
    }

    @Test("it releases a key as its own user from a read-only root") func release() throws {
        var guest: EmulatedGuest?
        let azure = try LocalAzure { scratch, fixture in
            guest = try EmulatedGuest(scratch, fixtureDirectory: fixture.path)
            return []
        }
        defer { azure.stop() }
        let machine = try #require(guest)
        // The simulators' directory is their owner's alone.
        let authority = try azure.scratch.write("ca.pem", Data(contentsOf: URL(filePath: azure.caFile)))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: azure.scratch.path)
        let key = SampleKeys.oct(32)
        try azure.importKey("image", at: LocalAzure.managedHSM, key, policy: LocalAzure.policy())
        let broker = try start(
            "/skr.sh", azure.scratch,
            environment: machine.environment(
                "sev-guest",
                [
                    "BROKER_SERVER_HTTP": "127.0.0.1:0", "BROKER_TLS_CA_FILE": authority.path,
                    "BROKER_TLS_CONNECT_TO": "169.254.169.254:80:127.0.0.1:\(azure.metadataPort),::127.0.0.1:\(azure.tlsPort)",
                ]))
        let released = try broker.release("image", at: LocalAzure.managedHSM, ["maa_endpoint": LocalAzure.authority])
        #expect(released.status == 200, "\(released.answer) \(broker.program.output)")
        #expect(released.key?["k"] as? String == key["k"] as? String)
        #expect(try broker.get("/readyz").status == 200)

        let process = "/proc/\(broker.program.identifier)"
        let status = try String(contentsOfFile: process + "/status", encoding: .utf8)
        #expect(status.contains(/Uid:\t65532\t65532/) && status.contains(/Name:\tattestation-bro/))
        let mounts = try String(contentsOfFile: process + "/mountinfo", encoding: .utf8)
        let rootMount = mounts.split(separator: "\n").map { $0.split(separator: " ") }.first { $0[4] == "/" }
        #expect(rootMount?[5].split(separator: ",").contains("ro") == true, "\(mounts)")
        #expect(broker.program.stop() == 0, "\(broker.program.output)")
    }

    @Test("it holds the program, libraries, authorities and one shell, and no fixture, simulator or package manager") func content() throws
    {
        let root = try #require(RuntimeImage.root)
        func names(_ directory: String) throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: root + directory)) }
        #expect(try names("/bin") == ["sh", "skr"])
        #expect(try names("/usr/bin") == ["attestation-broker"])
        for absent in ["/sbin", "/usr/sbin", "/usr/lib/apt", "/var/lib/dpkg", "/etc/apt", "/usr/bin/perl"] {
            #expect(!FileManager.default.fileExists(atPath: root + absent), "\(absent)")
        }
        func run(_ arguments: [String]) throws -> Program.Result {
            let script = """
                mount --make-rprivate /
                mount --bind "$1" "$1"
                mount --rbind /proc "$1/proc"
                shift
                exec chroot --userspec=65532:65532 "$ROOT" /usr/bin/attestation-broker "$@"
                """
            return try Program.run(
                ["--mount", "bash", "-c", script, "image", root] + arguments,
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ROOT": root], executable: URL(filePath: "/usr/bin/unshare"))
        }
        // Tests/Benchmarks/sizes.sh shows what holds them; 1.6 MB are the listener's TLS (BoringSSL).
        let program = try FileManager.default.attributesOfItem(atPath: root + "/usr/bin/attestation-broker")
        #expect(try #require(program[.size] as? Int) <= 27_000_000)
        let plugins = try run(["plugins", "list"])
        #expect(plugins.status == 0 && plugins.text.contains("snp") && !plugins.text.contains("fixture"), "\(plugins)")
        for command in ["simulate", "demo", "policy"] { #expect(try run([command]).status == 64, "\(command)") }
    }

    @Test("its program holds nothing that forges, simulates, lints or tests, and neither all of Foundation nor ICU") func symbols() throws {
        /// Beginnings of symbols: a module's own, and its extensions of others' types.
        func holds(_ module: String, _ symbols: Data) -> Bool {
            let name = "\(module.utf8.count)\(module)"
            return ["$s" + name, name + "E"].contains { symbols.range(of: Data($0.utf8)) != nil }
        }
        func symbols(_ program: String) throws -> Data {
            try Program.run(["--defined-only", program], executable: URL(filePath: "/usr/bin/nm")).output
        }
        let forbidden = ["Issuing", "PolicyTools", "SNPFixture", "AzureSimulators", "FixtureEvidence", "BrokerTestKit", "Testing"]
        // What samples/container/build.sh linked, before it was stripped.
        let linked = URL(filePath: try #require(RuntimeImage.root)).deletingLastPathComponent().appending(
            path: "release/attestation-broker")
        let image = try symbols(linked.path)
        #expect(forbidden.filter { holds($0, image) } == [])
        for module in ["Foundation", "FoundationInternationalization"] { #expect(!holds(module, image), "\(module)") }
        for name in ["ucol_", "uloc_", "udat_", "icudt"] { #expect(image.range(of: Data(" T \(name)".utf8)) == nil, "\(name)") }
        for module in ["BrokerEngine", "SNPEvidence", "FoundationEssentials"] {
            #expect(holds(module, image), "\(module): the search finds nothing")
        }
        // The developers' program has them, under the same names.
        let all = try symbols(Program.executable.path)
        #expect(forbidden.dropLast(2).filter { !holds($0, all) } == [])
    }
}
