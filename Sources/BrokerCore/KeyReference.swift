public import HTTPTransport
internal import PlainText

/// Which key is wanted: a store, a name and perhaps a version.
public struct KeyReference: Sendable, Hashable, CustomStringConvertible {
    public let store: Endpoint
    public let name: KeyName

    public init(store: Endpoint, name: KeyName) {
        self.store = store
        self.name = name
    }

    /// The key identifier as the stores write it: `https://{host}/keys/{name}[/{version}]`.
    public var description: String { "\(store.origin)/keys/\(name)" }
}

/// A key's name and, where one is asked for, its version: `^[0-9a-zA-Z-]{1,127}(/[0-9a-f]{32})?$` (Key Vault REST, "Keys").
public struct KeyName: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    /// 32 lower-case hex digits, or `nil` for the current version.
    public let version: String?

    /// `nil` where the text has any other form: it becomes part of a URL, so nothing else may pass.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let first = parts.first, first.consists(of: .alphanumeric + "-", count: 1...127) else { return nil }
        switch parts.count {
        case 1: version = nil
        case 2 where parts[1].consists(of: .lowercaseHexDigits, count: 32...32): version = String(decoding: parts[1], as: UTF8.self)
        default: return nil
        }
        name = String(decoding: first, as: UTF8.self)
    }

    public var description: String { version.map { "\(name)/\($0)" } ?? name }
}
