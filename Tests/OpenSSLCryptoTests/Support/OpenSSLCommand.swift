import Glibc
import Synchronization

/// The `openssl` command line as an independent peer, in a directory of its own that goes away with it.
final class OpenSSLCommand: Sendable {
    let directory: String

    /// Whether the command is installed; for `.enabled(if:)`.
    static let isAvailable: Bool = {
        guard let command = try? OpenSSLCommand() else { return false }
        return (try? command.run(["version"])) != nil
    }()

    struct Failure: Error {
        var status: Int32;
        var output: String
    }

    init() throws {
        var template = Array("/tmp/openssl-crypto-tests-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failure(status: errno, output: "mkdtemp") }
        directory = String(cString: made)
    }

    deinit {
        for name in names { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    /// The path of a file of the directory, written first.
    func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let path = "\(directory)/\(name)"
        guard let stream = fopen(path, "w") else { throw Failure(status: errno, output: path) }
        let content = Array(bytes)
        let written = fwrite(content, 1, content.count, stream)
        guard fclose(stream) == 0, written == content.count else { throw Failure(status: errno, output: path) }
        return path
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    func read(_ name: String) throws -> [UInt8] {
        guard let stream = fopen(path(name), "r") else { throw Failure(status: errno, output: name) }
        defer { fclose(stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            if count == 0 { return content }
            content.append(contentsOf: chunk[..<count])
        }
    }

    /// Runs the command to its end and returns what it printed; throws where it does not exit with 0.
    @discardableResult func run(_ arguments: [String]) throws -> String {
        let (status, output) = try attempt(arguments)
        guard status == 0 else { throw Failure(status: status, output: output) }
        return output
    }

    /// Runs the command to its end: its exit status and what it printed.
    func attempt(_ arguments: [String]) throws -> (status: Int32, output: String) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, path("output"), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words: [UnsafeMutablePointer<CChar>?] = (["openssl"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let problem = posix_spawnp(&process, "openssl", &actions, nil, &words, environ)
        guard problem == 0 else { throw Failure(status: problem, output: "posix_spawnp") }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 { guard errno == EINTR else { throw Failure(status: errno, output: "waitpid") } }
        let output = String(decoding: try read("output"), as: UTF8.self)
        return (status & 0x7F == 0 ? status >> 8 & 0xFF : -1, output)
    }

    private var names: [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = Glibc.readdir(handle) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
