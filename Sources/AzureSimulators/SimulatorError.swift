/// Why the simulators cannot start or an administrator's call cannot be carried out, in words for a person.
package struct SimulatorError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
