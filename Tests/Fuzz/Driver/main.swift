// `broker-fuzz TARGET [OPTION of libFuzzer | FOLDER]…` runs one target; `--list` names all with their longest input; `--seeds TARGET FOLDER`
// writes what the target starts with.
internal import CFuzzer
internal import FuzzTargets
internal import Glibc

func write(_ text: String) { text.utf8.withContiguousStorageIfAvailable { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) } }

func stop(_ text: String) -> Never {
    write(text + "\n")
    exit(2)
}

func writeSeeds(of target: FuzzTarget, to folder: String) throws {
    for (number, seed) in try target.seeds().enumerated() {
        guard let file = fopen("\(folder)/seed-\(number)", "w") else { stop("cannot write into \(folder)") }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
}

let words = CommandLine.arguments.dropFirst()
if words.first == "--list" {
    for target in FuzzTargets.all { print(target.name, target.maximumBytes) }
    exit(0)
}
if words.first == "--seeds", words.count == 3, let target = FuzzTargets.named(words[2]) {
    do { try writeSeeds(of: target, to: words[3]) } catch { stop("\(target.name) has no seeds: \(error)") }
    exit(0)
}
guard let name = words.first, let target = FuzzTargets.named(name) else {
    stop("broker-fuzz TARGET [OPTION | FOLDER]…; targets: " + FuzzTargets.all.map(\.name).joined(separator: ", "))
}
/// The one that runs: a C function carries no context.
nonisolated(unsafe) let run = target.run

var arguments: [UnsafeMutablePointer<CChar>?] = ([name] + words.dropFirst()).map { strdup($0) } + [nil]
var count = Int32(arguments.count - 1)
let status = arguments.withUnsafeMutableBufferPointer { buffer in
    var list = buffer.baseAddress
    return LLVMFuzzerRunDriver(&count, &list) { data, size in
        do { _ = try run(Array(UnsafeBufferPointer(start: data, count: size))) } catch {
            write("broken: \(error)\n")
            abort()
        }
        return 0
    }
}
exit(status)
