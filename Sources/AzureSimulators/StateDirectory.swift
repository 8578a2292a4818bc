internal import Glibc

/// A directory of the simulators' own: mode 0700, files of mode 0600 that are replaced as a whole or not at all.
struct StateDirectory: Sendable {
    /// Longest file that is read back, in bytes.
    static let maximumFileBytes = 8 << 20

    let path: String

    // What shows that a directory is the simulators' own.
    private static let mark = "attestation-broker-simulators"

    /// Opens the directory, made where it is not there. An existing one must be empty or from an earlier start; it is closed to others.
    /// Anything else is refused, so that a slip of the pen does not shut people out of their own directory.
    init(_ path: String) throws(SimulatorError) {
        guard !path.isEmpty else { throw SimulatorError("the name of the key directory is empty") }
        self.path = path
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SimulatorError("cannot make the directory \(path): \(Self.reason)") }
        let content = try names(hidden: true)
        guard content.isEmpty || content.contains(Self.mark) else {
            throw SimulatorError("\(path) holds other files; give the simulators a directory of their own")
        }
        // The umask must not decide who can read keys.
        guard chmod(path, 0o700) == 0 else { throw SimulatorError("cannot close \(path) to others: \(Self.reason)") }
        if content.isEmpty { try write(Self.mark, Array("keys of simulated services; not secret\n".utf8)) }
    }

    /// A directory inside this one.
    func directory(_ name: String) throws(SimulatorError) -> StateDirectory { try StateDirectory("\(path)/\(name)") }

    /// Content of a file; `nil` where there is none.
    func read(_ name: String) throws(SimulatorError) -> [UInt8]? { try Self.content(of: "\(path)/\(name)") }

    /// Content of a file; `nil` where there is none.
    static func content(of file: String) throws(SimulatorError) -> [UInt8]? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SimulatorError("cannot open \(file): \(reason)")
        }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SimulatorError("cannot read \(file): \(reason)") }
            if count == 0 { return content }
            guard content.count + count <= maximumFileBytes else { throw SimulatorError("\(file) is too long") }
            content.append(contentsOf: chunk[..<count])
        }
    }

    /// Replaces a file.
    func write(_ name: String, _ bytes: UnsafeRawBufferPointer) throws(SimulatorError) {
        try Self.replace("\(path)/\(name)", with: bytes, mode: 0o600)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws(SimulatorError) {
        try bytes.withUnsafeBufferPointer { buffer throws(SimulatorError) in try write(name, UnsafeRawBufferPointer(buffer)) }
    }

    /// Removes a file; nothing happens where there is none.
    func remove(_ name: String) throws(SimulatorError) {
        guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
            throw SimulatorError("cannot remove \(path)/\(name): \(Self.reason)")
        }
    }

    /// Names in the directory, sorted; without hidden ones unless asked for.
    func names(hidden: Bool = false) throws(SimulatorError) -> [String] {
        guard let directory = opendir(path) else { throw SimulatorError("cannot list \(path): \(Self.reason)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { field in String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != "..", hidden || !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Writes a file beside its final place and renames it, so that a reader sees the old content or the new one.
    static func replace(_ file: String, with bytes: UnsafeRawBufferPointer, mode: mode_t) throws(SimulatorError) {
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") + "/" : ""
        let temporary = "\(folder).\(parts.last ?? "").\(getpid()).\(UInt64.random(in: 0...UInt64.max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw SimulatorError("cannot write \(file): \(reason)") }
        var isOpen = true
        do throws(SimulatorError) {
            // The umask must not decide who can read a key or a certificate.
            guard fchmod(descriptor, mode) == 0 else { throw SimulatorError("cannot write \(file): \(reason)") }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw SimulatorError("cannot write \(file): \(reason)") }
                rest = rest.dropFirst(count)
            }
            guard fsync(descriptor) == 0 else { throw SimulatorError("cannot write \(file): \(reason)") }
            isOpen = false
            guard close(descriptor) == 0 else { throw SimulatorError("cannot write \(file): \(reason)") }
            guard rename(temporary, file) == 0 else { throw SimulatorError("cannot write \(file): \(reason)") }
        } catch {
            if isOpen { close(descriptor) }
            unlink(temporary)
            throw error
        }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
