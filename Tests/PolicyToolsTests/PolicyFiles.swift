import Glibc

/// The files of `policies/`.
enum PolicyFiles {
    /// The project's root, from this file, whose directory may be reached through a link.
    static let root: String = {
        guard let resolved = realpath(#filePath, nil) else { return "" }
        defer { free(resolved) }
        return "/" + String(cString: resolved).split(separator: "/").dropLast(3).joined(separator: "/")
    }()

    static func read(_ name: String) -> [UInt8] {
        guard let file = fopen("\(root)/policies/\(name)", "rb") else { return [] }
        defer { fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return content }
            content += chunk[..<count]
        }
    }

    static func names(_ folder: String) -> [String] {
        guard let directory = opendir("\(root)/policies/\(folder)") else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
