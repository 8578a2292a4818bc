internal import CoreMetrics
internal import Synchronization

/// The values of one family with one set of labels.
protocol MetricCell: AnyObject, Sendable { var reading: MetricReading { get } }

enum MetricReading: Sendable {
    case number(Double)
    /// Counts by bucket, not added up, the infinite one last.
    case distribution(counts: [UInt64], sum: Double)
}

final class CounterCell: MetricCell, CounterHandler {
    private let count = Atomic<Int64>(0)

    func increment(by amount: Int64) { count.wrappingAdd(max(0, amount), ordering: .relaxed) }

    // A counter that went back would be read as one that began anew.
    func reset() {}

    var reading: MetricReading { .number(Double(count.load(ordering: .relaxed))) }
}

final class GaugeCell: MetricCell, MeterHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    var reading: MetricReading { .number(value.withLock { $0 }) }
}

final class HistogramCell: MetricCell, RecorderHandler, TimerHandler {
    private let bounds: [Double]
    private let state: Mutex<(counts: [UInt64], sum: Double)>

    init(_ bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(([UInt64](repeating: 0, count: bounds.count + 1), 0))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[index] += 1
            state.sum += value
        }
    }

    /// Timers count in seconds here.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    var reading: MetricReading { state.withLock { .distribution(counts: $0.counts, sum: $0.sum) } }
}

/// For what is not declared: counted by nobody.
final class UndeclaredCell: CounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    func increment(by amount: Int64) {}
    func reset() {}
    func set(_ value: Int64) {}
    func set(_ value: Double) {}
    func increment(by amount: Double) {}
    func decrement(by amount: Double) {}
    func record(_ value: Int64) {}
    func record(_ value: Double) {}
    func recordNanoseconds(_ duration: Int64) {}
}
