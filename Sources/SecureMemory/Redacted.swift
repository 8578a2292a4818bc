/// A sensitive value that may travel but not be printed: a bearer token, a client secret.
///
/// Printing, interpolating, dumping or reflecting it shows a fixed mark. `reveal()` is the one way out, so that every use can be found.
public struct Redacted<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: Value

    public init(_ value: Value) { self.value = value }

    /// The value itself, at the place where it is used.
    public func reveal() -> Value { value }

    public var description: String { "<redacted>" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Redacted: Equatable where Value: Equatable {}
extension Redacted: Hashable where Value: Hashable {}
