internal import Glibc

/// Confidential container groups, as the platform shows them to a process inside.
package enum ConfidentialGroup {
    /// Whether the platform put a security context beside this process; nothing of it is read.
    package static func isPresent(environment: [String: String]) -> Bool {
        if let named = environment["UVM_SECURITY_CONTEXT_DIR"], !named.isEmpty { return true }
        return hasRootDirectory(startingWith: "security-context-")
            || access("/opt/confidential-containers/share/kata-containers", F_OK) == 0
    }

    private static func hasRootDirectory(startingWith prefix: String) -> Bool {
        guard let directory = opendir("/") else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(prefix) { return true }
        }
        return false
    }
}
