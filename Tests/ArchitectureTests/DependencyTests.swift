import Testing

@Suite("Dependencies between targets") struct DependencyTests {
    @Test("the manifest keeps the rules") func manifest() throws {
        let manifest = try Manifest.load()
        #expect(manifest.targets.contains { $0.isProvider })
        #expect(manifest.targets.contains { $0.isExecutable })
        #expect(manifest["BrokerCore"]?.targets.contains("HTTPTransport") == true)
        #expect(DependencyRules.violations(manifest) == [])
    }

    @Test("Plugins/ holds provider targets, one a directory, and nothing else") func pluginDirectories() throws {
        let providers = try Manifest.load().targets.filter(\.isProvider)
        let directories = try SourceTree.entries(PackageRoot.path + "/Plugins").map(\.name)
        #expect(providers.map { String($0.path.dropFirst("Plugins/".count)) }.sorted() == directories)
        for provider in providers { #expect(provider.targets.contains("BrokerCore"), "\(provider.name)") }
    }

    private func target(
        _ name: String, type: String = "regular", path: String? = nil, _ targets: Set<String> = [], products: [Manifest.Product] = []
    ) -> Manifest.Target { Manifest.Target(name: name, type: type, path: path ?? "Sources/\(name)", targets: targets, products: products) }

    /// A small package that keeps all rules, with one target replaced or added.
    private func violations(with changed: Manifest.Target) -> [String] {
        let nio = Manifest.Product(name: "NIOCore", package: "swift-nio")
        let sound = [
            target("BrokerCore"), target("Service", ["BrokerCore"]), target("CurlTransport"), target("BrokerEngine", ["BrokerCore"]),
            target("BrokerConfiguration", ["BrokerCore"]), target("BrokerTestKit", ["BrokerCore"]),
            target("BrokerHTTP", ["BrokerEngine"], products: [nio]), target("One", path: "Plugins/One", ["Service"]),
            target("Two", path: "Plugins/Two", ["BrokerCore"]),
            target("broker", type: "executable", ["One", "Two", "BrokerHTTP", "CurlTransport", "BrokerConfiguration"]),
            target("OneTests", type: "test", ["One", "Two", "CurlTransport", "BrokerTestKit"]),
        ]
        return DependencyRules.violations(Manifest(targets: sound.filter { $0.name != changed.name } + [changed]))
    }

    @Test("a sound package has no violations") func sound() { #expect(violations(with: target("Service", ["BrokerCore"])) == []) }

    @Test(
        "a provider that reaches for what it may not, directly or through another target, is found",
        arguments: ["Two", "BrokerHTTP", "BrokerEngine", "BrokerConfiguration", "CurlTransport"]) func providers(forbidden: String)
    {
        #expect(violations(with: target("One", path: "Plugins/One", [forbidden])).contains("provider One reaches \(forbidden)"))
        #expect(violations(with: target("Service", [forbidden])).contains("provider One reaches \(forbidden)"))
    }

    @Test(
        "a network framework below the edges is found",
        arguments: [("NIOCore", "swift-nio"), ("NIOSSL", "swift-nio-ssl"), ("Hummingbird", "hummingbird"), ("GRPCCore", "grpc-swift-2")])
    func frameworks(product: String, package: String) {
        let found = violations(with: target("BrokerCore", products: [Manifest.Product(name: product, package: package)]))
        #expect(found.contains("BrokerCore reaches \(product) of \(package)"))
        #expect(found.contains("Service reaches \(product) of \(package)"))
    }

    @Test("a front end that knows a provider, and a service that knows a front end, are found") func edges() {
        #expect(violations(with: target("BrokerHTTP", ["One"])).contains("BrokerHTTP reaches the provider One"))
        #expect(violations(with: target("Service", ["BrokerHTTP"])).contains("Service reaches the front end BrokerHTTP"))
    }

    @Test("a library that takes the real transport is found") func transport() {
        #expect(violations(with: target("BrokerEngine", ["CurlTransport"])).contains("BrokerEngine depends on CurlTransport"))
    }

    @Test("test code in the program is found") func testCode() {
        #expect(violations(with: target("broker", type: "executable", ["BrokerTestKit"])) == ["the program broker links BrokerTestKit"])
        let samples = target("Samples", path: "Tests/Samples")
        let manifest = Manifest(targets: [samples, target("broker", type: "executable", ["Samples"])])
        #expect(DependencyRules.violations(manifest) == ["the program broker links Samples"])
    }
}
