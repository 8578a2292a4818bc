internal import Glibc
package import StrictJSON

/// One folder of the evidence that lies beside the project (`../shared/evidence` from its root). Tests that need it skip where it is absent.
package struct EvidenceSample: Sendable, CustomStringConvertible {
    /// The folder's name.
    package let name: String
    /// Content of `expected.json`.
    package let expected: JSONObject

    /// Whether the evidence is there; for `.enabled(if:)`.
    package static var isAvailable: Bool { root != nil }

    /// Every folder that holds a report; empty where the evidence is absent.
    package static let withReport = holding("report.bin")

    /// Every folder that holds a file of that name; empty where the evidence is absent.
    package static func holding(_ file: String) -> [EvidenceSample] {
        names.compactMap { EvidenceSample(named: $0) }.filter { $0.file(file) != nil }
    }

    /// The folder of that name.
    package init?(named name: String) {
        guard let root = Self.root, let bytes = Self.read("\(root)/\(name)/expected.json"),
            case .object(let expected)? = try? JSONValue.parse(bytes)
        else { return nil }
        self.name = name
        self.expected = expected
    }

    /// Content of a file of the samples of 2026 (`../shared/evidence-2026`), named `folder/file`; `nil` where they are absent.
    package static func of2026(_ path: String) -> [UInt8]? { root.flatMap { read("\($0)-2026/\(path)") } }

    /// Content of a file of the folder.
    package func file(_ file: String) -> [UInt8]? { Self.root.flatMap { Self.read("\($0)/\(name)/\(file)") } }

    /// Path of a file of the folder, for what takes paths.
    package func path(_ file: String) -> String? { Self.root.map { "\($0)/\(name)/\(file)" } }

    /// `report.bin`.
    package var report: [UInt8] { file("report.bin") ?? [] }

    /// The PEM files of the chain that belongs to the report, leaf first.
    package var chainPEM: [[UInt8]] { ["vcek.pem", "vlek.pem", "ask.pem", "asvk.pem", "ark.pem"].compactMap { file($0) } }

    package var description: String { name }

    /// The folder itself. Found from this file, whose directory may be reached through a link.
    static let root: String? = {
        guard let resolved = realpath(#filePath, nil) else { return nil }
        defer { free(resolved) }
        var components = String(cString: resolved).split(separator: "/").map(String.init)
        // Tests/EvidenceSamples/EvidenceSample.swift, then the project itself.
        guard components.count > 4 else { return nil }
        components.removeLast(4)
        let path = "/" + (components + ["shared", "evidence"]).joined(separator: "/")
        return read(path + "/README.md") == nil ? nil : path
    }()

    private static var names: [String] {
        guard let root, let directory = opendir(root) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { field in String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { return nil }
            if count == 0 { return content }
            content.append(contentsOf: chunk[..<count])
        }
    }
}

extension JSONObject {
    /// The member, followed through nested objects.
    package func at(_ path: String...) -> JSONValue? {
        var value: JSONValue? = .object(self)
        for name in path {
            guard case .object(let object)? = value else { return nil }
            value = object[name]
        }
        return value
    }
}

extension JSONValue {
    package var text: String? { if case .string(let value) = self { value } else { nil } }
    package var number: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var flag: Bool? { if case .boolean(let value) = self { value } else { nil } }
    package var members: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { if case .null = self { true } else { false } }
}
