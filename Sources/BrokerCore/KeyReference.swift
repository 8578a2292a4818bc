public import HTTPTransport
internal import PlainText

/// Which key is wanted: a store, a name and perhaps a version. Compared as the stores do, without regard to the case of letters.
public struct KeyReference: Sendable, Hashable, CustomStringConvertible {
    public let store: Endpoint
    public let name: KeyName

    public init(store: Endpoint, name: KeyName) {
        self.store = store
        self.name = name
    }

    /// Reads a key identifier, `https://HOST[:PORT]/keys/NAME[/VERSION]`; `nil` where the text has any other form.
    public init?(identifier text: String) {
        let start = "https://"
        guard text.utf8.count <= 512, text.utf8.allSatisfy({ $0 < 0x80 }), text.lowercased().hasPrefix(start) else { return nil }
        let parts = text.dropFirst(start.count).split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        // One spelling but for case: no port where it is the usual one.
        guard parts.count == 3, parts[1].lowercased() == "keys", let store = try? Endpoint(String(parts[0])),
            store.description == parts[0].lowercased(), let name = KeyName(String(parts[2]))
        else { return nil }
        self.init(store: store, name: name)
    }

    /// The key identifier as the stores write it: `https://{host}/keys/{name}[/{version}]`.
    public var description: String { "\(store.origin)/keys/\(name)" }

    /// Whether `other` is this key, in the version asked for where one was.
    public func isAnswered(by other: KeyReference) -> Bool {
        store == other.store && name.hasSameName(as: other.name) && (name.version == nil || name.version == other.name.version)
    }
}

/// A key's name and, where one is asked for, its version: `^[0-9a-zA-Z-]{1,127}(/[0-9a-fA-F]{32})?$` (Key Vault REST, "Keys"). Names that
/// differ in the case of letters are equal.
public struct KeyName: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    public let name: String
    /// 32 lower-case hex digits, or `nil` for the current version.
    public let version: String?
    private let canonical: String

    /// `nil` where the text has any other form: it becomes part of a URL, so nothing else may pass.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let first = parts.first, first.consists(of: .alphanumeric + "-", count: 1...127) else { return nil }
        switch parts.count {
        case 1: version = nil
        case 2 where parts[1].consists(of: .hexDigits, count: 32...32): version = String(decoding: parts[1], as: UTF8.self).lowercased()
        default: return nil
        }
        name = String(decoding: first, as: UTF8.self)
        canonical = name.lowercased()
    }

    public var description: String { version.map { "\(name)/\($0)" } ?? name }

    /// Whether both name the same key, whatever its version.
    public func hasSameName(as other: KeyName) -> Bool { canonical == other.canonical }

    public static func == (left: KeyName, right: KeyName) -> Bool { left.hasSameName(as: right) && left.version == right.version }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(canonical)
        hasher.combine(version)
    }
}
