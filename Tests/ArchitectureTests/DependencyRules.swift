/// What may depend on what (Architecture.md, "Dependency direction"). Each rule returns the sentences that say where it is broken.
enum DependencyRules {
    static let frontEnds: Set<String> = ["BrokerHTTP", "BrokerGRPC"]
    /// The other edges that are no providers.
    static let otherEdges: Set<String> = ["AzureSimulators", "BrokerTestKit", "BrokerApp", "BrokerListeners"]
    /// What a provider may not reach: the engine, the front ends, the configuration and the one transport that has sockets.
    static let forbiddenToProviders = frontEnds.union(["BrokerEngine", "BrokerConfiguration", "CurlTransport"])

    static func isNetworkFramework(_ product: Manifest.Product) -> Bool {
        ["swift-nio", "hummingbird", "grpc"].contains(where: product.package.hasPrefix)
    }

    static func violations(_ manifest: Manifest) -> [String] {
        providers(manifest) + lowerLayers(manifest) + edges(manifest) + transport(manifest) + testCode(manifest)
    }

    static func providers(_ manifest: Manifest) -> [String] {
        let providers = Set(manifest.targets.filter(\.isProvider).map(\.name))
        return manifest.targets.filter(\.isProvider).flatMap { target in
            manifest.closure(of: target).sorted().compactMap { reached in
                providers.contains(reached) || forbiddenToProviders.contains(reached) ? "provider \(target.name) reaches \(reached)" : nil
            }
        }
    }

    /// Nothing below the edges knows that there is a network framework.
    static func lowerLayers(_ manifest: Manifest) -> [String] {
        manifest.targets.filter { isBelowEdges($0) }.flatMap { target in
            ([target] + manifest.closure(of: target).sorted().compactMap { manifest[$0] }).flatMap { reached in
                reached.products.filter(isNetworkFramework).map { "\(target.name) reaches \($0.name) of \($0.package)" }
            }
        }
    }

    /// Front ends know no provider, and nothing but programs and tests knows a front end.
    static func edges(_ manifest: Manifest) -> [String] {
        manifest.targets.filter { !$0.isTest && !isProgram($0) }.flatMap { target in
            manifest.closure(of: target).sorted().compactMap { reached in
                if manifest[reached]?.isProvider == true { return "\(target.name) reaches the provider \(reached)" }
                if frontEnds.contains(reached) { return "\(target.name) reaches the front end \(reached)" }
                return nil
            }
        }
    }

    static func transport(_ manifest: Manifest) -> [String] {
        manifest.targets.filter { !$0.isTest && !isProgram($0) && $0.targets.contains("CurlTransport") }.map {
            "\($0.name) depends on CurlTransport"
        }
    }

    /// No test code in the program. The benchmarks are a program that nobody ships.
    static func testCode(_ manifest: Manifest) -> [String] {
        manifest.targets.filter { $0.isExecutable && $0.name != "broker-benchmarks" }.flatMap { target in
            manifest.closure(of: target).sorted().compactMap { reached in
                reached == "BrokerTestKit" || manifest[reached]?.isTest == true ? "the program \(target.name) links \(reached)" : nil
            }
        }
    }

    /// The program's own floor: whatever puts a whole broker together.
    private static func isProgram(_ target: Manifest.Target) -> Bool { target.isExecutable || target.name == "BrokerApp" }

    private static func isBelowEdges(_ target: Manifest.Target) -> Bool {
        !target.isTest && !target.isExecutable && !target.isProvider && !frontEnds.contains(target.name)
            && !otherEdges.contains(target.name)
    }
}
