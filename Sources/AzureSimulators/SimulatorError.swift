/// Why the simulators cannot start or an administrator's call cannot be carried out, in words for a person.
public struct SimulatorError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
