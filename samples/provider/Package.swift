// swift-tools-version: 6.2
import PackageDescription

// A broker with one evidence provider more than the built-in ones, outside the broker's own package.
let package = Package(
    name: "my-broker",
    dependencies: [
        // A copy of your own would say: .package(url: "…/attestation-broker.git", from: "…", traits: [])
        .package(name: "attestation-broker", path: "../..", traits: []),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.0", traits: []),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.6.0"),
    ],
    targets: [
        .target(
            name: "CommandEvidence",
            dependencies: [
                .product(name: "BrokerCore", package: "attestation-broker"), .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "my-broker",
            dependencies: [
                "CommandEvidence", .product(name: "BrokerApp", package: "attestation-broker"),
                .product(name: "BrokerProviders", package: "attestation-broker"),
            ]),
        .testTarget(
            name: "CommandEvidenceTests",
            dependencies: ["CommandEvidence", .product(name: "BrokerTestKit", package: "attestation-broker")]),
    ],
    swiftLanguageModes: [.v6]
)
