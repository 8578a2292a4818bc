internal import Instrumentation
internal import PlainText

/// A place in a distributed trace, as `traceparent` carries it (W3C Trace Context, 3.2; Metrics.md, "Traces").
package struct TraceContext: Sendable, Hashable {
    /// 32 and 16 lower-case hexadecimal digits, neither all zeros.
    package let traceID: String
    package let spanID: String
    package let isSampled: Bool

    private init(traceID: String, spanID: String, isSampled: Bool) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// A new trace.
    package init(isSampled: Bool) {
        self.init(traceID: Self.digits(2), spanID: Self.digits(1), isSampled: isSampled)
    }

    /// Reads the field's value; `nil` where it is not one, which then counts as absent. Of a later version the parts that are known count.
    package init?(traceparent text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, text.utf8.count <= 256, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16, parts[3].count == 2
        else { return nil }
        guard parts.prefix(4).allSatisfy({ $0.consists(of: .lowercaseHexDigits) }), !parts[0].elementsEqual("ff".utf8) else { return nil }
        if parts[0].elementsEqual("00".utf8), parts.count > 4 { return nil }
        guard parts[1].contains(where: { $0 != UInt8(ascii: "0") }), parts[2].contains(where: { $0 != UInt8(ascii: "0") }) else {
            return nil
        }
        let texts = parts.map { String(decoding: $0, as: UTF8.self) }
        self.init(traceID: texts[1], spanID: texts[2], isSampled: (UInt8(texts[3], radix: 16) ?? 0) & 1 == 1)
    }

    /// Another span of the same trace.
    package func child() -> TraceContext { TraceContext(traceID: traceID, spanID: Self.digits(1), isSampled: isSampled) }

    package var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

    /// The context of the running task. What a task starts inherits it.
    package static var current: TraceContext? { InstrumentationContext.current?[Key.self] }

    /// Runs `work` in this context.
    package func during<Value, Failure: Error>(_ work: () async throws(Failure) -> Value) async throws(Failure) -> Value {
        var context = InstrumentationContext.current ?? .topLevel
        context[Key.self] = self
        let outcome: Result<Value, Failure> = await InstrumentationContext.withValue(context) {
            do throws(Failure) { return .success(try await work()) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private enum Key: InstrumentationContextKey { typealias Value = TraceContext }

    /// Random, and never all zeros.
    private static func digits(_ words: Int) -> String {
        (0..<words).map { _ in
            let text = String(UInt64.random(in: 1...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }.joined()
    }
}
