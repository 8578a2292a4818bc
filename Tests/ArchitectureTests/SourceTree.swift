import Glibc

/// The files of the package.
enum SourceTree {
    /// Names of the entries of a directory, sorted; links are not followed.
    static func entries(_ path: String) throws -> [(name: String, isDirectory: Bool)] {
        guard let directory = opendir(path) else { throw Failure(description: "cannot list \(path)") }
        defer { closedir(directory) }
        var result: [(String, Bool)] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0 else { continue }
            result.append((name, status.st_mode & S_IFMT == S_IFDIR))
        }
        return result.sorted { $0.0 < $1.0 }
    }

    /// Paths of all Swift files below a directory, relative to it.
    static func swiftFiles(_ path: String) throws -> [String] {
        try entries(path).flatMap { entry -> [String] in
            if entry.isDirectory { return try swiftFiles("\(path)/\(entry.name)").map { "\(entry.name)/\($0)" } }
            return entry.name.hasSuffix(".swift") ? [entry.name] : []
        }
    }

    static func lines(_ path: String) throws -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: "cannot read \(path)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

/// A Swift file's lines without comments and without the inside of multi-line strings.
struct SwiftText {
    let code: [(number: Int, text: String)]

    init(_ lines: [String]) {
        var code: [(Int, String)] = []
        var isInString = false
        for (index, line) in lines.enumerated() {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            // A multi-line string begins behind the end of a line and ends at the beginning of one; three marks in a row inside of a line are
            // the end of a raw string.
            if isInString {
                if trimmed.hasPrefix("\"\"\"") { isInString = false }
                continue
            }
            isInString = trimmed.hasSuffix("\"\"\"") && !trimmed.hasPrefix("//")
            if trimmed.hasPrefix("//") || trimmed.isEmpty { continue }
            code.append((index + 1, String(trimmed)))
        }
        self.code = code
    }

    /// Modules that the file imports, with the line.
    var imports: [(number: Int, module: String)] {
        code.compactMap { number, text in
            var words = text.split(separator: " ").map(String.init)[...]
            while let word = words.first, word.hasPrefix("@") || Self.accessLevels.contains(word) { words.removeFirst() }
            guard words.popFirst() == "import", var module = words.popFirst() else { return nil }
            if Self.kinds.contains(module), let next = words.popFirst() { module = next }
            return (number, String(module.prefix { $0 != "." && $0 != ";" }))
        }
    }

    private static let accessLevels: Set<String> = ["public", "package", "internal", "fileprivate", "private"]
    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
}
