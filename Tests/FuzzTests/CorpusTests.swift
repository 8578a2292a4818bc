import FuzzTargets
import Testing

/// Every target with what it starts with, what was found, and the same changes of both on every machine.
@Suite("Fuzz targets")
struct CorpusTests {
    @Test("each target has a name of its own, bounds and seeds, and takes its seeds", arguments: FuzzTargets.all.map(\.name))
    func seeds(name: String) throws {
        let target = try #require(FuzzTargets.named(name))
        #expect(FuzzTargets.all.count { $0.name == name } == 1)
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        for (number, seed) in seeds.enumerated() {
            #expect(seed.count <= target.maximumBytes, "seed \(number) is longer than the target's inputs")
            #expect(try target.run(seed), "seed \(number) is not taken")
        }
    }

    @Test("what fuzzing found, and everything that ever broke a target, holds", arguments: FuzzTargets.all.map(\.name))
    func corpus(name: String) throws {
        let target = try #require(FuzzTargets.named(name))
        for (file, bytes) in CorpusFolder.files(of: name) {
            #expect(throws: Never.self, "\(name)/\(file)") { _ = try target.run(bytes) }
        }
    }

    @Test("a thousand changes of each target's inputs hold", arguments: FuzzTargets.all.map(\.name))
    func mutations(name: String) throws {
        let target = try #require(FuzzTargets.named(name))
        let inputs = try target.seeds() + CorpusFolder.files(of: name).map(\.bytes)
        var mutations = Mutations(of: inputs, name: name, maximumBytes: target.maximumBytes)
        for number in 0..<1000 {
            let input = mutations.next()
            do { _ = try target.run(input) } catch {
                Issue.record("change \(number): \(error); input \(input)")
                return
            }
        }
    }

    @Test("each folder of the corpus belongs to a target, and all of them are small")
    func folders() {
        let names = CorpusFolder.names(in: CorpusFolder.root)
        #expect(Set(names).subtracting(FuzzTargets.all.map(\.name)) == [])
        let sizes = names.map { name in CorpusFolder.files(of: name).reduce(0) { $0 + $1.bytes.count } }
        #expect(sizes.reduce(0, +) < 1 << 20)
    }
}
