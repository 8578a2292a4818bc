import Issuing
import Foundation
import OpenSSLCrypto
import SNPReport
import SecureMemory
import Testing

@testable import SNPFixture

/// A guest whose firmware is the preloaded library of `Emulator/sev.c`, and the processor behind it.
final class EmulatedGuest {
    let scratch: Scratch
    let chip: FixtureChip
    private let library: String

    /// The library, compiled once against the kernel's own header.
    private static let build: Result<URL, any Error> = Result {
        let scratch = try Scratch()
        let library = scratch.directory.appending(path: "sev.so")
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Emulator/sev.c")
        let result = try Program.run(
            ["-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", library.path, source.path, "-lcrypto", "-ldl"],
            executable: URL(filePath: "/usr/bin/gcc"))
        guard result.status == 0 else { throw RunningProgram.Ended(output: result.errors) }
        return library
    }

    static let condition: Comment = "no gcc, or no linux/sev-guest.h to make a firmware of"
    static var isPossible: Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/gcc")
            && FileManager.default.fileExists(atPath: "/usr/include/linux/sev-guest.h")
    }

    /// The authority of all guests that name no other: its two RSA-4096 keys take seconds to make.
    private static let shared = Result { try makeAuthority() }

    static func makeAuthority() throws -> FixtureAuthority {
        try FixtureAuthority.generate(product: .milan, now: Int64(Date().timeIntervalSince1970))
    }

    /// A Milan of the fixture authority in `fixtureDirectory`, of the one given or of the shared one, whose guest was launched with `hostData`.
    init(
        _ scratch: Scratch, fixtureDirectory: String? = nil, authority given: FixtureAuthority? = nil,
        hostData: [UInt8] = [UInt8](repeating: 7, count: 32), tcb: TCBVersion? = nil,
        version: UInt32 = 3
    ) throws {
        self.scratch = scratch
        library = try Self.build.get().path
        let now = Int64(Date().timeIntervalSince1970)
        let authority =
            if let fixtureDirectory { try FixtureDirectory(fixtureDirectory).authority(product: .milan, now: now) } else {
                try given ?? Self.shared.get()
            }
        chip = try FixtureChip(authority: authority, tcb: tcb, now: now)
        var report = ReportBuilder()
        report.version = version
        report.hostData = hostData
        report.chipID = chip.chipID
        report.cpuid = chip.processor
        report.setEveryTCB(chip.tcb)
        try scratch.write("template.bin", Data(report.unsignedBytes()))
        try scratch.write("firmware.pem", try chip.key.pem().withUnsafeBytes { Data($0) })
        try scratch.write("root.pem", Data(chip.chain[2].pem.utf8))
        try scratch.write("table.bin", Data(Self.table(chip.chain)))
    }

    /// The environment of a process in the guest.
    func environment(_ interface: String = "sev-guest", faults: String = "", hasTable: Bool = true, _ extra: [String: String] = [:])
        -> [String: String]
    {
        func path(_ name: String) -> String { scratch.directory.appending(path: name).path }
        var environment = [
            "LD_PRELOAD": library, "SEV_EMULATOR_INTERFACE": interface, "SEV_EMULATOR_KEY": path("firmware.pem"),
            "SEV_EMULATOR_TEMPLATE": path("template.bin"), "SEV_EMULATOR_FAULTS": faults, "BROKER_EVIDENCE_USE": "snp",
            "BROKER_EVIDENCE_SNP_ENDORSEMENT_ROOT_FILE": path("root.pem"),
        ]
        if hasTable { environment["SEV_EMULATOR_TABLE"] = path("table.bin") }
        return environment.merging(extra) { $1 }
    }

    /// What THIM gives for this chip.
    var thimDocument: Data {
        let members = [
            "vcekCert": chip.chain[0].pem, "certificateChain": chip.chain[1].pem + chip.chain[2].pem, "tcbm": chip.tcb.hex.uppercased(),
            "cacheControl": "86400",
        ]
        return (try? JSONSerialization.data(withJSONObject: members)) ?? Data()
    }

    /// GHCB's table: 24 bytes for each entry, an empty one at the end, then the certificates.
    static func table(_ chain: [Certificate]) -> [UInt8] {
        let guids = ["63da758de6644564adc5f4b93be8accd", "4ab7b379bbac4fe4a02f05aef327c782", "c0b406a4a803495297433fb6014cd0ae"].map {
            Hex.decode($0) ?? []
        }
        func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        var header: [UInt8] = []
        var content: [UInt8] = []
        let start = 24 * (chain.count + 1)
        for (guid, certificate) in zip(guids, chain) {
            header += guid + word(start + content.count) + word(certificate.der.count)
            content += certificate.der
        }
        return header + [UInt8](repeating: 0, count: 24) + content
    }
}
