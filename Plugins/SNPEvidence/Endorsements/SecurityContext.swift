internal import BrokerCore
internal import Glibc
internal import OpenSSLCrypto
internal import PlainText

/// What confidential ACI and Kata put beside a container: security policy, host certificates, and the endorsement of the utility VM
/// (SecurityContext.md, "Directory" and "Older variables").
package struct SecurityContext: Sendable, Equatable {
    /// The decoded Rego policy whose hash is the report's host data.
    package var policy: [UInt8]?
    /// The decoded THIM document.
    package var hostCertificates: [UInt8]?
    /// COSE_Sign1 of the utility VM, JSON form.
    package var utilityVM: [UInt8]?
    /// The same in the hash-envelope form.
    package var transparentUtilityVM: [UInt8]?
    /// Signed statements whose payload nobody published: carried as they are.
    package var tcbReference: [UInt8]?
    package var platformReference: [UInt8]?
    /// Files that this version does not know, by name, safe to show.
    package var unknownFiles: [String] = []
    /// Why files that only newer platforms write could not be used, one sentence each.
    package var complaints: [String] = []
    /// Where it came from, for messages.
    package var origin: String

    package init(
        policy: [UInt8]? = nil, hostCertificates: [UInt8]? = nil, utilityVM: [UInt8]? = nil, transparentUtilityVM: [UInt8]? = nil,
        tcbReference: [UInt8]? = nil, platformReference: [UInt8]? = nil, origin: String = "nowhere"
    ) {
        self.transparentUtilityVM = transparentUtilityVM
        self.tcbReference = tcbReference
        self.platformReference = platformReference
        self.policy = policy
        self.hostCertificates = hostCertificates
        self.utilityVM = utilityVM
        self.origin = origin
    }

    /// Why a context cannot be used, in words.
    package struct Unusable: Error, Sendable, CustomStringConvertible { package let description: String }

    /// Where to look.
    package struct Places: Sendable {
        /// `UVM_SECURITY_CONTEXT_DIR`; empty looks for the directory.
        package var directory = ""
        /// `UVM_SECURITY_POLICY`, `UVM_HOST_AMD_CERTIFICATE` and `UVM_REFERENCE_INFO`, base64, used for what no file gives.
        package var policy = ""
        package var hostCertificates = ""
        package var utilityVM = ""
        /// In front of every path that is looked for; empty but for tests.
        package var root = ""

        package init() {}
    }

    /// What platforms are known to write. The library is there on Windows.
    private static let knownFiles: Set<String> = [
        "security-policy-base64", "host-amd-cert-base64", "reference-info-base64", "transparent-reference-info-base64",
        "tcb-reference-info-base64", "platform-reference-info-base64", "amdsnppspapi.dll",
    ]
    private static let kata = "/opt/confidential-containers/share/kata-containers"
    /// Security policies of large groups have some hundred kilobytes.
    private static let maximumBytes = 8 << 20
    /// Signed statements have some ten kilobytes.
    private static let maximumStatementBytes = 512 << 10

    /// Reads the context. Files that are not there are nothing; one that cannot be read, or is no base64, is an error.
    package static func read(_ places: Places) throws(Unusable) -> SecurityContext {
        var context = SecurityContext()
        if let directory = try directory(places) {
            context.origin = directory
            context.policy = try file("\(directory)/security-policy-base64")
            context.hostCertificates = try file("\(directory)/host-amd-cert-base64")
            context.utilityVM = try file("\(directory)/reference-info-base64")
            context.readNewerFiles(directory)
        }
        for (variable, text, member) in [
            ("UVM_SECURITY_POLICY", places.policy, \SecurityContext.policy),
            ("UVM_HOST_AMD_CERTIFICATE", places.hostCertificates, \.hostCertificates),
            ("UVM_REFERENCE_INFO", places.utilityVM, \.utilityVM),
        ] where context[keyPath: member] == nil && !text.isEmpty {
            context[keyPath: member] = try decoded(Array(text.utf8), variable)
            if context.origin == "nowhere" { context.origin = "UVM_ variables" }
        }
        return context
    }

    /// What a host's update may bring must not stop anything: what cannot be used is said, and so is what is not known.
    private mutating func readNewerFiles(_ directory: String) {
        for (name, member) in [
            ("transparent-reference-info-base64", \SecurityContext.transparentUtilityVM),
            ("tcb-reference-info-base64", \.tcbReference), ("platform-reference-info-base64", \.platformReference),
        ] {
            do { self[keyPath: member] = try Self.file("\(directory)/\(name)", limit: Self.maximumStatementBytes) } catch {
                complaints.append("\(error.description): it is left out")
            }
        }
        let names = Self.entries(of: directory).filter { !$0.hasPrefix(".") && !Self.knownFiles.contains($0) }
        unknownFiles = names.sorted().prefix(16).map { VisibleText.line($0) }
    }

    private static func directory(_ places: Places) throws(Unusable) -> String? {
        if !places.directory.isEmpty {
            guard isDirectory(places.directory) else {
                throw Unusable(description: "\(places.directory) (UVM_SECURITY_CONTEXT_DIR) is not a directory")
            }
            return places.directory
        }
        let names = entries(of: places.root + "/").filter { $0.hasPrefix("security-context-") }.sorted()
        if names.count > 1 {
            throw Unusable(
                description:
                    "there are several security contexts (\(names.map { "/" + $0 }.joined(separator: ", "))); name one with "
                    + "UVM_SECURITY_CONTEXT_DIR"
            )
        }
        if let name = names.first { return "\(places.root)/\(name)" }
        return isDirectory(places.root + kata) ? places.root + kata : nil
    }

    private static func entries(of directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The decoded file; `nil` where it is not there or empty.
    private static func file(_ path: String, limit: Int = maximumBytes) throws(Unusable) -> [UInt8]? {
        guard access(path, F_OK) == 0 else { return nil }
        let content: [UInt8]
        do { content = try BoundedFile.read(path, limit: limit) } catch { throw Unusable(description: error.description) }
        return try decoded(content, path)
    }

    private static func decoded(_ text: [UInt8], _ name: String) throws(Unusable) -> [UInt8]? {
        let bare = text.filter { $0 != 0x0A && $0 != 0x0D }
        guard !bare.isEmpty else { return nil }
        guard let bytes = Base64.decodeLenient(String(decoding: bare, as: UTF8.self)) else {
            throw Unusable(description: "\(name) is not base64")
        }
        return bytes
    }

    /// What is odd about the context in the light of a report, one sentence each.
    package func oddities(hostData: [UInt8]) -> [String] {
        var oddities: [String] = []
        if let policy, DigestAlgorithm.sha256.digest(policy) != hostData {
            oddities.append(
                "the security policy of \(origin) has the hash \(Hex.encode(DigestAlgorithm.sha256.digest(policy))), the report's host "
                    + "data is \(Hex.encode(hostData)): "
                    + "it is not the policy that this group was started with")
        }
        if policy != nil, utilityVM == nil, transparentUtilityVM == nil {
            oddities.append("\(origin) has no reference-info-base64, so the verifier cannot call this guest compliant")
        }
        if !unknownFiles.isEmpty {
            oddities.append("\(origin) has files that this version does not know: \(unknownFiles.joined(separator: ", "))")
        }
        return oddities + complaints
    }
}
