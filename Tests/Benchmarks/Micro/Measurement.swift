import CAllocationCounter
import Glibc

/// What one benchmark took.
struct Measurement {
    let name: String
    /// Seconds of CPU of the whole process for one operation: the median of the rounds.
    let seconds: Double
    /// Allocations of one operation: the median of the rounds, rounded.
    let allocations: Int
}

/// Runs an operation in rounds and takes medians, so that a moment of noise does not count.
struct Measurer {
    static let rounds = 7
    /// Where given, only benchmarks whose name contains this text run, besides the first, which is the unit of all.
    let only: String?
    private(set) var measurements: [Measurement] = []

    init(only: String?) { self.only = only }

    /// `count` operations in each round, after one round that is not measured.
    mutating func measure(_ name: String, count: Int, _ operation: () async throws -> Void) async throws {
        if let only, !measurements.isEmpty, !name.contains(only) { return }
        var seconds: [Double] = []
        var allocations: [Double] = []
        for round in 0...Self.rounds {
            let began = (time: Self.processTime(), allocations: broker_allocation_count())
            for _ in 0..<count { try await operation() }
            let ended = (time: Self.processTime(), allocations: broker_allocation_count())
            guard round > 0 else { continue }
            seconds.append((ended.time - began.time) / Double(count))
            allocations.append(Double(ended.allocations - began.allocations) / Double(count))
        }
        let measured = Measurement(
            name: name, seconds: seconds.sorted()[Self.rounds / 2], allocations: Int(allocations.sorted()[Self.rounds / 2].rounded()))
        measurements.append(measured)
    }

    /// User and system time of all threads.
    private static func processTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
