import Glibc
import Testing

@Suite("Layout of the repository") struct LayoutTests {
    private static let visible: Set<String> = [
        "Package.swift", "Sources", "Plugins", "Tests", "policies", "samples", "findings", "README.md",
    ]

    @Test("the visible top level is eight names and nothing else") func topLevel() throws {
        let entries = try SourceTree.entries(PackageRoot.path).map(\.name).filter { !$0.hasPrefix(".") }
        // Package.resolved is written by the package manager and ignored by git.
        let ignored = try SourceTree.lines(PackageRoot.path + "/.gitignore").contains("Package.resolved")
        let unexpected = Set(entries).subtracting(Self.visible).subtracting(ignored ? ["Package.resolved"] : [])
        #expect(unexpected == [])
        for name in ["Package.swift", "Sources", "Plugins", "Tests"] { #expect(entries.contains(name)) }
    }

    @Test(
        "every file that a page names is there",
        arguments: ["README.md", "Sources/README.md", "policies/README.md", "policies/failures.md", "samples/guide.md"])
    func namedFiles(_ page: String) throws {
        for (index, line) in try SourceTree.lines("\(PackageRoot.path)/\(page)").enumerated() {
            for path in line.matches(of: /\b(?:Tests|samples|policies|Sources|Plugins)\/[A-Za-z0-9_.\/-]*[A-Za-z0-9]/).map(\.output) {
                #expect(access("\(PackageRoot.path)/\(path)", F_OK) == 0, "\(page):\(index + 1): \(path)")
            }
        }
    }
}
