/// A reader of untrusted input with what must hold for every input, whether or not it is taken.
package struct FuzzTarget: Sendable {
    /// Lower-case words with hyphens: the name of the folder of its corpus.
    package let name: String
    /// Longest input that the fuzzer makes.
    package let maximumBytes: Int
    /// Inputs that are taken, made by this process: where they are signed, with keys of its own.
    package let seeds: @Sendable () throws -> [[UInt8]]
    /// Throws where something does not hold; otherwise says whether the input was taken.
    package let run: @Sendable ([UInt8]) throws -> Bool

    init(
        _ name: String, maximumBytes: Int = 4096, seeds: @escaping @Sendable () throws -> [[UInt8]],
        run: @escaping @Sendable ([UInt8]) throws -> Bool
    ) {
        self.name = name
        self.maximumBytes = maximumBytes
        self.seeds = seeds
        self.run = run
    }
}

/// What did not hold.
package struct BrokenProperty: Error, CustomStringConvertible { package let description: String }

func require(_ condition: Bool, _ words: @autoclosure () -> String) throws {
    if !condition { throw BrokenProperty(description: words()) }
}

/// What a reader gave; in a build with `-D PLANTED_FAULT` what a wrong one would have given. `selftest.sh` shows that it is noticed.
@inline(__always) func planted<Value>(_ sound: Value, instead fault: @autoclosure () throws -> Value) rethrows -> Value {
    #if PLANTED_FAULT
        return try fault()
    #else
        return sound
    #endif
}

extension [UInt8] {
    /// The parts of an input that holds several: U+001E is in no JSON and in no line of text.
    var records: [[UInt8]] { split(separator: 0x1E, omittingEmptySubsequences: false).map(Array.init) }

    var text: String { String(decoding: self, as: UTF8.self) }

    static func records(_ texts: String...) -> [UInt8] { Array(texts.joined(separator: "\u{1E}").utf8) }
}

extension String {
    /// Nothing that could break a line or hide in it.
    var isOneLine: Bool { unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F).contains($0.value) } }
}
