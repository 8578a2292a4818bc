import Glibc

/// `Tests/Fuzz/corpus/TARGET`: inputs that a fuzzer found, and those that once broke something.
enum CorpusFolder {
    static let root = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fuzz/corpus"

    /// Files by name, sorted; none where there is no folder.
    static func files(of target: String) -> [(name: String, bytes: [UInt8])] {
        names(in: "\(root)/\(target)").compactMap { name in bytes(of: "\(root)/\(target)/\(name)").map { (name, $0) } }
    }

    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { field in String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    static func bytes(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { content += chunk[..<count] }
        return content
    }
}
