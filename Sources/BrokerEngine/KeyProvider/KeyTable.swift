package import BrokerCore
package import HTTPTransport
internal import KeyProvider
internal import PlainText

/// Which key of which store an image's key name stands for (KeyProvider.md, "Names of keys").
package struct KeyTable: Sendable {
    /// Where a key is.
    package struct Place: Sendable, Equatable {
        package let key: KeyName
        /// The store that an entry names.
        package let store: Endpoint?

        package init(key: KeyName, store: Endpoint? = nil) {
            self.key = key
            self.store = store
        }
    }

    /// Why an entry cannot be used.
    package struct Invalid: Error, Sendable, CustomStringConvertible { package let description: String }

    private var names: [String: Place] = [:]
    /// By what stands in front of the last component.
    private var folders: Set<String> = []

    /// Entries `KID=KEY`: KEY is NAME, NAME/VERSION or a key's URL. `FOLDER/*=*` gives every resource of a folder the key that its last
    /// component names.
    package init(_ entries: [String] = []) throws(Invalid) {
        for entry in entries {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw Invalid(description: "expected KID=KEY, found no '='") }
            if parts[0].hasSuffix("/*") {
                guard parts[1] == "*", let resource = ResourceURI(parts[0].dropLast() + "any") else {
                    throw Invalid(description: "a KID that ends with /* is a resource URI, and its key is *")
                }
                folders.insert(resource.folder)
                continue
            }
            guard let kid = Self.canonical(parts[0]) else {
                throw Invalid(description: "expected a key's name or a resource URI before '='")
            }
            guard let place = Self.place(parts[1]) else {
                throw Invalid(description: "expected a key's NAME, NAME/VERSION or https:// identifier behind '='")
            }
            guard names.updateValue(place, forKey: kid) == nil else { throw Invalid(description: "one KID has two keys") }
        }
    }

    /// The key that `kid` stands for: the table's, otherwise, for a plain name or a key's URL, that key itself.
    package func place(of kid: String) -> Place? {
        if let canonical = Self.canonical(kid), let place = names[canonical] { return place }
        if let resource = ResourceURI(kid) {
            guard folders.contains(resource.folder), let key = KeyName(resource.tag) else { return nil }
            return Place(key: key)
        }
        return Self.place(kid)
    }

    /// One spelling for names that mean the same; `nil` for what is no name.
    package static func canonical(_ kid: String) -> String? {
        if let key = KeyName(kid) { return "\(key)".lowercased() }
        if let reference = KeyReference(identifier: kid) { return "\(reference)".lowercased() }
        return ResourceURI(kid)?.description
    }

    private static func place(_ text: String) -> Place? {
        if let key = KeyName(text) { return Place(key: key) }
        return KeyReference(identifier: text).map { Place(key: $0.name, store: $0.store) }
    }
}
