import BrokerCore
import BrokerTestKit
import Glibc
import Testing

@testable import SNPEvidence

@Suite("What is a guest's interface and what is not") struct GuestInterfaceTests {
    private struct Failure: Error {}

    /// Names in a directory of their own, as links to what they stand for.
    private func paths(_ links: [WritableKeyPath<DevicePaths, String>: String]) throws -> (DevicePaths, String) {
        var template = Array("/tmp/snp-device-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        let root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var paths = DevicePaths()
        for (index, member) in [\DevicePaths.sevGuest, \.sevLegacy, \.configfsTSM].enumerated() {
            paths[keyPath: member] = "\(root)/\(index)"
            if let target = links[member], symlink(target, "\(root)/\(index)") != 0 { throw Failure() }
        }
        return (paths, root)
    }

    private func remove(_ root: String) {
        for index in 0..<3 { unlink("\(root)/\(index)") }
        rmdir(root)
    }

    @Test func withoutADeviceThereIsNoReport() async throws {
        let (paths, root) = try paths([:])
        defer { remove(root) }
        let device = SNPDevice(paths: paths)
        do throws(BrokerError) {
            _ = try await device.report([UInt8](repeating: 0, count: 64), in: .forTest())
            Issue.record("there was a report")
        } catch {
            #expect(error.code == .evidenceUnavailable && error.stage == .evidence && !error.isRetryable)
            for index in 0..<3 { #expect(error.message.contains("\(root)/\(index) is absent")) }
            #expect(error.message.contains("fixture"), "the next step for a developer")
        }
    }

    @Test func onlyTheRightKindOfFileIsADevice() throws {
        // A directory is not a device, nor is a plain file; a character device is not a directory.
        let (paths, root) = try paths([\.sevGuest: "/tmp", \.sevLegacy: #filePath, \.configfsTSM: "/dev/null"])
        defer { remove(root) }
        let probe = GuestInterfaceProbe(paths: paths)
        #expect(probe.find(.sevGuest) == .somethingElse("is not a character device"))
        #expect(probe.find(.sevLegacy) == .somethingElse("is not a character device"))
        #expect(probe.find(.configfsTSM) == .somethingElse("is not a directory"))
    }

    @Test func aDeviceIsFoundAndAWrongOneSaysSo() async throws {
        let (paths, root) = try paths([\.sevGuest: "/dev/null"])
        defer { remove(root) }
        let device = SNPDevice(paths: paths)
        #expect(try device.interface() == .sevGuest)
        // /dev/null knows no such ioctl.
        do throws(BrokerError) {
            _ = try await device.report([UInt8](repeating: 0, count: 64), in: .forTest())
            Issue.record("there was a report")
        } catch {
            #expect(error.message.contains("Inappropriate ioctl"), "\(error.message)")
            #expect(error.retryAfter == nil)
        }
    }
}
