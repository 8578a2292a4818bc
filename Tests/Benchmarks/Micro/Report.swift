import BrokerCore
import Glibc
import StrictJSON

/// Most allocations that each benchmark may make.
struct Thresholds {
    private let byName: JSONObject

    init(_ path: String?) throws {
        guard let path else {
            byName = JSONObject()
            return
        }
        byName = try JSONCursor.parse(BoundedFile.read(path, limit: 1 << 16)).object()
    }

    subscript(_ name: String) -> Int? {
        guard case .integer(let number)? = byName[name] else { return nil }
        return Int(number)
    }
}

/// Prints the table; whether every threshold was kept.
func report(_ measurements: [Measurement], _ thresholds: Thresholds) -> Bool {
    let operation = measurements.first?.seconds ?? 1
    let width = measurements.map(\.name.count).max() ?? 0
    func padded(_ text: String, _ count: Int) -> String { String(repeating: " ", count: max(0, count - text.count)) + text }
    func number(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((value * scale).rounded())
        guard digits > 0 else { return "\(scaled)" }
        let fraction = String(scaled % Int(scale))
        return "\(scaled / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
    print(
        String(repeating: " ", count: width) + padded("CPU us", 12) + padded("private ops", 13) + padded("allocations", 13)
            + padded("at most", 9))
    var isKept = true
    for measurement in measurements {
        let limit = thresholds[measurement.name]
        let isBroken = limit.map { measurement.allocations > $0 } ?? false
        if isBroken { isKept = false }
        print(
            measurement.name + String(repeating: " ", count: width - measurement.name.count)
                + padded(number(measurement.seconds * 1e6, 1), 12) + padded(number(measurement.seconds / operation, 2), 13)
                + padded("\(measurement.allocations)", 13) + padded(limit.map(String.init) ?? "-", 9)
                + (isBroken ? "  MORE THAN ALLOWED" : ""))
    }
    return isKept
}

func fail(_ text: String) -> Never {
    let line = Array((text + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(2)
}
