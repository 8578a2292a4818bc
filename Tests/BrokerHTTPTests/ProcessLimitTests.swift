import BrokerConfiguration
import BrokerCore
import BrokerListeners
import Glibc
import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import BrokerHTTP

/// What the system allows, and what is made of it. C11, C17 and C22 of the attacks.
struct ProcessLimitTests {
    private func fitted(_ limits: ProcessLimits, _ change: (inout HTTPFrontEndOptions) -> Void = { _ in }) throws
        -> (options: HTTPFrontEndOptions, warnings: [String])
    {
        var options = TestServer.options(change)
        let warnings = try options.fit(limits)
        return (options, warnings)
    }

    @Test("nothing changes where nothing is limited") func unlimited() throws {
        let (options, warnings) = try fitted(ProcessLimits())
        #expect(warnings.isEmpty)
        #expect(options.connectionLimit == 512 && options.totalBodyLimit == 32 << 20)
        #expect(ProcessLimits().obstacle == nil)
    }

    @Test("C17: too few descriptors are refused, with what to do") func tooFewDescriptors() {
        for count in [24, 64, 77] {
            let obstacle = ProcessLimits(descriptors: count, cores: 2).obstacle
            #expect(obstacle?.contains("at most \(count) descriptors") == true && obstacle?.contains("ulimit -n") == true)
        }
        #expect(ProcessLimits(descriptors: 78, cores: 2).obstacle == nil)
    }

    @Test("C17: connections fit the descriptors, with one warning") func fewerConnections() throws {
        let (one, warnings) = try fitted(ProcessLimits(descriptors: 256, cores: 2))
        #expect(one.connectionLimit == 186)
        #expect(warnings.count == 1 && warnings[0].contains("server.connection-limit: 186 instead of 512"))
        let (two, _) = try fitted(ProcessLimits(descriptors: 256, cores: 2)) { $0.unix = "/x" }
        #expect(two.connectionLimit == 93)
        let (enough, none) = try fitted(ProcessLimits(descriptors: 1024, cores: 2))
        #expect(enough.connectionLimit == 512 && none.isEmpty)
    }

    @Test("C17: accepting rests for 100 ms where there is no descriptor, and says so once") func acceptBackoff() throws {
        let log = InMemoryLogHandler()
        let channel = EmbeddedChannel(handler: AcceptBackoff(logger: Logger(label: "test") { _ in log }))
        func autoRead() -> [Bool] {
            channel.options.compactMap { $0.option is ChannelOptions.Types.AutoReadOption ? $0.value as? Bool : nil }
        }
        let full = IOError(errnoCode: EMFILE, reason: "accept")
        for _ in 1...3 {
            // The second is one that was on its way.
            channel.pipeline.fireErrorCaught(full)
            channel.pipeline.fireErrorCaught(full)
            #expect(autoRead().last == false)
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(99))
            #expect(autoRead().last == false)
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
            #expect(autoRead().last == true)
        }
        #expect(log.entries.count == 1)
        channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
        // None of these went on to end the listener; others do.
        try channel.throwIfErrorCaught()
        channel.pipeline.fireErrorCaught(IOError(errnoCode: EBADF, reason: "accept"))
        #expect(throws: IOError.self) { try channel.throwIfErrorCaught() }
        _ = try? channel.finish()
    }

    @Test("memory is given back when half of many connections are gone, and not for a few") func freedMemory() {
        let times = Atomic(0)
        let connections = OpenConnections { times.add(1, ordering: .relaxed) }
        func change(_ opened: Int, _ closed: Int) -> Int {
            for _ in 0..<opened { connections.opened() }
            for _ in 0..<closed { connections.closed() }
            return times.load(ordering: .relaxed)
        }
        #expect(change(63, 63) == 0)
        #expect(change(1000, 499) == 0)
        #expect(change(0, 1) == 1)
        // Of the 500 that are left, half; of those, half; until there are few.
        #expect(change(0, 500) == 4)
        #expect(change(64, 64) == 5)
    }

    @Test("C22: too little address space is refused, with what to do") func tooLittleAddressSpace() {
        let obstacle = ProcessLimits(addressSpace: 150 << 20, cores: 2).obstacle
        #expect(obstacle?.contains("150 MiB (RLIMIT_AS)") == true && obstacle?.contains("192 MiB") == true)
        #expect(ProcessLimits(addressSpace: 192 << 20, cores: 2).obstacle == nil)
    }

    @Test("C22: all bodies together fit a quarter of the memory there is") func bodyBudget() throws {
        #expect(try fitted(ProcessLimits(memory: 40 << 20)).options.totalBodyLimit == 10 << 20)
        #expect(try fitted(ProcessLimits(addressSpace: 64 << 20, memory: 80 << 20)).options.totalBodyLimit == 16 << 20)
        #expect(try fitted(ProcessLimits(memory: 1 << 30)).options.totalBodyLimit == 32 << 20)
    }

    @Test("C11: a body limit that the budget cannot honour is refused") func bodyLimit() throws {
        let error = try #require(throws: BrokerError.self) { try fitted(ProcessLimits()) { $0.bodyLimit = 40 << 20 } }
        #expect(error.code == .misconfigured && error.stage == .startup)
        #expect(error.message.hasPrefix("server.body-limit: 41943040 bytes for one body are more than the 33554432 bytes"))
        #expect(throws: BrokerError.self) { try fitted(ProcessLimits(memory: 40 << 20)) { $0.bodyLimit = 11 << 20 } }
    }

    @Test(
        "C22: the limits of control groups are read, those above included",
        arguments: [
            (["0::/a/b\n"], [("/a/b", "max\n"), ("/a", "41943040\n"), ("", "83886080\n")], 40 << 20),
            (["0::/\n"], [("", "1048576\n")], 1 << 20), (["0::/a\n"], [("/a", "max\n")], Int.max),
            (["9:name=systemd:/\n4:cpu,memory:/x\n"], [("memory/x", "2097152\n"), ("memory", "9223372036854771712\n")], 2 << 20),
            ([], [], Int.max),
        ]) func groups(_ group: [String], _ files: [(String, String)], _ memory: Int) throws
    {
        let root = try SocketDirectory()
        var made: [String] = []
        func make(_ path: String, _ text: String) throws {
            var directory = root.path
            for name in path.split(separator: "/").dropLast() {
                directory += "/" + name
                if mkdir(directory, 0o700) == 0 { made.append(directory) }
            }
            let file = try #require(fopen(root.path + path, "w"))
            fputs(text, file)
            fclose(file)
            made.append(root.path + path)
        }
        defer { for path in made.reversed() { remove(path) } }
        for text in group { try make("/proc/self/cgroup", text) }
        for (name, text) in files {
            let isFirst = name.hasPrefix("memory")
            try make("/sys/fs/cgroup/" + name + (isFirst ? "/memory.limit_in_bytes" : "/memory.max"), text)
        }
        #expect(ProcessLimits.current(root: root.path).memory == memory)
    }

    @Test("the limits of this process are read") func current() {
        ProcessLimits.raiseDescriptorLimit()
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(ProcessLimits.current().descriptors == Int(clamping: limit.rlim_cur))
        #expect(limit.rlim_cur >= min(limit.rlim_max, 1 << 20))
    }
}
