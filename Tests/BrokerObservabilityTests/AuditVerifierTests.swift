import BrokerCore
import Testing

@testable import BrokerObservability

/// What a changed audit looks like.
@Suite("Audit verification") struct AuditVerifierTests {
    private typealias Kind = AuditVerifier.Finding.Kind

    /// A file as the program writes it: one line that opens it and `count` releases.
    static func file(lines count: Int = 7) -> (lines: [[UInt8]], head: [UInt8]) {
        var position = AuditPosition.start
        var lines: [[UInt8]] = []
        for number in 0...count {
            var record = RequestRecord(requestID: "r\(number)", caller: Caller(.unix))
            record.key = KeyName("key-\(number)")
            let entry = number == 0 ? AuditEntry.opened(torn: []) : AuditEntry(record)
            let line = AuditLine(entry, after: position, time: "2026-11-30T12:00:0\(number % 10).000Z")
            lines.append(line.bytes)
            position = line.position
        }
        return (lines, (try? AuditHead(position, key: nil).bytes) ?? [])
    }

    private static func bytes(_ lines: [[UInt8]]) -> [UInt8] { lines.flatMap { $0 + [UInt8(ascii: "\n")] } }

    private static func verify(_ bytes: [UInt8], head: [UInt8]?) -> AuditVerifier {
        var verifier = AuditVerifier()
        verifier.read(bytes, file: "audit")
        verifier.finish(head: head, key: nil)
        return verifier
    }

    private static func kinds(_ lines: [[UInt8]], head: [UInt8]?) -> [Kind] { verify(bytes(lines), head: head).findings.map(\.kind) }

    @Test("what was written is accepted") func sound() {
        let (lines, head) = Self.file()
        let verifier = Self.verify(Self.bytes(lines), head: head)
        #expect(verifier.findings.isEmpty && verifier.notes.isEmpty)
        #expect(verifier.summary == .init(lines: 8, first: 1, last: 8))
    }

    @Test("each kind of change is called by its name, with its line") func names() throws {
        let (lines, head) = Self.file()
        var changed = lines
        changed[3][40] ^= 1
        let altered = Self.verify(Self.bytes(changed), head: head)
        #expect(altered.findings.map(\.kind) == [.changed])
        #expect(altered.findings.first?.line == 4 && altered.findings.first?.sequence == 4)

        var removed = lines
        removed.remove(at: 3)
        let shortened = Self.verify(Self.bytes(removed), head: head)
        #expect(shortened.findings.map(\.kind) == [.removed] && shortened.findings.first?.sequence == 4)

        var swapped = lines
        swapped.swapAt(2, 3)
        let reordered = Self.verify(Self.bytes(swapped), head: head)
        #expect(reordered.findings.map(\.kind) == [.reordered] && reordered.findings.first?.sequence == 3)

        var doubled = lines
        doubled.insert(lines[5], at: 6)
        let again = Self.verify(Self.bytes(doubled), head: head)
        #expect(again.findings.map(\.kind) == [.duplicated] && again.findings.first?.line == 7)

        let truncated = Self.verify(Self.bytes(Array(lines.dropLast(2))), head: head)
        #expect(truncated.findings.map(\.kind) == [.truncated] && truncated.findings.first?.sequence == 7)
        #expect(Self.kinds(Array(lines.dropFirst()), head: head) == [.removed])
        #expect(Self.verify([], head: head).findings.map(\.kind) == [.truncated])
    }

