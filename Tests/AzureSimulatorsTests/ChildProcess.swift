import Glibc
import Waiting

/// A program that a test runs to its end.
enum ChildProcess {
    struct Outcome: Sendable {
        /// Exit status; -1 when it could not be started or was killed.
        let status: Int32
        /// Standard output and standard error.
        let output: String
    }

    /// Runs a program of the search path, on a thread of its own.
    static func run(_ arguments: [String]) async -> Outcome {
        await BackgroundThread.run { runBlocking(arguments) }
    }

    static func runBlocking(_ arguments: [String]) -> Outcome {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return Outcome(status: -1, output: "") }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var child = pid_t()
        var words = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        let status = posix_spawnp(&child, arguments[0], &actions, nil, words, environ)
        close(ends[1])
        guard status == 0 else { return Outcome(status: -1, output: String(cString: strerror(status))) }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(ends[0], &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output.append(contentsOf: chunk[..<count])
        }
        var result: Int32 = 0
        while waitpid(child, &result, 0) < 0, errno == EINTR {}
        return Outcome(status: result & 0x7F == 0 ? result >> 8 & 0xFF : -1, output: String(decoding: output, as: UTF8.self))
    }
}
