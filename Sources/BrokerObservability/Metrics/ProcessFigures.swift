internal import Glibc

/// What the kernel says of this process (proc(5)), by the names that Prometheus' own clients use.
enum ProcessFigures {
    static let families = [
        MetricFamily("process_cpu_seconds", .counter, unit: "seconds", help: "User and system time of all threads."),
        MetricFamily("process_resident_memory_bytes", .gauge, unit: "bytes", help: "Resident memory."),
        MetricFamily("process_virtual_memory_bytes", .gauge, unit: "bytes", help: "Address space."),
        MetricFamily("process_open_fds", .gauge, help: "Open file descriptors."),
        MetricFamily("process_max_fds", .gauge, help: "Most file descriptors that may be open."),
        MetricFamily("process_threads", .gauge, help: "Threads."),
        MetricFamily("process_start_time_seconds", .gauge, unit: "seconds", help: "Start of the process, in seconds since 1970."),
    ]

    static func samples() -> [MetricSample] {
        var samples: [MetricSample] = []
        // The program's name is in parentheses and may hold anything, so fields are counted behind the last one.
        if let stat = text("/proc/self/stat"), let end = stat.lastIndex(of: ")") {
            let fields = stat[end...].split(separator: " ").dropFirst().map { Double($0) ?? 0 }
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            if fields.count > 21 {
                samples += [
                    MetricSample("process_cpu_seconds", value: (fields[11] + fields[12]) / ticks),
                    MetricSample("process_threads", value: fields[17]),
                    MetricSample("process_virtual_memory_bytes", value: fields[20]),
                    MetricSample("process_resident_memory_bytes", value: fields[21] * Double(sysconf(Int32(_SC_PAGESIZE)))),
                ]
                if let boot { samples.append(MetricSample("process_start_time_seconds", value: boot + fields[19] / ticks)) }
            }
        }
        if let count = descriptorCount { samples.append(MetricSample("process_open_fds", value: Double(count))) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            samples.append(MetricSample("process_max_fds", value: Double(limit.rlim_cur)))
        }
        return samples
    }

    /// When the machine started, in seconds since 1970.
    private static var boot: Double? {
        let line = text("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) }
    }

    private static var descriptorCount: Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        // Without ".", ".." and the one that looks.
        var count = -3
        while readdir(directory) != nil { count += 1 }
        return count
    }

    private static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count < 1 << 20 {
            let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
