internal import PlainText

/// A kind of input that commands read, in whatever form people have it.
///
/// An input is looked at through decoders put one behind the other (`InputViews`), and every view through which it is of this kind counts.
/// One reading is the answer; none, or two that differ, is a refusal: nothing is read on a guess.
package struct InputKind<Value: Equatable & Sendable>: Sendable {
    /// With an article: "an attestation report".
    package let name: String
    /// What to give instead of something else.
    package let advice: String
    /// Members of a service's JSON that hold it, in small letters.
    let members: Set<String>
    /// Whether what the members hold belongs together, as the certificates of a chain do.
    package var joins = false
    /// What the view holds: empty where it is of another kind. Throws where it is of this kind and broken, or clearly the wrong thing.
    let find: @Sendable (InputView) throws(InputRefusal) -> [Value]

    /// Reads the input. The result is never empty.
    package func read(_ input: [UInt8]) throws(InputRefusal) -> [Value] {
        guard !input.consists(of: .whiteSpace) else { throw InputRefusal("empty", advice: advice) }
        var complaint: InputRefusal?
        var different: [Reading] = []
        for reading in readings(of: input, layers: [], nesting: 0, &complaint)
        where !different.contains(where: { $0.values == reading.values }) {
            different.append(reading)
        }
        guard let first = different.first else {
            throw complaint ?? InputRefusal("looks like \(Lookalike.name(of: input)), not \(name)", advice: advice)
        }
        guard different.count == 1 else {
            let ways = different.map { $0.layers.isEmpty ? "as it is" : "as \($0.layers.joined(separator: " in "))" }
            throw InputRefusal(
                "can be read in more than one way: \(ways.joined(separator: ", "))", advice: "give the one that is meant alone")
        }
        return first.values
    }

    private typealias Reading = (layers: [String], values: [Value])

    /// All readings. What is said against a view counts only where no other can be read.
    private func readings(of input: [UInt8], layers: [String], nesting: Int, _ complaint: inout InputRefusal?) -> [Reading] {
        var found: [Reading] = []
        for view in InputViews.of(input, layers: layers) {
            do throws(InputRefusal) {
                let values = try find(view)
                if !values.isEmpty {
                    found.append((view.layers, values))
                    continue
                }
            } catch { complaint = complaint ?? error }
            guard nesting < 2 else { continue }
            var joined: [Value] = []
            for (member, text) in JSONMembers.texts(in: view.bytes, named: members) {
                let inner = readings(of: text, layers: view.layers + ["member '\(member)'"], nesting: nesting + 1, &complaint)
                if joins { joined += inner.flatMap(\.values) } else { found += inner }
            }
            if !joined.isEmpty { found.append((view.layers + ["JSON"], joined)) }
        }
        return found
    }
}

extension InputKind {
    /// The one value of an input that can hold several.
    package func readOne(_ input: [UInt8]) throws(InputRefusal) -> Value {
        let values = try read(input)
        guard values.allSatisfy({ $0 == values[0] }) else {
            throw InputRefusal("holds \(values.count) different ones", advice: "give the one that is meant alone")
        }
        return values[0]
    }
}

/// Why an input is not read. Never quotes it.
package struct InputRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The end of a sentence that starts with the name of the input.
    package let description: String
    /// What to give instead.
    package let advice: String
    /// Whether the input is of the kind that was asked for, and broken.
    package let isBroken: Bool

    init(_ description: String, advice: String, isBroken: Bool = false) {
        self.description = description
        self.advice = advice
        self.isBroken = isBroken
    }
}
