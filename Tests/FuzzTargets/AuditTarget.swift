internal import BrokerObservability
internal import OpenSSLCrypto

extension FuzzTarget {
    /// Audit files, made line by line with the right hashes, and raw bytes between: whatever is changed is found.
    static let audit = FuzzTarget("audit", maximumBytes: 2048, seeds: AuditTarget.seeds, run: AuditTarget.run)
}

/// An input is a list of steps, one a line: `+` writes the next line, `=N` one with the number N, `.` the line before again, `-` leaves a
/// number out, `h` ends with a head, anything else is a line as it is.
private enum AuditTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        ["+\n+\n+\nh", "+", "+\n+\n.\n+", "+\n-\n+\nh", "+\n=900\n+", "+\nrubbish\n+", "=9223372036854775806\n+\n+", "+\n+\nh\n+"].map {
            Array($0.utf8)
        }
    }

    private struct File {
        var bytes: [UInt8] = []
        var last: [UInt8] = []
        var sequence: Int64 = 0
        var hash = String(repeating: "0", count: 64)
        var head: [UInt8]?
        /// Whether every line is the next one, and the head that of the last one.
        var isSound = true

        mutating func append(_ number: Int64) {
            let event = bytes.isEmpty ? "opened" : "release"
            let body = Array("{\"audit\":1,\"seq\":\(number),\"time\":\"t\",\"event\":\"\(event)\",\"prev\":\"\(hash)\"".utf8)
            hash = Hex.encode(DigestAlgorithm.sha256.digest(body))
            last = body + ",\"hash\":\"\(hash)\"}\n".utf8
            bytes += last
            sequence = number
            if head != nil || number > AuditLine.lastSequence { isSound = false }
        }

        mutating func step(_ line: ArraySlice<UInt8>) {
            switch line.first {
            case 0x2B where line.count == 1:
                let (next, isOver) = sequence.addingReportingOverflow(1)
                if isOver { isSound = false } else { append(next) }
            case 0x3D:
                guard let number = Int64(String(decoding: line.dropFirst(), as: UTF8.self)), number > 0 else { return raw(line) }
                if number != sequence &+ 1 { isSound = false }
                append(number)
            case 0x2E where line.count == 1:
                if !last.isEmpty { isSound = false }
                bytes += last
            case 0x2D where line.count == 1:
                isSound = false
                if sequence < .max { sequence += 1 }
            case 0x68 where line.count == 1: head = Array("{\"seq\":\(sequence),\"hash\":\"\(hash)\"}\n".utf8)
            default: raw(line)
            }
        }

        private mutating func raw(_ line: ArraySlice<UInt8>) {
            isSound = false
            bytes += line + [0x0A]
        }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        var file = File()
        for line in input.split(separator: 0x0A).prefix(64) { file.step(line) }
        var verifier = AuditVerifier()
        verifier.read(file.bytes, file: "audit")
        verifier.finish(head: file.head, key: nil)
        let findings = planted(verifier.findings, instead: verifier.findings.filter { $0.kind != .duplicated })
        try require(findings.allSatisfy { $0.text.isOneLine && $0.text.utf8.count < 1000 }, "a finding breaks its line")
        if file.isSound { try require(findings.isEmpty, "a sound file has \(findings)") }
        // A file may begin in the middle of a chain, and end anywhere where there is no head.
        if !file.isSound, file.head != nil, findings.isEmpty { try require(isPlausible(file), "a changed file has no findings") }
        // The same file as raw bytes.
        var raw = AuditVerifier()
        raw.read(input, file: "raw")
        raw.finish(head: input, key: nil)
        if let line = AuditLine(input) { try require(line.bytes == input, "a line is other bytes than were given") }
        return !file.bytes.isEmpty
    }

    /// Nothing is wrong with a file that begins later, or whose lines go on behind the head.
    private static func isPlausible(_ file: File) -> Bool {
        var numbers: [Int64] = []
        for line in file.bytes.split(separator: 0x0A) {
            guard let line = AuditLine(Array(line)) else { return false }
            numbers.append(line.sequence)
        }
        return zip(numbers, numbers.dropFirst()).allSatisfy { $0 &+ 1 == $1 }
    }
}
