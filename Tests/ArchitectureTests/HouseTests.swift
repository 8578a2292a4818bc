import Testing

@Suite("The house")
struct HouseTests {
    private static let folders = ["Sources", "Plugins"]

    /// Every Swift file of the product with its lines.
    private static func files() throws -> [(path: String, lines: [String])] {
        try folders.flatMap { folder in
            // What a generator wrote is nobody's to shorten.
            try SourceTree.swiftFiles("\(PackageRoot.path)/\(folder)").filter { !$0.hasSuffix(".pb.swift") }.map { path in
                ("\(folder)/\(path)", try SourceTree.lines("\(PackageRoot.path)/\(folder)/\(path)"))
            }
        }
    }

    @Test("no file above 300 lines, no line above 140 characters") func sizes() throws {
        let files = try Self.files()
        #expect(files.count > 200)
        for (path, lines) in files {
            #expect(Self.count(lines) <= 300, "\(path)")
            let long = lines.indices.filter { lines[$0].count > 140 }.map { $0 + 1 }
            #expect(long == [], "\(path): lines above 140 characters")
        }
    }

    /// Without the empty text behind the last line end.
    private static func count(_ lines: [String]) -> Int { lines.last == "" ? lines.count - 1 : lines.count }

    @Test("the two files that make and keep wrapping keys stay small")
    func wrappingKeys() throws {
        let limits = ["WrappingKeyGeneration.swift": 120, "WrappingKeyPool.swift": 150]
        let found = try Self.files().compactMap { file in
            limits.first { file.path.hasSuffix("/" + $0.key) }.map { (file.path, Self.count(file.lines), $0.value) }
        }
        #expect(found.count == 2)
        for (path, count, limit) in found { #expect(count <= limit, "\(path)") }
    }

    @Test("a type name is used once in the package")
    func typeNames() throws {
        var places: [String: [String]] = [:]
        for (path, lines) in try Self.files() {
            for text in lines where text.first?.isLetter == true || text.first == "@" {
                let words = text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                guard let kind = words.firstIndex(where: { ["struct", "class", "enum", "protocol", "actor"].contains($0) }),
                    kind + 1 < words.count, text.contains("{"), !text.contains("private ")
                else { continue }
                places[String(words[kind + 1]), default: []].append(path)
            }
        }
        #expect(places.count > 200)
        for (name, paths) in places where paths.count > 1 { Issue.record("\(name) in \(paths.joined(separator: ", "))") }
    }

    /// What a reviewer would stop at: OpenSSL, the loader and the kernel do these.
    @Test("no prime search, key parser, certificate look-up or memory trick of our own")
    func reviewer() throws {
        let forbidden = [
            "miller", "rabin", "sieve", "smallprimes", "x509_lookup_meth", "namehash", "name_hash", "madv_populate", "madv_dontneed",
            "setpriority", " nice(",
        ]
        for (path, lines) in try Self.files() + Self.shims() {
            for (index, line) in lines.enumerated() {
                for word in forbidden where line.lowercased().contains(word) { Issue.record("\(path):\(index + 1) has \(word)") }
            }
        }
    }

    private static func shims() throws -> [(path: String, lines: [String])] {
        try ["CProcessShims", "CCurlShims", "CSNPDevice"].flatMap { target in
            try SourceTree.entries("\(PackageRoot.path)/Sources/\(target)").filter { $0.name.hasSuffix(".c") }.map { entry in
                ("Sources/\(target)/\(entry.name)", try SourceTree.lines("\(PackageRoot.path)/Sources/\(target)/\(entry.name)"))
            }
        }
    }

    @Test("an attestation token is taken apart where it comes in, and nowhere after that")
    func oneParse() throws {
        let standIns = ["AzureSimulators", "BrokerTestKit", "Issuing", "SNPFixture"]
        var places: [String: Set<String>] = [:]
        for (path, lines) in try Self.files() where !standIns.contains(where: { path.hasPrefix("Sources/\($0)/") }) {
            for call in ["JWS(compact:", "MAAToken(compact:", "AttestationToken(compact:"]
            where lines.contains(where: { $0.contains(call) }) {
                places[call, default: []].insert(path)
            }
        }
        #expect(places["JWS(compact:"] == ["Sources/AttestationTokens/MAAToken.swift", "Sources/AzureKeyRelease/SignedAnswer.swift"])
        #expect(
            places["MAAToken(compact:"] == [
                "Plugins/MAAVerifier/AttestationAuthority.swift", "Sources/BrokerApp/Commands/Evidence/EvidenceBundles.swift",
                "Sources/BrokerApp/Commands/Token/TokenCommand.swift", "Sources/BrokerCore/AttestationToken.swift",
            ])
        // For verifiers of somebody else.
        #expect(places["AttestationToken(compact:"] == nil)
    }

    @Test("public is what a provider or a program of somebody else needs, and nothing more")
    func access() throws {
        let open = ["BrokerCore", "BrokerTestKit", "BrokerApp", "HTTPTransport", "SecureMemory", "Waiting", "OpenSSLCrypto"]
        for (path, lines) in try Self.files() where !open.contains(where: { path.hasPrefix("Sources/\($0)/") }) {
            for (number, text) in SwiftText(lines).code where text.drop(while: { $0 == " " }).hasPrefix("public ") {
                // A provider's one symbol, and what its declaration imports.
                let isFactory = path.hasPrefix("Plugins/") && text.contains("= ProviderFactory<")
                #expect(isFactory || text.hasPrefix("public import"), "\(path):\(number) is public")
            }
        }
    }
}
