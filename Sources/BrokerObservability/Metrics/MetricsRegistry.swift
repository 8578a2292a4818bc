package import CoreMetrics
internal import Synchronization

/// Every figure of this process: a factory of swift-metrics that is handed to whoever counts. Nothing is bootstrapped, so a test has its
/// own.
///
/// Only declared families and labels are counted; series that have no value yet are not shown.
package final class MetricsRegistry: MetricsFactory {
    /// Looks values up when somebody asks for them.
    package typealias Collector = @Sendable () -> [MetricSample]

    private struct Series: Hashable {
        let family: String
        let labels: [String]
    }

    let families: [MetricFamily]
    private let byName: [String: MetricFamily]
    private let cells = Mutex<[Series: any MetricCell]>([:])
    private let collectors = Mutex<[Collector]>([])

    package init(_ families: [MetricFamily]) {
        self.families = families
        byName = Dictionary(families.map { ($0.name, $0) }) { first, _ in first }
    }

    package func collect(_ collector: @escaping Collector) { collectors.withLock { $0.append(collector) } }

    // MARK: What swift-metrics asks for

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter) { CounterCell() } ?? UndeclaredCell()
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, .gauge) { GaugeCell() } ?? UndeclaredCell()
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        histogram(label, dimensions) ?? UndeclaredCell()
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions) ?? UndeclaredCell()
    }

    // Series stay: a counter that disappears and comes back would have lost its past.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramCell? {
        guard case .histogram(let bounds)? = byName[label]?.kind else { return nil }
        return cell(label, dimensions, .histogram(bounds)) { HistogramCell(bounds) }
    }

    private func cell<Cell: MetricCell>(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind, make: () -> Cell
    ) -> Cell? {
        guard let family = byName[label], family.kind == kind, dimensions.count == family.labels.count else { return nil }
        var values: [String] = []
        for (label, dimension) in zip(family.labels, dimensions) {
            guard label.name == dimension.0 else { return nil }
            values.append(label.checked(dimension.1))
        }
        let series = Series(family: label, labels: values)
        return cells.withLock { cells in
            if let known = cells[series] { return known as? Cell }
            let new = make()
            cells[series] = new
            return new
        }
    }

    // MARK: What is shown

    /// Every family that has values, with its series in a fixed order.
    func readings() -> [(family: MetricFamily, series: [(labels: [String], reading: MetricReading)])] {
        var all: [String: [(labels: [String], reading: MetricReading)]] = [:]
        for (series, cell) in cells.withLock({ $0 }) { all[series.family, default: []].append((series.labels, cell.reading)) }
        for collector in collectors.withLock({ $0 }) {
            for sample in collector() {
                guard let family = byName[sample.family], family.labels.count == sample.labels.count else { continue }
                let labels = zip(family.labels, sample.labels).map { $0.checked($1) }
                all[sample.family, default: []].append((labels, .number(sample.value)))
            }
        }
        return families.compactMap { family in
            all[family.name].map { series in (family, series.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }) }
        }
    }
}
