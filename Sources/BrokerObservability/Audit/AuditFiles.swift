internal import BrokerCore
internal import Glibc

/// The files of an audit: the one that is written, and those that were put aside.
package enum AuditFiles {
    /// Longest file that is read, in bytes.
    package static let limit = 1 << 30

    /// Files that rotation has put aside, in the order of their lines: `PATH.` and the number of their last line.
    package static func rotated(_ path: String) -> [String] {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[...$0]) } ?? "./"
        let prefix = (slash.map { String(path[path.index(after: $0)...]) } ?? path) + "."
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var found: [(number: Int64, name: String)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            let digits = name.dropFirst(prefix.count)
            guard name.hasPrefix(prefix), digits.utf8.count >= 12, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int64(digits)
            else { continue }
            found.append((number, (slash == nil ? "" : directory) + name))
        }
        return found.sorted { $0.number < $1.number }.map(\.name)
    }

    /// The content of `PATH.head`; `nil` where there is none.
    package static func head(of path: String) -> [UInt8]? { try? BoundedFile.read(AuditFile.headPath(path), limit: 1 << 10) }
}
