import InputReading
import OpenSSLCrypto
import Testing

@Suite("Every kind of input in every encoding gives the same reading") struct EncodingTests {
    @Test("as it is", arguments: Subject.all) func plain(_ subject: Subject) throws {
        #expect(!subject.input.isEmpty)
        #expect(try subject.read(subject.input) == subject.wanted)
    }

    @Test("in one encoding", arguments: Subject.all) func one(_ subject: Subject) throws {
        for encoding in Encoding.all where !subject.excluded.contains(encoding.description) && (subject.isText || !encoding.isForText) {
            let reading = Result { try subject.read(encoding.encode(subject.input)) }
            #expect((try? reading.get()) == subject.wanted, "\(subject) in \(encoding): \(reading)")
        }
    }

    @Test("in two encodings, one in the other", arguments: Subject.all) func two(_ subject: Subject) throws {
        for inner in Encoding.all where !subject.excluded.contains(inner.description) && (subject.isText || !inner.isForText) {
            for outer in Encoding.all where !subject.excluded.contains(outer.description) {
                // What is inside of the base64 of a policy is hashed as it is.
                // Two ways of writing one text are not put into each other, and a request has base64 inside already.
                if inner.isForText && outer.isForText { continue }
                if subject.description.contains("request of"), !inner.isForText, !outer.isForText { continue }
                let isTwice = inner.description.contains("base64") && outer.description.contains("base64")
                if subject.description.contains("Rego"), isTwice || inner.isForText && !outer.isForText { continue }
                let reading = Result { try subject.read(outer.encode(inner.encode(subject.input))) }
                #expect((try? reading.get()) == subject.wanted, "\(subject) in \(inner) in \(outer): \(reading)")
            }
        }
    }

    @Test("PEM with written-out line ends, on one line, and quoted") func writtenOutLineEnds() throws {
        let wanted = Subject.chain.map(\.der)
        for end in [#"\n"#, #"\r\n"#, "\r\n", "\r", " ", "\n    "] {
            let text = Subject.pem.replacing("\n", with: end)
            for input in [text, "\"\(text)\"", Base64.encode(Array(text.utf8))] {
                #expect(try CertificateInput.kind.read(Array(input.utf8)) == wanted, "\(end)")
            }
        }
        let wrapped = Subject.policyBase64.prefix(40) + #"\n"# + Subject.policyBase64.dropFirst(40) + #"\n"#
        #expect(try SecurityPolicyInput.kind.readOne(Array(wrapped.utf8)).bytes == Array(Subject.rego.utf8))
    }

    @Test("layers, views and sizes are bounded") func bounds() throws {
        var input = Array(Subject.token.utf8)
        for _ in 0..<3 { input = Array(Base64.encode(input).utf8) }
        #expect(try TokenInput.kind.readOne(input) == Subject.token)
        #expect(throws: InputRefusal.self) { try TokenInput.kind.readOne(Array(Base64.encode(input).utf8)) }
        let nested = (0..<6).reduce(Subject.token) { text, _ in #"{"token":\#(text.hasPrefix("{") ? text : "\"\(text)\"")}"# }
        #expect(throws: InputRefusal.self) { try TokenInput.kind.readOne(Array(nested.utf8)) }
        let long = [UInt8](repeating: UInt8(ascii: "A"), count: SecurityPolicyInput.maximumBytes + 4)
        #expect(throws: InputRefusal.self) { try SecurityPolicyInput.read(long) }
        // Text that could be hexadecimal and base64 at every layer.
        #expect(throws: InputRefusal.self) { try ReportInput.kind.read([UInt8](repeating: UInt8(ascii: "4"), count: 1 << 20)) }
    }

    @Test("two readings that differ are refused, and both are named") func ambiguous() throws {
        let other = Subject.report.map { $0 ^ 0 }.dropLast() + [1]
        let document = #"{"report":"\#(Hex.encode(Subject.report))","evidence":"\#(Base64.encode(Array(other)))"}"#
        #expect {
            try ReportInput.kind.read(Array(document.utf8))
        } throws: { "\($0)".contains("member 'report'") && "\($0)".contains("member 'evidence'") }
        let same = #"{"report":"\#(Hex.encode(Subject.report))","evidence":"\#(Base64.encode(Subject.report))"}"#
        #expect(try ReportInput.kind.readOne(Array(same.utf8)) == Subject.report)
        let twice = Base64.encode(Array(Subject.policyBase64.utf8))
        #expect {
            try SecurityPolicyInput.read(Array(twice.utf8))
        } throws: { "\($0)".contains("base64 of base64") && "\($0)".contains(Subject.policyHostData) && "\($0)".contains("--form base64") }
        #expect(try SecurityPolicyInput.read(Array(twice.utf8), as: .base64).map(\.bytes) == [Array(Subject.policyBase64.utf8)])
    }
}
