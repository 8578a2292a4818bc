package import BrokerConfiguration
package import BrokerCore
internal import Glibc
internal import NIOCore

/// What the system allows this process. `Int.max` stands for no limit.
package struct ProcessLimits: Sendable, Equatable {
    /// Open descriptors at a time (`RLIMIT_NOFILE`).
    package var descriptors = Int.max
    /// Bytes of address space (`RLIMIT_AS`).
    package var addressSpace = Int.max
    /// Bytes of memory of the control group and those above it (`memory.max`, for version 1 `memory.limit_in_bytes`).
    package var memory = Int.max
    /// Each has a thread for requests and one for connections.
    package var cores = 1

    package init(descriptors: Int = .max, addressSpace: Int = .max, memory: Int = .max, cores: Int = 1) {
        self.descriptors = descriptors
        self.addressSpace = addressSpace
        self.memory = memory
        self.cores = cores
    }

    /// Reads what is in force. `root` is put in front of the paths below `/proc` and `/sys`.
    package static func current(root: String = "") -> ProcessLimits {
        ProcessLimits(
            descriptors: limit(RLIMIT_NOFILE), addressSpace: limit(RLIMIT_AS), memory: groupMemory(root: root), cores: System.coreCount)
    }

    /// Raises the soft limit of descriptors to the hard one, but not above a million.
    package static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, 1 << 20)
        guard wanted > limit.rlim_cur else { return }
        limit.rlim_cur = wanted
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Program and libraries, and for each core two threads with stacks of 8 MiB.
    private var leastAddressSpace: Int { (160 << 20) + cores * (16 << 20) }

    /// Standard streams, files, connections to services, and three descriptors for each event loop.
    var reservedDescriptors: Int { 64 + 3 * cores }

    /// Fewer connections are no service.
    private static let leastConnections = 8

    /// Why no broker can run here, with what to do; `nil` where it can.
    package var obstacle: String? {
        if addressSpace < leastAddressSpace {
            return "the address space is limited to \(addressSpace >> 20) MiB (RLIMIT_AS) and a broker on \(cores) cores needs "
                + "\(leastAddressSpace >> 20) MiB; raise it (ulimit -v) or limit memory by control group instead"
        }
        let least = reservedDescriptors + Self.leastConnections
        guard descriptors < least else { return nil }
        return "at most \(descriptors) descriptors may be open (RLIMIT_NOFILE) and a broker on \(cores) cores needs \(least); "
            + "raise the limit (ulimit -n, LimitNOFILE=)"
    }

    private static func limit(_ resource: __rlimit_resource) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return .max }
        return Int(clamping: limit.rlim_cur)
    }

    /// The least limit on the way from this process's group to the root; a container sees its own group as the root.
    private static func groupMemory(root: String) -> Int {
        var least = Int.max
        for line in text("\(root)/proc/self/cgroup").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let (mount, file): (String, String)
            if parts[1].isEmpty {
                (mount, file) = ("\(root)/sys/fs/cgroup", "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                (mount, file) = ("\(root)/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            var names = parts[2].split(separator: "/")
            while true {
                let path = ([mount] + names.map(String.init) + [file]).joined(separator: "/")
                let digits = text(path).prefix { $0.isNumber }
                if let limit = Int(digits), limit > 0 { least = min(least, limit) }
                guard names.popLast() != nil else { break }
            }
        }
        return least
    }

    private static func text(_ path: String) -> String {
        guard let bytes = try? BoundedFile.read(path, limit: 1 << 16) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HTTPFrontEndOptions {
    /// Makes connections and bodies fit what the system allows. Returns what an operator should know.
    ///
    /// - Parameter otherListeners: how many listeners with as many connections there are beside.
    /// - Throws: `BrokerError` with code `misconfigured` where a body of the permitted length could never be received.
    package mutating func fit(_ limits: ProcessLimits, otherListeners: Int = 0) throws(BrokerError) -> [String] {
        var warnings: [String] = []
        let listeners = max(1, (http == nil ? 0 : 1) + (unix == nil ? 0 : 1) + otherListeners)
        let connections = max(1, (limits.descriptors - limits.reservedDescriptors) / listeners)
        if connections < connectionLimit {
            warnings.append(
                "server.connection-limit: \(connections) instead of \(connectionLimit), because \(limits.descriptors) descriptors "
                    + "may be open (RLIMIT_NOFILE)")
            connectionLimit = connections
        }
        let memory = min(limits.memory, limits.addressSpace) / 4
        if memory < totalBodyLimit {
            warnings.append("all request bodies together may hold \(memory) bytes, a quarter of the memory there is")
            totalBodyLimit = memory
        }
        guard bodyLimit <= totalBodyLimit else {
            throw BrokerError(
                .misconfigured, at: .startup,
                "server.body-limit: \(bodyLimit) bytes for one body are more than the \(totalBodyLimit) bytes for all bodies together")
        }
        return warnings
    }
}
