/// Which certificate authorities are believed, for TLS and for release signatures alike.
public struct TLSTrust: Sendable, Equatable {
    /// PEM files whose certificates are trusted in addition to the others.
    public var files: [String]
    /// Directories in OpenSSL's hashed layout.
    public var directories: [String]
    /// Whether the system's default locations count too.
    public var includesSystemDefaults: Bool

    public init(files: [String] = [], directories: [String] = [], includesSystemDefaults: Bool = true) {
        self.files = files
        self.directories = directories
        self.includesSystemDefaults = includesSystemDefaults
    }
}
