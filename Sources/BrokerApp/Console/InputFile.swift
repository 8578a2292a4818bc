internal import BrokerCore
internal import Glibc
internal import InputReading
internal import SecureMemory

/// Files that commands read: bounded, with `-` for standard input.
enum InputFile {
    /// The bytes of the file, at most 16 MiB.
    static func bytes(_ path: String, limit: Int = 16 << 20) throws -> [UInt8] {
        do { return try BoundedFile.read(path == "-" ? "/dev/stdin" : path, limit: limit, allowsPipes: true) } catch {
            throw CommandFailure(.impossible, "cannot read \(error.description)")
        }
    }

    /// The same for key material, which is in no other memory than the result's.
    static func secret(_ path: String, limit: Int) throws -> SecretBytes {
        do { return try BoundedFile.readSecret(path == "-" ? "/dev/stdin" : path, limit: limit, allowsPipes: true) } catch {
            throw CommandFailure(.impossible, "cannot read \(error.description)")
        }
    }

    // MARK: Kinds of input

    /// What the file, or the files of the directory, hold of that kind; never empty.
    static func read<Value>(_ path: String, as kind: InputKind<Value>, limit: Int = 16 << 20) throws -> [Value] {
        do { return try attempt(path, as: kind, limit: limit) } catch let refusal as InputRefusal { throw failure(path, refusal) }
    }

    /// The same for what there is one of.
    static func readOne<Value>(_ path: String, as kind: InputKind<Value>, limit: Int = 16 << 20) throws -> Value {
        let values = try read(path, as: kind, limit: limit)
        guard values.allSatisfy({ $0 == values[0] }) else {
            throw CommandFailure(
                .impossible, "\(name(path)): holds more than one: \(values.count)", nextStep: "give the one that is meant alone")
        }
        return values[0]
    }

    /// The same as `read`, with the refusal as it is.
    static func attempt<Value>(_ path: String, as kind: InputKind<Value>, limit: Int = 16 << 20) throws -> [Value] {
        guard path != "-", let names = names(in: path) else { return try kind.read(bytes(path, limit: limit)) }
        var found: [Value] = []
        var sources: [String] = []
        for name in names {
            // Other files lie beside them.
            guard let content = try? BoundedFile.read("\(path)/\(name)", limit: limit), let values = try? kind.read(content) else {
                continue
            }
            guard kind.joins || found.isEmpty || found == values else {
                throw CommandFailure(
                    .impossible, "\(path): \(sources.joined(separator: ", ")) and \(name) differ, and each is \(kind.name)",
                    nextStep: "give the file that is meant")
            }
            found = kind.joins ? found + values : values
            sources.append(name)
        }
        guard !found.isEmpty else {
            throw CommandFailure(.impossible, "\(path): no file in this directory is \(kind.name)", nextStep: kind.advice)
        }
        return found
    }

    static func failure(_ path: String, _ refusal: InputRefusal) -> CommandFailure {
        CommandFailure(.impossible, "\(name(path)): \(refusal.description)", nextStep: refusal.advice)
    }

    static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

    private static let maximumFiles = 64

    /// The names of a directory's first files in their order, `nil` where it is none.
    private static func names(in path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return Array(names.sorted().prefix(maximumFiles))
    }
}
