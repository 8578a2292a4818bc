import Glibc

/// A directory for one test.
struct TemporaryDirectory {
    struct Failure: Error {}

    let path: String

    init() throws {
        var template = Array("/tmp/fixture-evidence-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Writes a file and returns its path.
    func write(_ name: String, _ content: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        guard let stream = fopen(file, "w") else { throw Failure() }
        defer { fclose(stream) }
        guard fwrite(content, 1, content.count, stream) == content.count else { throw Failure() }
        return file
    }

    func names(in directory: String) -> [String] { Self.entries("\(path)/\(directory)").sorted() }

    func remove() { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in entries(path) { remove("\(path)/\(name)") }
        if Glibc.remove(path) != 0 { perror(path) }
    }

    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { field in String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
