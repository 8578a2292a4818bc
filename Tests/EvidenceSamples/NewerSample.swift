internal import Glibc

/// One folder of `../shared/evidence-2026`, whose expectations are in its README. Tests that need it skip where it is absent.
package struct NewerSample: Sendable, CustomStringConvertible {
    package let name: String

    /// Whether the evidence is there; for `.enabled(if:)`.
    package static var isAvailable: Bool { root != nil }

    package init(_ name: String) { self.name = name }

    /// Content of a file of the folder; nothing where it is absent.
    package func file(_ file: String) -> [UInt8] { Self.root.flatMap { EvidenceSample.read("\($0)/\(name)/\(file)") } ?? [] }

    /// The PEM files of the chain that belongs to the report, leaf first.
    package var chainPEM: [[UInt8]] { ["vcek.pem", "ask.pem", "ark.pem"].map { file($0) }.filter { !$0.isEmpty } }

    package var description: String { name }

    private static let root: String? = EvidenceSample.root.flatMap { root in
        EvidenceSample.read(root + "-2026/README.md") == nil ? nil : root + "-2026"
    }
}
