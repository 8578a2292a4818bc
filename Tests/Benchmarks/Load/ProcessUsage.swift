internal import Glibc

/// What a process has used up to now, from `/proc` (proc(5)).
struct ProcessUsage: Sendable, Equatable {
    /// User and system time of all its threads, in seconds.
    var cpuSeconds: Double
    /// Resident memory in bytes.
    var residentBytes: Int

    /// `nil` where there is no such process, or it is not ours to look at.
    init?(process: Int32) {
        guard let stat = Self.text("/proc/\(process)/stat"), let statm = Self.text("/proc/\(process)/statm"),
            // The command's name is in parentheses and may hold anything, so the fields are counted behind the last one.
            let close = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[close...].split(separator: " ").dropFirst().map(String.init)
        let pages = statm.split(separator: " ").map(String.init)
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]), pages.count > 1,
            let resident = Int(pages[1])
        else { return nil }
        cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        residentBytes = resident * sysconf(Int32(_SC_PAGESIZE))
    }

    private static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
