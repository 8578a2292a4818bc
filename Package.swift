// swift-tools-version: 6.2
import PackageDescription

// The manifest is the architecture diagram: a target may import only what it lists here, and lists only lower floors.
// Sources/README.md says in one sentence what belongs in each; Tests/ArchitectureTests reads both back.

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let instrumentation: Target.Dependency = .product(name: "Instrumentation", package: "swift-distributed-tracing")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func provider(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies + ["BrokerCore", log], path: "Plugins/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The commit that the build is told, by `samples/container/build.sh` for one. What a manifest finds out by itself is kept with the
/// manifest,
/// and may be of yesterday.
let commit = (Context.environment["SOURCE_COMMIT"] ?? "").filter(\.isHexDigit)

/// What `Tests/FuzzTargets` gives hostile input to.
let fuzzed: [Target.Dependency] = [
    "AttestationTokens", "AzureKeyRelease", "AzureServices", "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerHTTP",
    "BrokerListeners", "BrokerObservability", "HTTPTransport", "InputReading", "Issuing", "JOSE", "KeyProvider", "OpenSSLCrypto",
    "PlainText", "PolicyTools", "ReleasePolicy", "SNPEvidence", "SNPReport", "SNPVerification", "SecureMemory", "StrictJSON",
    "UVMEndorsements", nio("NIOCore"), nio("NIOEmbedded"), nio("NIOHTTP1"),
]
/// `FUZZ=1` adds the program that `Tests/Fuzz/run.sh` builds; with `FUZZ=planted` every target has a fault that it must find.
let fuzz = Context.environment["FUZZ"]
let planted: [SwiftSetting] = (fuzz == nil ? [] : [.define("FUZZ")]) + (fuzz == "planted" ? [.define("PLANTED_FAULT")] : [])

let providers = ["SNPEvidence", "MAAVerifier", "LocalVerifier", "KeyVaultPremium", "ManagedHSM"]

let package = Package(
    name: "attestation-broker",
    products: [
        .executable(name: "attestation-broker", targets: ["attestation-broker"]),
        // For a program with a provider of somebody else's: the program, the providers of this package, the contract and its suites.
        .library(name: "BrokerApp", targets: ["BrokerApp"]), .library(name: "BrokerProviders", targets: providers),
        .library(name: "FixtureEvidence", targets: ["FixtureEvidence"]),
        .library(name: "BrokerCore", targets: ["BrokerCore", "HTTPTransport", "OpenSSLCrypto", "SecureMemory", "Waiting"]),
        .library(name: "BrokerTestKit", targets: ["BrokerTestKit"]),
    ],
    traits: [
        .trait(name: "FixtureEvidence", description: "The evidence provider 'fixture'; leave it out of a production image."),
        .trait(name: "Simulators", description: "The commands 'simulate' and 'demo'; leave them out of a production image."),
        .trait(name: "GRPC", description: "The gRPC interface, for tools that decrypt images; leave it out where nobody asks for it."),
        .trait(name: "PolicyTools", description: "The commands that write, check and digest policies; the sidecar needs none of them."),
        .default(enabledTraits: ["FixtureEvidence", "GRPC", "Simulators", "PolicyTools"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", from: "2.4.1"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0", traits: []),
    ],
    targets: [
        // C
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .target(name: "CCurlShims", dependencies: ["CCurl", "CProcessShims"], linkerSettings: [.linkedLibrary("ssl")]),
        .target(name: "CProcessShims", dependencies: ["COpenSSL"]), .target(name: "CSNPDevice"),
        .target(name: "CBuildIdentity", cSettings: [.define("BROKER_SOURCE_COMMIT", to: "\"\(commit)\"")]),

        // Blocks
        library("PlainText"), library("Waiting"), library("SecureMemory", ["COpenSSL", "CProcessShims"]),
        library("StrictJSON", ["CJansson", "PlainText"]),
        library("OpenSSLCrypto", ["COpenSSL", "CProcessShims", "PlainText", "SecureMemory"]),
        library("JOSE", ["OpenSSLCrypto", "SecureMemory", "StrictJSON"]),
        library("HTTPTransport", ["PlainText", "SecureMemory", "Waiting", instrumentation]),
        library("CurlTransport", ["CCurl", "CCurlShims", "HTTPTransport", "OpenSSLCrypto", "PlainText", "SecureMemory", "Waiting"]),

        // The field
        library("SNPReport", ["OpenSSLCrypto"]), library("SNPVerification", ["PlainText", "SNPReport", "OpenSSLCrypto", "StrictJSON"]),
        library("UVMEndorsements", ["OpenSSLCrypto", "PlainText", "StrictJSON"]),
        library("ReleasePolicy", ["OpenSSLCrypto", "PlainText", "StrictJSON"]),
        library("AttestationTokens", ["JOSE", "OpenSSLCrypto", "PlainText", "ReleasePolicy", "SNPReport", "StrictJSON"]),
        library("KeyProvider", ["OpenSSLCrypto", "PlainText", "SecureMemory", "StrictJSON"]),
        library("InputReading", ["OpenSSLCrypto", "PlainText", "SecureMemory", "SNPReport", "StrictJSON"]),
        library(
            "PolicyTools",
            ["AttestationTokens", "InputReading", "JOSE", "OpenSSLCrypto", "PlainText", "ReleasePolicy", "SNPReport", "StrictJSON"]),

        // The contract
        library(
            "BrokerCore",
            ["AttestationTokens", "HTTPTransport", "OpenSSLCrypto", "PlainText", "SNPVerification", "SecureMemory", "Waiting", log]),

        // Azure
        library(
            "AzureServices", ["BrokerCore", "HTTPTransport", "OpenSSLCrypto", "PlainText", "StrictJSON", "SecureMemory", "Waiting", log]),
        library(
            "AzureKeyRelease",
            [
                "AttestationTokens", "AzureServices", "BrokerCore", "HTTPTransport", "JOSE", "OpenSSLCrypto", "PlainText", "ReleasePolicy",
                "StrictJSON", "SecureMemory", "Waiting", log,
            ]),

        // The engine
        library(
            "BrokerEngine",
            [
                "AttestationTokens", "BrokerCore", "HTTPTransport", "KeyProvider", "OpenSSLCrypto", "JOSE", "PlainText", "StrictJSON",
                "SecureMemory", "SNPReport", "SNPVerification", "Waiting", log,
            ]),

        // Edges
        library(
            "BrokerObservability",
            [
                "BrokerCore", "BrokerEngine", "HTTPTransport", "OpenSSLCrypto", "PlainText", "SecureMemory", "StrictJSON", "Waiting", log,
                metrics,
            ]),
        library(
            "BrokerConfiguration",
            [
                "AzureServices", "BrokerCore", "BrokerEngine", "BrokerObservability", "HTTPTransport", "OpenSSLCrypto", "PlainText",
                "StrictJSON",
                "Waiting", log,
            ]),
        library(
            "BrokerListeners",
            [
                "BrokerConfiguration", "BrokerCore", "BrokerEngine", "OpenSSLCrypto", "PlainText", log, nio("NIOCore"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .target(
            name: "BrokerGRPC",
            dependencies: [
                "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerListeners", "HTTPTransport", "OpenSSLCrypto", "PlainText",
                "SecureMemory", "Waiting", log, nio("NIOCore"), nio("NIOPosix"), serviceLifecycle,
                .product(name: "NIOHTTP2", package: "swift-nio-http2"), .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "GRPCCore", package: "grpc-swift-2"), .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
            ],
            exclude: [
                "Protocol/generate.sh", "Protocol/health.proto", "Protocol/key_provider.proto", "Protocol/keyprovider.proto",
                "Protocol/reflection.proto",
            ], swiftSettings: strict),
        library(
            "BrokerHTTP",
            [
                "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerListeners", "CProcessShims", "HTTPTransport", "OpenSSLCrypto",
                "PlainText", "SNPVerification", "StrictJSON", "SecureMemory", "Waiting", log,
                .product(name: "HummingbirdCore", package: "hummingbird"), .product(name: "HTTPTypes", package: "swift-http-types"),
                nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"), nio("NIOTLS"), serviceLifecycle,
            ]),

        // Providers
        provider(
            "SNPEvidence",
            [
                "AzureServices", "CSNPDevice", "HTTPTransport", "OpenSSLCrypto", "PlainText", "SNPReport", "SNPVerification", "StrictJSON",
                "UVMEndorsements", "Waiting",
            ]),
        provider(
            "FixtureEvidence",
            ["HTTPTransport", "Issuing", "OpenSSLCrypto", "PlainText", "SNPFixture", "SNPReport", "SNPVerification", "Waiting"]),
        provider(
            "MAAVerifier",
            [
                "AttestationTokens", "AzureServices", "HTTPTransport", "JOSE", "OpenSSLCrypto", "PlainText", "StrictJSON", "SecureMemory",
                "Waiting",
            ]),
        provider(
            "LocalVerifier",
            [
                "AzureServices", "HTTPTransport", "OpenSSLCrypto", "PlainText", "SNPReport", "SNPVerification", "UVMEndorsements",
                "Waiting",
            ]),
        provider("KeyVaultPremium", ["AzureKeyRelease", "HTTPTransport"]), provider("ManagedHSM", ["AzureKeyRelease", "HTTPTransport"]),

        // Stand-ins: never in a production program
        library("Issuing", ["COpenSSL", "JOSE", "OpenSSLCrypto", "SNPReport", "StrictJSON", "UVMEndorsements"]),
        library("SNPFixture", ["Issuing", "SNPReport", "OpenSSLCrypto", "SecureMemory", "UVMEndorsements", "Waiting"]),
        library(
            "AzureSimulators",
            [
                "HTTPTransport", "Issuing", "JOSE", "OpenSSLCrypto", "PlainText", "ReleasePolicy", "SecureMemory", "SNPFixture",
                "SNPReport",
                "SNPVerification", "StrictJSON", "UVMEndorsements", "Waiting", log,
                .product(name: "HummingbirdCore", package: "hummingbird"), .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"), nio("NIOCore"), nio("NIOPosix"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"), serviceLifecycle,
            ]),
        library(
            "BrokerTestKit",
            [
                "AttestationTokens", "BrokerCore", "HTTPTransport", "Issuing", "OpenSSLCrypto", "PlainText", "SecureMemory", "JOSE",
                "StrictJSON", "Waiting", log,
            ]),

        // The program
        library(
            "BrokerApp",
            [
                "AttestationTokens", "AzureKeyRelease", "AzureServices", "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerHTTP",
                "BrokerListeners", "BrokerObservability", "CBuildIdentity", "CProcessShims", "CurlTransport", "HTTPTransport",
                "InputReading", "JOSE", "KeyProvider", "OpenSSLCrypto", "PlainText", "ReleasePolicy", "SNPReport", "SNPVerification",
                "SecureMemory", "StrictJSON", "UVMEndorsements", "Waiting",
                .target(name: "BrokerGRPC", condition: .when(traits: ["GRPC"])),
                .target(name: "PolicyTools", condition: .when(traits: ["PolicyTools"])),
                .target(name: "SNPFixture", condition: .when(traits: ["FixtureEvidence"])),
                .target(name: "AzureSimulators", condition: .when(traits: ["Simulators"])), argumentParser, log, serviceLifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "attestation-broker",
            dependencies: providers.map { .byName(name: $0) } + [
                "BrokerApp", "BrokerCore", .target(name: "FixtureEvidence", condition: .when(traits: ["FixtureEvidence"])),
            ], path: "Sources/AttestationBroker", swiftSettings: strict),

        // Benchmarks: programs of their own; one counts every allocation of its process, the other puts load on any sidecar.
        .target(name: "CAllocationCounter", path: "Tests/Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "broker-benchmarks",
            dependencies: [
                "BrokerCore", "BrokerEngine", "BrokerTestKit", "CAllocationCounter", "FixtureEvidence", "HTTPTransport", "Issuing", "JOSE",
                "MAAVerifier", "ManagedHSM", "OpenSSLCrypto", "ReleasePolicy", "SNPFixture", "SNPReport", "SNPVerification", "SecureMemory",
                "StrictJSON", "Waiting", log,
            ], path: "Tests/Benchmarks/Micro", swiftSettings: strict),
        .executableTarget(
            name: "broker-load", dependencies: ["StrictJSON", argumentParser, nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix")],
            path: "Tests/Benchmarks/Load", swiftSettings: strict),

        // Tests
        .target(name: "CVectorRegisters", path: "Tests/CVectorRegisters"),
        .target(name: "EvidenceSamples", dependencies: ["StrictJSON"], path: "Tests/EvidenceSamples", swiftSettings: strict),
        .target(name: "FuzzTargets", dependencies: fuzzed, path: "Tests/FuzzTargets", swiftSettings: strict + planted),
        tests("ArchitectureTests", ["StrictJSON"]), tests("PlainTextTests", ["PlainText"]), tests("WaitingTests", ["Waiting"]),
        tests("SecureMemoryTests", ["CProcessShims", "CVectorRegisters", "SecureMemory"]),
        tests("OpenSSLCryptoTests", ["COpenSSL", "CVectorRegisters", "EvidenceSamples", "Issuing", "OpenSSLCrypto", "SecureMemory"]),
        tests(
            "FuzzTests",
            [
                "FuzzTargets", "Issuing", "JOSE", "OpenSSLCrypto", "SNPReport", "SecureMemory", "StrictJSON", "UVMEndorsements",
            ]),
        tests("StrictJSONTests", ["StrictJSON"]), tests("HTTPTransportTests", ["HTTPTransport", "SecureMemory", "Waiting"]),
        tests("JOSETests", ["EvidenceSamples", "Issuing", "JOSE", "OpenSSLCrypto", "SecureMemory", "StrictJSON"]),
        tests("CurlTransportTests", ["CurlTransport", "HTTPTransport", "Issuing", "OpenSSLCrypto", "SecureMemory", "Waiting"]),
        tests("UVMEndorsementsTests", ["UVMEndorsements", "Issuing", "OpenSSLCrypto", "PlainText", "StrictJSON", "EvidenceSamples"]),
        tests("SNPReportTests", ["Issuing", "SNPReport", "StrictJSON", "EvidenceSamples"]),
        tests(
            "SNPVerificationTests",
            ["Issuing", "PlainText", "SNPVerification", "SNPReport", "OpenSSLCrypto", "StrictJSON", "EvidenceSamples"]),
        tests(
            "InputReadingTests",
            ["EvidenceSamples", "InputReading", "Issuing", "OpenSSLCrypto", "SecureMemory", "SNPReport", "StrictJSON"]),
        tests("KeyProviderTests", ["Issuing", "KeyProvider", "OpenSSLCrypto", "SecureMemory", "StrictJSON"]),
        tests("ReleasePolicyTests", ["ReleasePolicy", "StrictJSON"]),
        tests(
            "PolicyToolsTests",
            [
                "AttestationTokens", "EvidenceSamples", "InputReading", "Issuing", "JOSE", "OpenSSLCrypto", "PolicyTools", "ReleasePolicy",
                "SNPReport", "StrictJSON",
            ]), tests("BrokerCoreTests", ["BrokerCore", "HTTPTransport"]),
        tests(
            "BrokerEngineTests",
            [
                "AttestationTokens", "BrokerCore", "BrokerEngine", "BrokerTestKit", "FixtureEvidence", "HTTPTransport", "Issuing", "JOSE",
                "KeyProvider", "KeyVaultPremium",
                "MAAVerifier", "ManagedHSM", "OpenSSLCrypto", "PlainText", "SNPReport", "SNPVerification", "SecureMemory", "StrictJSON",
                "Waiting", log,
            ]),
        tests(
            "BrokerConfigurationTests",
            [
                "AzureServices", "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerObservability", "HTTPTransport",
                "OpenSSLCrypto", "PlainText",
                "StrictJSON", log,
            ]),
        tests(
            "BrokerObservabilityTests",
            [
                "BrokerCore", "BrokerEngine", "BrokerObservability", "HTTPTransport", "OpenSSLCrypto", "SecureMemory", "StrictJSON",
                "Waiting", log, metrics,
            ]),
        tests(
            "BrokerGRPCTests",
            [
                "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerGRPC", "BrokerListeners", "HTTPTransport", "OpenSSLCrypto",
                "PlainText", "SecureMemory", "Waiting", log, .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
                .product(name: "GRPCCore", package: "grpc-swift-2"), .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
            ]),
        tests(
            "BrokerHTTPTests",
            [
                "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerHTTP", "BrokerListeners", "BrokerTestKit", "HTTPTransport",
                "Issuing", "JOSE", "OpenSSLCrypto", "PlainText", "SNPReport", "SNPVerification", "SecureMemory", "StrictJSON", "Waiting",
                log,
                .product(name: "InMemoryLogging", package: "swift-log"), nio("NIOCore"), nio("NIOEmbedded"), nio("NIOHTTP1"),
                nio("NIOPosix"), serviceLifecycle,
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]),
        tests(
            "LocalVerifierTests",
            [
                "AttestationTokens", "BrokerCore", "BrokerEngine", "BrokerTestKit", "HTTPTransport", "Issuing", "LocalVerifier",
                "OpenSSLCrypto", "PlainText", "SNPFixture", "SNPReport", "SNPVerification", "SecureMemory", "StrictJSON", "Waiting", log,
            ]),
        tests(
            "AzureServicesTests",
            ["AzureServices", "BrokerCore", "BrokerTestKit", "HTTPTransport", "OpenSSLCrypto", "SecureMemory", "Waiting", log]),
        tests(
            "AzureKeyReleaseTests",
            [
                "AttestationTokens", "AzureServices", "AzureKeyRelease", "BrokerCore", "BrokerTestKit", "HTTPTransport", "Issuing", "JOSE",
                "OpenSSLCrypto",
                "ReleasePolicy", "SecureMemory", "StrictJSON", "Waiting",
            ]),
        tests(
            "SNPEvidenceTests",
            [
                "SNPEvidence", "BrokerCore", "BrokerTestKit", "EvidenceSamples", "HTTPTransport", "Issuing", "OpenSSLCrypto", "SNPFixture",
                "SNPReport", "SNPVerification", "UVMEndorsements", "Waiting",
            ]),
        tests(
            "FixtureEvidenceTests",
            [
                "FixtureEvidence", "BrokerCore", "BrokerTestKit", "EvidenceSamples", "HTTPTransport", "Issuing", "OpenSSLCrypto",
                "PlainText",
                "SNPFixture", "SNPReport", "SNPVerification", "Waiting",
            ]),
        tests(
            "MAAVerifierTests", ["MAAVerifier", "BrokerCore", "BrokerTestKit", "HTTPTransport", "OpenSSLCrypto", "StrictJSON", "Waiting"]),
        tests("KeyVaultPremiumTests", ["KeyVaultPremium", "BrokerCore", "BrokerTestKit", "HTTPTransport", "OpenSSLCrypto", "Waiting"]),
        tests("ManagedHSMTests", ["ManagedHSM", "KeyVaultPremium", "BrokerCore", "BrokerTestKit", "HTTPTransport", "Waiting"]),
        tests(
            "AzureSimulatorsTests",
            [
                "AzureSimulators", "CurlTransport", "EvidenceSamples", "HTTPTransport", "Issuing", "JOSE", "OpenSSLCrypto", "PlainText",
                "SNPFixture",
                "SNPReport", "SecureMemory", "StrictJSON", "UVMEndorsements", "Waiting", log,
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "attestation-broker", "broker-load", "BrokerApp", "COpenSSL", "CVectorRegisters", "Issuing", "OpenSSLCrypto", "SNPFixture",
                "SNPReport",
                "SNPVerification", "SecureMemory",
            ], exclude: ["Clients", "Emulator"], swiftSettings: strict),
    ], swiftLanguageModes: [.v6])

// One test target at a time, where building all of them takes too long: Tests/Mutation/mutate.py does.
if let names = Context.environment["TEST_TARGETS"]?.split(separator: ",").map(String.init) {
    package.targets.removeAll { $0.type == .test && !names.contains($0.name) }
}

if fuzz != nil {
    package.targets += [
        .target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .executableTarget(
            name: "broker-fuzz", dependencies: ["CFuzzer", "FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict),
    ]
}
