import Glibc
import StrictJSON

/// The package manifest as `swift package dump-package` prints it, reduced to what the rules look at.
struct Manifest {
    struct Target {
        let name: String
        /// `regular`, `executable`, `test`, `system`, …
        let type: String
        /// Relative to the package root.
        let path: String
        /// Names of targets of this package.
        let targets: Set<String>
        let products: [Product]

        var isTest: Bool { type == "test" || path.hasPrefix("Tests/") }
        var isExecutable: Bool { type == "executable" }
        var isProvider: Bool { path.hasPrefix("Plugins/") }
    }

    struct Product: Hashable {
        let name: String
        /// Identity of the package it comes from: `swift-nio`.
        let package: String
    }

    let targets: [Target]

    subscript(name: String) -> Target? { targets.first { $0.name == name } }

    /// Everything that a target reaches, itself not counted.
    func closure(of target: Target) -> Set<String> {
        var reached: Set<String> = []
        var open = Array(target.targets)
        while let name = open.popLast() { if reached.insert(name).inserted { open += self[name]?.targets ?? [] } }
        return reached
    }

    init(targets: [Target]) { self.targets = targets }

    init(parsing bytes: [UInt8]) throws {
        let root = try JSONCursor.parse(bytes)
        let entries = try root.member("targets").array()
        let own = Set(try entries.map { try $0.string("name") })
        targets = try entries.map { entry in
            let name = try entry.string("name")
            let type = try entry.string("type")
            var targets: Set<String> = []
            var products: [Product] = []
            for dependency in try entry.member("dependencies").array() {
                guard let (kind, value) = try dependency.members().first else { continue }
                let parts = try value.array()
                let dependencyName = try parts[0].string()
                switch kind {
                case "product": products.append(Product(name: dependencyName, package: try parts[1].string()))
                case "byName" where !own.contains(dependencyName): products.append(Product(name: dependencyName, package: dependencyName))
                default: targets.insert(dependencyName)
                }
            }
            let folder = type == "test" ? "Tests" : "Sources"
            return Target(
                name: name, type: type, path: try entry.optionalString("path") ?? "\(folder)/\(name)", targets: targets, products: products)
        }
    }

    /// Reads the manifest of the package that these tests belong to.
    static func load() throws -> Manifest {
        // A scratch directory of its own: that of the running `swift test` is locked for as long as the tests run.
        var template = Array("/tmp/broker-manifest-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory") }
        let scratch = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = try? Command.output(["rm", "-rf", scratch]) }
        return try Manifest(
            parsing: Command.output(["swift", "package", "dump-package", "--package-path", PackageRoot.path, "--scratch-path", scratch]))
    }
}

struct Failure: Error, CustomStringConvertible { let description: String }

/// Where the package is.
enum PackageRoot {
    /// Two directories above the one of this file, with symbolic links resolved.
    static let path: String = {
        let file = realpath(#filePath, nil)
        defer { free(file) }
        let parts = (file.map { String(cString: $0) } ?? #filePath).split(separator: "/")
        return "/" + parts.dropLast(3).joined(separator: "/")
    }()
}

/// Runs a program and returns what it wrote to standard output.
enum Command {
    static func output(_ arguments: [String]) throws -> [UInt8] {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        var words = arguments.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var process: pid_t = 0
        let status = posix_spawnp(&process, arguments[0], &actions, nil, &words, environ)
        close(ends[1])
        guard status == 0 else { throw Failure(description: "cannot start \(arguments[0])") }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(ends[0], &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output += chunk[..<count]
        }
        var result: Int32 = 0
        while waitpid(process, &result, 0) < 0, errno == EINTR {}
        guard result == 0 else { throw Failure(description: "\(arguments.joined(separator: " ")) failed") }
        return output
    }
}
