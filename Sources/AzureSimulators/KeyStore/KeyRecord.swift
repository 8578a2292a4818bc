internal import ReleasePolicy
internal import StrictJSON

/// A key with all its versions.
struct KeyRecord: Sendable {
    /// As it was first written; names are compared without regard to case.
    let name: String
    /// Set with the first version and never changed.
    let isExportable: Bool
    var policy: StoredPolicy?
    /// Oldest first; never empty.
    var versions: [KeyVersion]
    /// When it was deleted, in seconds since 1970.
    var deleted: Int64?

    var current: KeyVersion { versions[versions.count - 1] }

    /// A version by its identifier; the current one for `nil`.
    func version(_ identifier: String?) -> KeyVersion? {
        guard let identifier else { return current }
        return versions.first { $0.identifier == identifier }
    }
}

/// A release policy as it is stored with a key.
struct StoredPolicy: Sendable {
    var policy: ReleasePolicy
    var isImmutable: Bool
    var contentType: String

    static let defaultContentType = "application/json; charset=utf-8"
}

/// One version of a key.
struct KeyVersion: Sendable {
    /// 32 lower-case hex digits.
    let identifier: String
    /// `RSA`, `RSA-HSM`, `EC`, `EC-HSM` or `oct-HSM`.
    let type: String
    let material: KeyMaterial
    var operations: [String]
    var isEnabled: Bool
    var notBefore: Int64?
    var expires: Int64?
    let created: Int64
    var updated: Int64
    /// Text by name.
    var tags: JSONObject?

    /// Whether it is for secure wrap, and has a release policy though it cannot be exported.
    var wrapsSecurely: Bool { operations.contains { KeyStoreService.secureOperations.contains($0) } }
}