    @Test("a wide gap is one finding, and a number beyond any chain is no line") func numbers() {
        func line(_ sequence: Int64) -> [UInt8] {
            AuditLine(.opened(torn: []), after: AuditPosition(sequence: sequence - 1, hash: AuditLine.origin), time: "t").bytes
        }
        let gap = Self.verify(Self.bytes([line(1), line(1 << 50), line(1 << 51)]), head: nil)
        #expect(gap.findings.map(\.kind) == [.removed, .removed])
        #expect(gap.findings.first?.text == "lines 2 to 1125899906842623 are not there")
        // A line that comes too late fills its place in the gap.
        let late = Self.verify(Self.bytes([line(1), line(9), line(5), line(2), line(8)]), head: nil)
        #expect(late.findings.map(\.kind) == [.reordered, .reordered, .reordered, .removed, .removed])
        #expect(late.findings.suffix(2).map(\.text) == ["lines 3 to 4 are not there", "lines 6 to 7 are not there"])
        for sequence in [AuditLine.lastSequence + 1, .max] {
            #expect(AuditLine(line(sequence)) == nil)
            let found = Self.verify(Self.bytes([line(1), line(sequence), Array("rubbish".utf8), line(sequence)]), head: nil)
            #expect(Set(found.findings.map(\.kind)) == [.changed])
        }
        let last = Self.verify(Self.bytes([line(AuditLine.lastSequence), Array("rubbish".utf8), line(2)]), head: nil)
        #expect(last.findings.contains { $0.kind == .changed })
    }

    @Test("a line whose hash was made anew is found by the next one") func replaced() {
        let (lines, head) = Self.file()
        let before = AuditLine(lines[2])?.position ?? .start
        var record = RequestRecord(requestID: "forged", caller: Caller(.unix))
        record.key = KeyName("other")
        var forged = lines
        forged[3] = AuditLine(AuditEntry(record), after: before, time: "2026-11-30T12:00:03.000Z").bytes
        #expect(Self.kinds(forged, head: head) == [.changed])
        // The last one by the head.
        var last = lines
        last[7] = AuditLine(AuditEntry(record), after: AuditLine(lines[6])?.position ?? .start, time: "2026").bytes
        #expect(Self.kinds(last, head: head) == [.head])
    }

    @Test("a torn last line is named and accepted, unless somebody was told of it") func torn() {
        let (lines, head) = Self.file()
        let whole = Self.bytes(lines)
        let unfinished = Array(#"{"audit":1,"seq":9,"ti"#.utf8)
        let accepted = Self.verify(whole + unfinished, head: head)
        #expect(accepted.findings.isEmpty && accepted.notes.count == 1 && accepted.notes[0].contains("torn"))
        #expect(Self.verify(Array(whole.dropLast(5)), head: head).findings.map(\.kind) == [.truncated])
        // A later run ends it and says so.
        let opened = AuditLine(.opened(torn: unfinished), after: AuditLine(lines[7])?.position ?? .start, time: "2026")
        let continued = whole + unfinished + Self.bytes([[], opened.bytes])
        let vouched = Self.verify(continued, head: head)
        #expect(vouched.findings.isEmpty && vouched.notes.count == 1)
    }

    @Test("every single-line change in ten thousand is caught") func property() throws {
        let (lines, head) = Self.file()
        var generator = SplitMix(seed: 18)
        for round in 0..<10_000 {
            var changed = lines
            let index = Int.random(in: lines.indices, using: &generator)
            var bytes: [UInt8]?
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: changed.remove(at: index)
            case 1:
                changed[index][Int.random(in: lines[index].indices, using: &generator)] ^= UInt8(
                    1 << Int.random(in: 0..<8, using: &generator))
            case 2: changed.swapAt(index, (index + Int.random(in: 1..<lines.count, using: &generator)) % lines.count)
            case 3: changed.insert(lines[index], at: Int.random(in: 0...lines.count, using: &generator))
            case 4: bytes = Array(Self.bytes(lines).dropLast(Int.random(in: 1...Self.bytes(lines).count, using: &generator)))
            case 5:
                changed[index].insert(
                    UInt8.random(in: 0...255, using: &generator), at: Int.random(in: lines[index].indices, using: &generator))
            default: changed[index].remove(at: Int.random(in: lines[index].indices, using: &generator))
            }
            let verifier = Self.verify(bytes ?? Self.bytes(changed), head: head)
            #expect(!verifier.findings.isEmpty, "round \(round)")
            if verifier.findings.isEmpty { break }
        }
    }
}

/// Random numbers that are the same in every run (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
