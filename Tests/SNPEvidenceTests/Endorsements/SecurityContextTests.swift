import Foundation
import OpenSSLCrypto
import Testing

@testable import SNPEvidence

@Suite("The security context") struct SecurityContextTests {
    private let root = FileManager.default.temporaryDirectory.appending(path: "context-\(UUID().uuidString)")

    private func make(_ name: String, _ files: [String: String]) throws {
        let directory = root.appending(path: name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for (name, content) in files { try Data(content.utf8).write(to: directory.appending(path: name)) }
    }

    private func read(_ change: (inout SecurityContext.Places) -> Void = { _ in }) throws -> SecurityContext {
        var places = SecurityContext.Places()
        places.root = root.path
        change(&places)
        return try SecurityContext.read(places)
    }

    @Test func nothingIsThere() throws {
        try make("somewhere", [:])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(try read() == SecurityContext())
    }

    @Test func theOneDirectoryIsFound() throws {
        try make(
            "security-context-12345",
            ["security-policy-base64": "cGFja2FnZQ==\n", "host-amd-cert-base64": "e30=", "reference-info-base64": "0oQ="])
        defer { try? FileManager.default.removeItem(at: root) }
        let context = try read()
        #expect(context.policy == Array("package".utf8))
        #expect(context.hostCertificates == Array("{}".utf8))
        #expect(context.utilityVM == [0xD2, 0x84])
        #expect(context.origin.hasSuffix("/security-context-12345"))
        // Variables fill in what no file gives, and nothing else.
        let mixed = try read {
            $0.policy = "b3RoZXI="
            $0.utilityVM = "0oQ="
        }
        #expect(mixed.policy == Array("package".utf8))
    }

    @Test func aLinkIsWhatItLeadsTo() throws {
        try make("elsewhere", ["policy": "cGFja2FnZQ=="])
        defer { try? FileManager.default.removeItem(at: root) }
        let context = root.appending(path: "security-context-1")
        try FileManager.default.createSymbolicLink(at: context, withDestinationURL: root.appending(path: "elsewhere"))
        let policy = root.appending(path: "elsewhere/security-policy-base64")
        try FileManager.default.createSymbolicLink(atPath: policy.path, withDestinationPath: "policy")
        #expect(try read().policy == Array("package".utf8))
        // What is at the end must be a file: a device could be read for ever.
        for target in ["/dev/zero", "/tmp", policy.path] {
            try FileManager.default.removeItem(at: policy)
            try FileManager.default.createSymbolicLink(atPath: policy.path, withDestinationPath: target)
            if target == policy.path {
                #expect(try read().policy == nil, "a link to itself leads to no file")
            } else {
                #expect(throws: SecurityContext.Unusable.self) { try read() }
            }
        }
    }

    @Test func twoDirectoriesAreNotGuessedBetween() throws {
        try make("security-context-1", [:])
        try make("security-context-2", ["security-policy-base64": "b3RoZXI="])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(throws: SecurityContext.Unusable.self) { try read() }
        let named = try read { $0.directory = root.path + "/security-context-2" }
        #expect(named.policy == Array("other".utf8))
    }

    @Test func kataAndVariables() throws {
        try make("opt/confidential-containers/share/kata-containers", ["reference-info-base64": "0oQ="])
        defer { try? FileManager.default.removeItem(at: root) }
        let kata = try read { $0.policy = "cGFja2FnZQ==" }
        #expect(kata.utilityVM == [0xD2, 0x84] && kata.policy == Array("package".utf8) && kata.hostCertificates == nil)
        let variables = try SecurityContext.read(
            {
                var places = SecurityContext.Places()
                places.root = root.path + "/nowhere"
                places.hostCertificates = "e30="
                return places
            }())
        #expect(variables.hostCertificates == Array("{}".utf8) && variables.origin == "UVM_ variables")
    }

    @Test func whatCannotBeReadIsAnError() throws {
        try make("security-context-1", ["security-policy-base64": "not base64!"])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(throws: SecurityContext.Unusable.self) { try read() }
        #expect(throws: SecurityContext.Unusable.self) { try read { $0.directory = root.path + "/no-such" } }
    }

    @Test func odditiesAreTold() {
        let policy = Array("package".utf8)
        var context = SecurityContext(policy: policy, utilityVM: [1])
        #expect(context.oddities(hostData: DigestAlgorithm.sha256.digest(policy)).isEmpty)
        #expect(context.oddities(hostData: [UInt8](repeating: 0, count: 32)).count == 1)
        context.utilityVM = nil
        #expect(context.oddities(hostData: DigestAlgorithm.sha256.digest(policy)).first?.contains("reference-info") == true)
    }

    @Test func newerFilesAreReadAndNoUpdateOfTheHostStopsAnything() throws {
        try make(
            "security-context-1",
            [
                "transparent-reference-info-base64": "0oQ=", "tcb-reference-info-base64": "not base64!",
                "platform-reference-info-base64": "AQID\n", "attested-weather-base64": "AAAA", "amdsnppspapi.dll": "MZ",
            ])
        defer { try? FileManager.default.removeItem(at: root) }
        let context = try read()
        #expect(context.transparentUtilityVM == [0xD2, 0x84] && context.tcbReference == nil && context.platformReference == [1, 2, 3])
        #expect(context.unknownFiles == ["attested-weather-base64"])
        let oddities = context.oddities(hostData: [])
        #expect(oddities.count == 2)
        #expect(oddities[0].contains("does not know: attested-weather-base64"), "\(oddities)")
        #expect(oddities[1].contains("tcb-reference-info-base64") && oddities[1].hasSuffix("it is left out"), "\(oddities)")
    }
}
