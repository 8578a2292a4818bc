internal import BrokerCore
internal import Glibc

/// The configuration file as bytes, at most 1 MiB.
package struct ConfigurationFile: Sendable {
    /// Longest file, in bytes.
    package static let limit = 1 << 20

    /// As the operator named it, for messages.
    package let name: String
    package let bytes: [UInt8]
    /// Whether the file can be changed by every user of the machine.
    package let isWorldWritable: Bool

    package init(name: String, bytes: [UInt8], isWorldWritable: Bool = false) {
        self.name = name
        self.bytes = bytes
        self.isWorldWritable = isWorldWritable
    }

    /// Reads the file at `path`; one that is missing, unreadable or too long is a problem of its own.
    package static func read(_ path: String) throws(ConfigurationProblems) -> ConfigurationFile {
        do {
            let bytes = try BoundedFile.read(path, limit: limit, allowsPipes: true)
            var status = stat()
            let isWorldWritable = stat(path, &status) == 0 && status.st_mode & S_IWOTH != 0 && status.st_mode & S_IFMT == S_IFREG
            return ConfigurationFile(name: path, bytes: bytes, isWorldWritable: isWorldWritable)
        } catch {
            throw ConfigurationProblems([
                ConfigurationProblem(path: "", source: .file(path), message: "cannot be read: \(error.description)")
            ])
        }
    }
}
