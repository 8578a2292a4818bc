import Foundation

/// A directory that goes with the test.
final class TemporaryLists {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("lists-" + UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
}
