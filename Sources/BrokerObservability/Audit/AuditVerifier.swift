internal import OpenSSLCrypto

/// Finds out whether an audit is as it was written (Audit.md, "What is found").
package struct AuditVerifier: Sendable {
    package struct Finding: Sendable, Equatable {
        package enum Kind: String, Sendable, CaseIterable {
            /// A line is not as it was written.
            case changed
            /// Lines are not there.
            case removed
            /// Lines are gone from the end.
            case truncated
            /// A line stands behind one that came later.
            case reordered
            /// A line is there twice.
            case duplicated
            /// The head was not written by who has the key, or speaks of another line.
            case head
        }

        package let kind: Kind
        package let file: String
        /// From 1.
        package let line: Int?
        package let sequence: Int64?
        package let text: String
    }

    /// The same story in numbers.
    package struct Summary: Sendable, Equatable {
        package var lines = 0
        package var first: Int64?
        package var last: Int64?
    }

    package private(set) var findings: [Finding] = []
    /// What an auditor should know and nobody did wrong: an unfinished last line, a chain that begins in an earlier file.
    package private(set) var notes: [String] = []
    package private(set) var summary = Summary()

    private var file = ""
    private var number = 0
    private var expected: AuditPosition?
    /// The hash of the expected line's predecessor is not known: it was changed or is not there.
    private var isBlind = false
    /// A line that is none, until the one behind it says whether an earlier run left it so.
    private var unexplained: (number: Int, digest: String)?
    private var seen: [Int64: (hash: String, file: String, line: Int)] = [:]
    private var missing: [ClosedRange<Int64>] = []
    private var isTorn = false

    package init() {}

    /// One file after the other, as they were written.
    package mutating func read(_ bytes: [UInt8], file name: String) {
        explain(nil)
        (file, number, isTorn) = (name, 0, false)
        let newline = UInt8(ascii: "\n")
        var rest = bytes[...]
        while let end = rest.firstIndex(of: newline) {
            number += 1
            read(Array(rest[..<end]))
            rest = rest[(end + 1)...]
        }
        if number == 0, rest.isEmpty { notes.append("\(name) is empty") }
        guard !rest.isEmpty else { return }
        isTorn = true
        notes.append("\(name):\(number + 1): the last line is torn after \(rest.count) bytes; nothing was handed out for it")
    }

    private mutating func read(_ bytes: [UInt8]) {
        guard let line = AuditLine(bytes) else {
            explain(nil)
            if number == 1 { mustBegin(nil) }
            unexplained = (number, Hex.encode(DigestAlgorithm.sha256.digest(bytes)))
            return
        }
        explain(line)
        if number == 1 { mustBegin(line) }
        summary.lines += 1
        if summary.first == nil { summary.first = line.sequence }
        if let earlier = seen[line.sequence] {
            let place = "\(earlier.file):\(earlier.line)"
            if earlier.hash == line.hash {
                add(.duplicated, line.sequence, "is the line of \(place) again")
            } else {
                add(.changed, line.sequence, "has the number of \(place), which says something else")
            }
            return
        }
        seen[line.sequence] = (line.hash, file, number)
        guard let expected else {
            if line.sequence > 1 { notes.append("\(file) begins with line \(line.sequence) of its chain; the ones before are not here") }
            if line.sequence == 1, line.previous != AuditLine.origin { add(.changed, 1, "does not begin a chain") }
            return go(on: line)
        }
        if line.sequence <= expected.sequence {
            if takeMissing(line.sequence) {
                add(.reordered, line.sequence, "stands behind line \(expected.sequence), which came later")
            } else {
                add(.changed, line.sequence, "has a number that was used before")
            }
            return
        }
        if line.sequence > expected.sequence + 1 {
            missing.append(expected.sequence + 1...line.sequence - 1)
        } else if !isBlind, line.previous != expected.hash {
            add(.changed, line.sequence, "does not follow on the line before it: one of the two was replaced")
        }
        go(on: line)
    }

    private mutating func go(on line: AuditLine) {
        expected = line.position
        isBlind = false
        summary.last = line.sequence
    }

    /// Every file begins with the line that says that it was opened.
    private mutating func mustBegin(_ line: AuditLine?) {
        if line?.event != "opened" { add(.removed, line?.sequence, "is the first line of the file, and not the one that opens it") }
    }

    /// A line that is none was changed, unless the next one says that it was found unfinished.
    private mutating func explain(_ next: AuditLine?) {
        guard let (number, digest) = unexplained else { return }
        unexplained = nil
        if let next, next.event == "opened", next.text("torn") == digest {
            notes.append("\(file):\(number): an earlier run left this line unfinished; nothing was handed out for it")
            return
        }
        let sequence = expected.map { $0.sequence + 1 }
        findings.append(
            Finding(kind: .changed, file: file, line: number, sequence: sequence, text: "is not as it was written"))
        guard let sequence, next.map({ $0.sequence > sequence }) ?? true else { return }
        expected = AuditPosition(sequence: sequence, hash: "")
        isBlind = true
    }

    /// The end. `head` is the content of the head file; `nil` where there is none.
    package mutating func finish(head bytes: [UInt8]?, key: AuditKey?) {
        explain(nil)
        number += isTorn ? 1 : 0
        for range in missing {
            findings.append(
                Finding(
                    kind: .removed, file: file, line: nil, sequence: range.lowerBound,
                    text: range.count == 1
                        ? "line \(range.lowerBound) is not there" : "lines \(range.lowerBound) to \(range.upperBound) are not there"))
        }
        guard let bytes else {
            if key != nil {
                addHead("is not there: lines that are gone from the end cannot be noticed")
            } else {
                notes.append("there is no head file: lines that are gone from the end cannot be noticed")
            }
            return
        }
        guard let head = AuditHead(bytes) else { return addHead("cannot be read") }
        if let key, (try? key.mac(of: head.position)) != head.mac { return addHead("was not written by who has this key") }
        let last = summary.last ?? 0
        if head.position.sequence > last {
            let count = head.position.sequence - last
            let what = count == 1 ? "line \(head.position.sequence) is" : "lines \(last + 1) to \(head.position.sequence) are"
            let text = "\(what) gone from the end"
            findings.append(Finding(kind: .truncated, file: file, line: nil, sequence: last + 1, text: text))
        } else if let own = seen[head.position.sequence], own.hash != head.position.hash {
            addHead("speaks of another line \(head.position.sequence) than \(own.file):\(own.line)")
        }
    }

    private mutating func addHead(_ text: String) {
        findings.append(Finding(kind: .head, file: file, line: nil, sequence: nil, text: "the head \(text)"))
    }

    private mutating func add(_ kind: Finding.Kind, _ sequence: Int64?, _ text: String) {
        findings.append(Finding(kind: kind, file: file, line: number, sequence: sequence, text: text))
    }

    /// Takes a number out of the missing ones; `false` where it was not missing.
    private mutating func takeMissing(_ sequence: Int64) -> Bool {
        // Ranges are ascending, because a line that goes on has a higher number than any before it.
        var (low, high) = (0, missing.count)
        while low < high {
            let middle = (low + high) / 2
            if missing[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        guard low < missing.count, missing[low].contains(sequence) else { return false }
        let range = missing[low]
        let before = range.lowerBound < sequence ? [range.lowerBound...sequence - 1] : []
        let behind = sequence < range.upperBound ? [sequence + 1...range.upperBound] : []
        missing.replaceSubrange(low...low, with: before + behind)
        return true
    }
}
