import BrokerCore
import BrokerTestKit
import Glibc
import Testing

@testable import SNPEvidence

@Suite("Evidence provider snp")
struct SNPProviderTests {
    private struct Failure: Error {}

    /// A file tree that stands for the machine's, with what the names are links or directories for.
    private func machine(_ links: [String: String], directories: [String] = []) throws -> String {
        var template = Array("/tmp/snp-evidence-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        let root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for path in ["/dev", "/sys", "/sys/kernel", "/sys/kernel/config", "/sys/kernel/config/tsm"] + directories {
            guard mkdir(root + path, 0o700) == 0 else { throw Failure() }
        }
        for (path, target) in links {
            guard symlink(target, root + path) == 0 else { throw Failure() }
        }
        return root
    }

    private func remove(_ root: String, _ paths: [String]) {
        for path in paths + ["/sys/kernel/config/tsm", "/sys/kernel/config", "/sys/kernel", "/sys", "/dev", ""] {
            _ = Glibc.remove(root + path)
        }
    }

    private func message(_ interface: InterfaceChoice, _ root: String) async -> String {
        let provider = SNPProvider(interface: interface, probe: GuestInterfaceProbe(root: root))
        #expect(provider.provenance == .hardware)
        do throws(BrokerError) {
            _ = try await provider.evidence(binding: ReportData(sha256Of: []), in: .forTest())
            Issue.record("there was evidence")
            return ""
        } catch {
            #expect(error.code == .evidenceUnavailable && error.stage == .evidence)
            #expect(await provider.obstacles(in: .forTest()) == [error.message])
            return error.message
        }
    }

    @Test func withoutADeviceThereIsNoEvidence() async throws {
        let root = try machine([:])
        defer { remove(root, []) }
        let text = await message(.auto, root)
        for path in ["/dev/sev-guest", "/dev/sev", "/sys/kernel/config/tsm/report"] { #expect(text.contains(path)) }
        #expect(text.contains("fixture"), "the next step for a developer")
        let one = await message(.sevGuest, root)
        #expect(one.contains("/dev/sev-guest is absent") && !one.contains("configfs"))
    }

    @Test func onlyTheRightKindOfFileIsADevice() async throws {
        // A directory is not a device, nor is a plain file; a character device is not a directory.
        let root = try machine(
            ["/dev/sev": #filePath, "/sys/kernel/config/tsm/report": "/dev/null"], directories: ["/dev/sev-guest"])
        defer { remove(root, ["/dev/sev", "/dev/sev-guest", "/sys/kernel/config/tsm/report"]) }
        for interface in GuestInterface.allCases {
            #expect(GuestInterfaceProbe(root: root).find(interface) == .somethingElse)
        }
        let text = await message(.auto, root)
        #expect(text.hasPrefix("no SEV-SNP guest interface"))
        #expect(text.contains("/dev/sev-guest is not a character device"))
        #expect(text.contains("/sys/kernel/config/tsm/report is not a directory"))
    }

    @Test func aDeviceIsNamed() async throws {
        let root = try machine(["/dev/sev-guest": "/dev/null"], directories: ["/sys/kernel/config/tsm/report"])
        defer { remove(root, ["/dev/sev-guest", "/sys/kernel/config/tsm/report"]) }
        #expect(GuestInterfaceProbe(root: root).find(.sevGuest) == .present)
        #expect(GuestInterfaceProbe(root: root).find(.sevLegacy) == .absent)
        #expect(await message(.auto, root).hasPrefix("/sys/kernel/config/tsm/report is there"))
        #expect(await message(.sevGuest, root).hasPrefix("/dev/sev-guest is there"))
    }

    @Test func declaresItsSetting() throws {
        #expect(snpEvidence.name == "snp")
        #expect(snpEvidence.schema.declarations.map(\.name) == ["interface"])
        let host = HostServices.forTest(transport: ScriptedTransport(script: []))
        for choice in ["auto", "sev-guest", "sev-legacy", "configfs-tsm"] {
            #expect(try snpEvidence.makeForTest(["interface": .string(choice)], host: host).provenance == .hardware)
        }
        #expect(throws: BrokerError.self) { try snpEvidence.makeForTest(["interface": .string("tpm")], host: host) }
    }
}
