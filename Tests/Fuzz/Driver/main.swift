// `broker-fuzz TARGET SEEDS [OPTION | FOLDER]…` gives everything behind SEEDS to libFuzzer. SEEDS is a folder for the inputs that this
// process starts with, because what is signed counts in this process only; `-` for none. `broker-fuzz --list` names all targets with their
// longest input.
internal import CFuzzer
internal import FuzzTargets
internal import Glibc

func stop(_ text: String) -> Never {
    note(text)
    exit(2)
}

func note(_ text: String) {
    let bytes = Array("\(text)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

func writeSeeds(of target: FuzzTarget, to folder: String) throws {
    for (number, seed) in try target.seeds().enumerated() {
        guard let file = fopen("\(folder)/seed-\(number)", "w") else { stop("cannot write into \(folder)") }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
}

let words = Array(CommandLine.arguments.dropFirst())
if words.first == "--list" {
    for target in FuzzTargets.all { print(target.name, target.maximumBytes) }
    exit(0)
}
/// libFuzzer starts this program again, with options of its own alone, to merge and to make an input small.
let inherited = getenv("BROKER_FUZZ_TARGET").map { String(cString: $0) }
guard let target = (inherited ?? words.first).flatMap(FuzzTargets.named), inherited != nil || words.count >= 2 else {
    stop("broker-fuzz TARGET SEEDS [OPTION | FOLDER]…; targets: " + FuzzTargets.all.map(\.name).joined(separator: ", "))
}
var list = CommandLine.arguments
if inherited == nil {
    setenv("BROKER_FUZZ_TARGET", target.name, 1)
    list = [list[0]] + words.dropFirst(2)
    if words[1] != "-" {
        do { try writeSeeds(of: target, to: words[1]) } catch { stop("\(target.name) has no seeds: \(error)") }
        list.append(words[1])
    }
}
/// The one that runs: a C function carries no context.
let run = target.run

var arguments: [UnsafeMutablePointer<CChar>?] = list.map { strdup($0) } + [nil]
var count = Int32(list.count)
let status = arguments.withUnsafeMutableBufferPointer { buffer in
    var pointer = buffer.baseAddress
    return LLVMFuzzerRunDriver(&count, &pointer) { data, size in
        do { _ = try run(Array(UnsafeBufferPointer(start: data, count: size))) } catch {
            note("broken: \(error)")
            abort()
        }
        return 0
    }
}
exit(status)
