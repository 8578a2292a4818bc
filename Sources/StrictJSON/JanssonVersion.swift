internal import CJansson

/// The Jansson that this process runs with.
package enum JanssonVersion {
    /// Numbers with dots.
    package static var text: String { jansson_version_str().map { String(cString: $0) } ?? "unknown" }
}
