internal import ReleasePolicy

/// Input that several commands read.
enum PolicyFile {
    /// A release policy, out of a key bundle or its encoding where it is in one; `-` for standard input.
    static func document(_ path: String) throws -> PolicyDocument {
        do { return try PolicyDocument(InputFile.bytes(path, limit: PolicyDocument.maximumBytes)) } catch let failure
            as PolicyDocument.Failure
        { throw CommandFailure(.impossible, "\(path): \(failure)") }
    }
}
