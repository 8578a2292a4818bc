internal import PlainText

/// The name of a resource of the Confidential Containers project: repository, type and tag (KeyProvider.md, "Names of keys").
package struct ResourceURI: Sendable, Hashable, CustomStringConvertible {
    /// `repository/type/tag`, with `+plug-in:` in front where one is named.
    private let path: String

    /// Reads `kbs:///r/t/n`, `kbs://host[:port]/r/t/n`, `kbs+plugin:///r/t/n`, `host/r/t/n` or `/r/t/n`. The host is passed over: which
    /// store has the key is a matter of the configuration.
    package init?(_ text: String) {
        guard text.utf8.consists(of: .visible, count: 1...AnnotationPacket.longestKeyID) else { return nil }
        var rest = text[...]
        var plugin = ""
        if let mark = text.firstRange(of: "://") {
            let scheme = text[..<mark.lowerBound].lowercased()
            guard scheme == "kbs" || scheme.hasPrefix("kbs+") else { return nil }
            plugin = String(scheme.dropFirst("kbs".count).dropFirst())
            guard scheme == "kbs" || plugin.utf8.consists(of: .alphanumeric + "-_", count: 1...64) else { return nil }
            rest = text[mark.upperBound...]
        }
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].utf8.consists(of: .hostName + ":[]_", count: 0...300) else { return nil }
        for part in parts.dropFirst() {
            guard part.utf8.consists(of: .alphanumeric + "-._", count: 1...128), part != ".", part != ".." else { return nil }
        }
        path = (plugin.isEmpty ? "" : "+\(plugin):") + parts.dropFirst().joined(separator: "/")
    }

    /// The last component.
    package var tag: String { String(path.split(separator: "/").last ?? "") }

    /// The same without the last component.
    package var folder: String { String(path.dropLast(tag.count)) }

    /// `kbs:///r/t/n`, the form that guests read.
    package var description: String {
        guard path.hasPrefix("+"), let mark = path.firstIndex(of: ":") else { return "kbs:///\(path)" }
        return "kbs\(path[..<mark]):///\(path[path.index(after: mark)...])"
    }
}
