import Testing

@Suite("Source files") struct SourceTests {
    /// Modules of the system that need no declaration in the manifest.
    private static let system: Set<String> = [
        "Dispatch", "FoundationEssentials", "Glibc", "Musl", "Swift", "Synchronization", "Testing", "_Concurrency",
    ]

    /// Drives processes and reads their answers independently of our own parsers; never part of the product.
    private static let mayImportFoundation: Set<String> = [
        "EndToEndTests", "SNPEvidenceTests", "AzureKeyReleaseTests", "BrokerObservabilityTests", "LocalVerifierTests",
        "SNPVerificationTests", "FuzzTests",
    ]

    @Test("a file imports only what its target declares; full Foundation nowhere in the product") func imports() throws {
        let manifest = try Manifest.load()
        var files = 0
        for target in manifest.targets where target.type != "system" {
            let declared = target.targets.union(target.products.map(\.name)).union([target.name])
            let root = "\(PackageRoot.path)/\(target.path)"
            // A target that is declared before its first file is written.
            guard let paths = try? SourceTree.swiftFiles(root) else { continue }
            for path in paths {
                files += 1
                for (line, module) in SwiftText(try SourceTree.lines("\(root)/\(path)")).imports {
                    #expect(
                        declared.contains(module) || Self.system.contains(module)
                            || module == "Foundation" && Self.mayImportFoundation.contains(target.name),
                        "\(target.path)/\(path):\(line) imports \(module), which \(target.name) does not declare")
                }
            }
        }
        #expect(files > 100)
    }

    @Test("the product has no way to end the process, and no cast or try that does") func traps() throws {
        let forbidden = ["try!", " as! ", "fatalError(", "preconditionFailure(", "nonisolated(unsafe)"]
        for folder in ["Sources", "Plugins"] {
            // Of a generator's stops none is reached: it reads only what it has just written.
            for path in try SourceTree.swiftFiles("\(PackageRoot.path)/\(folder)") where !path.hasSuffix(".pb.swift") {
                for (line, text) in SwiftText(try SourceTree.lines("\(PackageRoot.path)/\(folder)/\(path)")).code {
                    for word in forbidden { #expect(!text.contains(word), "\(folder)/\(path):\(line) has \(word)") }
                }
            }
        }
    }

    @Test("every unchecked conformance says what makes it true") func uncheckedSendable() throws {
        for folder in ["Sources", "Plugins"] {
            for path in try SourceTree.swiftFiles("\(PackageRoot.path)/\(folder)") {
                let lines = try SourceTree.lines("\(PackageRoot.path)/\(folder)/\(path)")
                for (index, line) in lines.enumerated() where line.contains("@unchecked Sendable") {
                    let around = lines[max(0, index - 6)...min(lines.count - 1, index + 3)]
                    let isExplained = around.contains { $0.drop { $0 == " " }.hasPrefix("//") }
                    #expect(isExplained, "\(folder)/\(path):\(index + 1)")
                }
            }
        }
    }

    @Test("import statements are read in all their forms, and not inside comments and strings") func reading() {
        let text = SwiftText([
            "import A", "public import B", "  internal import C // why", "@testable import D", "@preconcurrency public import E",
            "import struct F.Value", "// import G", "/// import H", "let text = \"\"\"", "import I", "    \"\"\"", "import J;",
            "let importer = 5", "important()", "#if canImport(K)", "    import K", "#endif",
        ])
        #expect(text.imports.map(\.module) == ["A", "B", "C", "D", "E", "F", "J", "K"])
        #expect(text.imports.map(\.number) == [1, 2, 3, 4, 5, 6, 12, 16])
    }
}
