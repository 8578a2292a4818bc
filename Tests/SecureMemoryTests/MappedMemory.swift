import Glibc

/// What the kernel says of this process's memory (proc(5), `/proc/pid/smaps`).
enum MappedMemory {
    struct Unreadable: Error {}

    /// `VmFlags` of the mapping that holds `address`; nil where there is none.
    static func flags(at address: UInt) throws -> [String]? {
        var isInside = false
        for line in try text("/proc/self/smaps").split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if let range = words.first?.split(separator: "-"), range.count == 2, let start = UInt(range[0], radix: 16),
                let end = UInt(range[1], radix: 16)
            {
                isInside = start <= address && address < end
            } else if isInside, words.first == "VmFlags:" {
                return Array(words.dropFirst())
            }
        }
        return nil
    }

    private static func text(_ path: String) throws -> String {
        guard let stream = fopen(path, "r") else { throw Unreadable() }
        defer { fclose(stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            if count == 0 { return String(decoding: content, as: UTF8.self) }
            content.append(contentsOf: chunk[..<count])
        }
    }
}
