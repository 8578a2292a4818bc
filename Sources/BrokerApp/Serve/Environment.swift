internal import Glibc

/// The process's environment, read once per use.
enum ProcessEnvironment {
    /// All variables; names or values that are not UTF-8 are repaired, not dropped.
    static var all: [String: String] {
        var result: [String: String] = [:]
        var cursor = environ
        while let entry = cursor.pointee {
            let text = String(cString: entry)
            if let split = text.firstIndex(of: "=") { result[String(text[..<split])] = String(text[text.index(after: split)...]) }
            cursor = cursor.advanced(by: 1)
        }
        return result
    }
}
