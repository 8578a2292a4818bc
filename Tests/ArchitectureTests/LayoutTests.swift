import Testing

@Suite("Layout of the repository") struct LayoutTests {
    private static let visible: Set<String> = ["Package.swift", "Sources", "Plugins", "Tests", "policies", "samples", "README.md"]

    @Test("the visible top level is seven names and nothing else") func topLevel() throws {
        let entries = try SourceTree.entries(PackageRoot.path).map(\.name).filter { !$0.hasPrefix(".") }
        // Package.resolved is written by the package manager and ignored by git.
        let ignored = try SourceTree.lines(PackageRoot.path + "/.gitignore").contains("Package.resolved")
        let unexpected = Set(entries).subtracting(Self.visible).subtracting(ignored ? ["Package.resolved"] : [])
        #expect(unexpected == [])
        for name in ["Package.swift", "Sources", "Plugins", "Tests"] { #expect(entries.contains(name)) }
    }
}
