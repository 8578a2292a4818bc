// swift-tools-version: 6.2
import PackageDescription

// The manifest is the architecture diagram: a target may import only what it lists here, and lists only lower layers.
// Tests/ArchitectureTests reads it back and fails when a provider reaches for another provider, a front end or the engine.

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func provider(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name, dependencies: dependencies + ["BrokerCore", log], path: "Plugins/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "attestation-broker",
    products: [
        .executable(name: "attestation-broker", targets: ["attestation-broker"]),
        .library(name: "BrokerCore", targets: ["BrokerCore"]),
        .library(name: "BrokerTestKit", targets: ["BrokerTestKit"]),
    ],
    traits: [
        .trait(
            name: "FixtureEvidence", description: "The evidence provider 'fixture'; leave it out of a production image."
        ),
        .trait(
            name: "Simulators", description: "The commands 'simulate' and 'demo'; leave them out of a production image."
        ),
        .trait(name: "Bench", description: "The command 'bench'; leave it out of a production image."),
        .default(enabledTraits: ["FixtureEvidence", "Simulators", "Bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        // 0: C
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .target(name: "CCurlShims", dependencies: ["CCurl"], linkerSettings: [.linkedLibrary("ssl")]),
        .target(name: "CSNPDevice"),
        .target(name: "CProcessMemory"),
        .target(name: "COpenSSLProcess", dependencies: ["COpenSSL"]),

        // 1: building blocks
        library("SecureMemory", ["COpenSSL"]),
        library("StrictJSON", ["CJansson"]),
        library("OpenSSLCrypto", ["COpenSSL", "COpenSSLProcess", "SecureMemory"]),
        library("JOSE", ["OpenSSLCrypto", "SecureMemory", "StrictJSON"]),
        library("HTTPTransport", ["SecureMemory"]),
        library("SNPReport"),
        library("SNPVerification", ["SNPReport", "OpenSSLCrypto"]),
        library("SNPFixture", ["SNPReport", "OpenSSLCrypto", "SecureMemory"]),
        library("ReleasePolicy", ["StrictJSON"]),
        library("PolicyTools", ["JOSE", "OpenSSLCrypto", "ReleasePolicy", "SNPReport", "StrictJSON"]),
        library("CBOR"),
        library("UVMEndorsements", ["CBOR", "OpenSSLCrypto", "StrictJSON"]),

        // 2: the contract
        library("BrokerCore", ["HTTPTransport", "OpenSSLCrypto", "SecureMemory", log]),
        library("KnownFailures", ["BrokerCore"]),
        library(
            "SNPEndorsements",
            [
                "BrokerCore", "HTTPTransport", "OpenSSLCrypto", "SNPDevice", "SNPReport", "SNPVerification",
                "StrictJSON", log,
            ]),
        library("SNPDevice", ["BrokerCore", "CSNPDevice", "HTTPTransport", "SNPReport"]),

        // 3: services
        library(
            "BrokerEngine",
            ["BrokerCore", "HTTPTransport", "OpenSSLCrypto", "JOSE", "StrictJSON", "SecureMemory", "SNPReport", log]),
        library("BrokerConfiguration", ["BrokerCore", "HTTPTransport", "OpenSSLCrypto", "StrictJSON"]),
        library("BrokerTelemetry", [log]),
        library("CurlTransport", ["CCurl", "CCurlShims", "HTTPTransport", "OpenSSLCrypto", "SecureMemory"]),
        library(
            "AzureIdentity",
            ["BrokerCore", "HTTPTransport", "KnownFailures", "OpenSSLCrypto", "StrictJSON", "SecureMemory", log]),
        library(
            "AzureKeyRelease",
            [
                "AzureIdentity", "BrokerCore", "HTTPTransport", "JOSE", "KnownFailures", "OpenSSLCrypto", "PolicyTools",
                "ReleasePolicy", "StrictJSON", "SecureMemory", log,
            ]),

        // 4: edges
        library(
            "LoadGenerator",
            [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        library(
            "BrokerHTTP",
            [
                "BrokerCore", "BrokerEngine", "HTTPTransport", "OpenSSLCrypto", "StrictJSON", "SecureMemory", log,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        provider(
            "SNPEvidence",
            [
                "HTTPTransport", "OpenSSLCrypto", "SNPDevice", "SNPEndorsements", "SNPReport", "SNPVerification",
                "UVMEndorsements",
            ]),
        provider("FixtureEvidence", ["HTTPTransport", "OpenSSLCrypto", "SNPFixture", "SNPReport", "SNPVerification"]),
        provider(
            "MAAVerifier",
            [
                "AzureIdentity", "HTTPTransport", "JOSE", "KnownFailures", "OpenSSLCrypto", "StrictJSON",
                "SecureMemory",
            ]),
        provider("KeyVaultPremium", ["AzureKeyRelease", "HTTPTransport"]),
        provider("ManagedHSM", ["AzureKeyRelease", "HTTPTransport"]),
        library(
            "AzureSimulators",
            [
                "HTTPTransport", "JOSE", "OpenSSLCrypto", "ReleasePolicy", "SecureMemory", "SNPFixture", "SNPReport",
                "SNPVerification",
                "StrictJSON", "UVMEndorsements", log,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        library(
            "BrokerTestKit",
            ["BrokerCore", "HTTPTransport", "OpenSSLCrypto", "SecureMemory", "JOSE", "StrictJSON", log]),

        // 5: composition
        .executableTarget(
            name: "attestation-broker",
            dependencies: [
                "AzureIdentity", "AzureKeyRelease", "BrokerConfiguration", "BrokerCore", "BrokerEngine", "BrokerHTTP",
                "BrokerTelemetry", "CProcessMemory",
                "CurlTransport", "HTTPTransport", "JOSE", "KeyVaultPremium", "MAAVerifier", "ManagedHSM",
                "OpenSSLCrypto", "PolicyTools", "ReleasePolicy", "SNPEndorsements", "SNPEvidence", "SNPReport",
                "SNPVerification", "SecureMemory", "UVMEndorsements",
                "StrictJSON", log,
                .target(name: "FixtureEvidence", condition: .when(traits: ["FixtureEvidence"])),
                .target(name: "SNPFixture", condition: .when(traits: ["FixtureEvidence"])),
                .target(name: "AzureSimulators", condition: .when(traits: ["Simulators"])),
                .target(name: "LoadGenerator", condition: .when(traits: ["Bench"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/AttestationBroker",
            swiftSettings: strict),

        // Benchmarks: a program of its own, because it counts every allocation of its process.
        .target(name: "CAllocationCounter", path: "Tests/Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "broker-benchmarks",
            dependencies: [
                "BrokerCore", "BrokerEngine", "BrokerTestKit", "CAllocationCounter", "FixtureEvidence", "HTTPTransport",
                "JOSE", "MAAVerifier", "ManagedHSM", "OpenSSLCrypto", "ReleasePolicy", "SNPFixture", "SNPReport",
                "SNPVerification", "SecureMemory", "StrictJSON", log,
            ],
            path: "Tests/Benchmarks/Micro", swiftSettings: strict),

        tests("SecureMemoryTests", ["SecureMemory"]),
        tests("OpenSSLCryptoTests", ["COpenSSL", "EvidenceSamples", "OpenSSLCrypto", "SecureMemory"]),
        tests("StrictJSONTests", ["StrictJSON"]),
        tests("HTTPTransportTests", ["HTTPTransport", "SecureMemory"]),
        tests("JOSETests", ["EvidenceSamples", "JOSE", "OpenSSLCrypto", "SecureMemory", "StrictJSON"]),
        tests("CurlTransportTests", ["CurlTransport", "HTTPTransport", "OpenSSLCrypto", "SecureMemory"]),
        tests("CBORTests", ["CBOR"]),
        tests("UVMEndorsementsTests", ["UVMEndorsements", "CBOR", "OpenSSLCrypto", "StrictJSON", "EvidenceSamples"]),
        .target(
            name: "EvidenceSamples", dependencies: ["StrictJSON"], path: "Tests/EvidenceSamples", swiftSettings: strict),
        tests("SNPReportTests", ["SNPReport", "StrictJSON", "EvidenceSamples"]),
        tests(
            "SNPVerificationTests", ["SNPVerification", "SNPReport", "OpenSSLCrypto", "StrictJSON", "EvidenceSamples"]),
        tests(
            "FixtureEvidenceTests",
            [
                "FixtureEvidence", "BrokerCore", "BrokerTestKit", "EvidenceSamples", "HTTPTransport", "OpenSSLCrypto",
                "SNPFixture", "SNPReport", "SNPVerification",
            ]),
        tests("SNPDeviceTests", ["SNPDevice", "BrokerCore", "BrokerTestKit", "HTTPTransport"]),
        tests(
            "SNPEndorsementsTests",
            [
                "SNPEndorsements", "BrokerCore", "BrokerTestKit", "HTTPTransport", "OpenSSLCrypto", "SNPFixture",
                "SNPReport",
                "SNPVerification",
            ]),
        tests(
            "SNPEvidenceTests",
            [
                "SNPEvidence", "BrokerCore", "BrokerTestKit", "EvidenceSamples", "HTTPTransport", "SNPEndorsements",
                "SNPReport",
            ]),
        tests("ReleasePolicyTests", ["ReleasePolicy", "StrictJSON"]),
        tests(
            "PolicyToolsTests",
            ["EvidenceSamples", "JOSE", "OpenSSLCrypto", "PolicyTools", "ReleasePolicy", "SNPReport", "StrictJSON"]),
        tests(
            "BrokerHTTPTests",
            [
                "BrokerCore", "BrokerEngine", "BrokerHTTP", "BrokerTestKit", "HTTPTransport", "JOSE", "OpenSSLCrypto",
                "SNPReport", "SecureMemory", "StrictJSON", log,
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]),
        tests(
            "AzureIdentityTests",
            ["AzureIdentity", "BrokerCore", "BrokerTestKit", "HTTPTransport", "SecureMemory", log]),
        tests("ArchitectureTests", ["StrictJSON"]),
        tests("BrokerCoreTests", ["BrokerCore", "HTTPTransport"]),
        tests(
            "BrokerEngineTests",
            [
                "BrokerCore", "BrokerEngine", "BrokerTestKit", "FixtureEvidence", "HTTPTransport", "JOSE",
                "KeyVaultPremium", "MAAVerifier", "ManagedHSM", "OpenSSLCrypto", "SNPReport", "SecureMemory",
                "StrictJSON", log,
            ]),
        tests(
            "BrokerConfigurationTests",
            ["AzureIdentity", "BrokerConfiguration", "BrokerCore", "HTTPTransport", "OpenSSLCrypto", "StrictJSON"]),
        tests("BrokerTelemetryTests", ["BrokerTelemetry", log]),
        tests(
            "MAAVerifierTests",
            ["MAAVerifier", "BrokerCore", "BrokerTestKit", "HTTPTransport", "OpenSSLCrypto", "StrictJSON"]),
        tests(
            "AzureKeyReleaseTests",
            [
                "AzureIdentity", "AzureKeyRelease", "BrokerCore", "BrokerTestKit", "HTTPTransport", "JOSE",
                "KnownFailures", "OpenSSLCrypto", "SecureMemory", "StrictJSON",
            ]),
        tests(
            "KeyVaultPremiumTests",
            ["KeyVaultPremium", "BrokerCore", "BrokerTestKit", "HTTPTransport", "OpenSSLCrypto"]
        ),
        tests(
            "ManagedHSMTests",
            ["ManagedHSM", "KeyVaultPremium", "BrokerCore", "BrokerTestKit", "HTTPTransport"]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "attestation-broker", "OpenSSLCrypto", "SNPFixture", "SNPReport", "SNPVerification", "SecureMemory",
            ],
            exclude: ["Emulator"], swiftSettings: strict),
        tests(
            "AzureSimulatorsTests",
            [
                "AzureSimulators", "CurlTransport", "EvidenceSamples", "HTTPTransport", "JOSE", "OpenSSLCrypto",
                "SNPFixture", "SNPReport", "SecureMemory", "StrictJSON", "UVMEndorsements", log,
            ]),
    ],
    swiftLanguageModes: [.v6]
)
