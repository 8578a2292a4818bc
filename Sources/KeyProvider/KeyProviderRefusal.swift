/// Why a request or an annotation packet is not taken. Names what is wrong, never what was found in a secret.
package struct KeyProviderRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// A clause: "the annotation packet is not JSON: …".
    package let description: String

    package init(_ description: String) { self.description = description }
}
