import ReleasePolicy
import StrictJSON
import Testing

/// A document that is refused, with the place and kind of the complaint.
struct Refused: Sendable, CustomTestStringConvertible {
    let document: String
    let kind: PolicyError.Kind
    let pointer: String

    init(_ document: String, _ kind: PolicyError.Kind, _ pointer: String) {
        self.document = document
        self.kind = kind
        self.pointer = pointer
    }

    var testDescription: String { document }
}

private func inAuthority(_ condition: String) -> String {
    #"{"version":"1.0.0","anyOf":[{"authority":"https://a","allOf":[\#(condition)]}]}"#
}

struct ParsingTests {
    static let refused: [Refused] = [
        Refused("", .syntax, ""), Refused("package policy", .syntax, ""), Refused("[]", .invalidValue, ""),
        Refused(#"{"version":"1.0.0"}"#, .missingAuthorities, ""),
        Refused(#"{"version":"1.0.0","allOf":[{"claim":"a","equals":"1"}]}"#, .missingAuthorities, "/allOf"),
        Refused(#"{"version":"1.0.0","anyOf":[]}"#, .empty, "/anyOf"), Refused(#"{"version":"1.0.0","anyOf":{}}"#, .invalidValue, "/anyOf"),
        Refused(#"{"version":"2.0.0","anyOf":[]}"#, .unsupportedVersion, "/version"),
        Refused(#"{"version":1.0,"anyOf":[]}"#, .invalidValue, "/version"),
        Refused(#"{"version":"1.0.0","anyOf":[],"note/1":""}"#, .unknownMember, "/note~11"),
        Refused(#"{"anyOf":["https://a"]}"#, .invalidValue, "/anyOf/0"), Refused(#"{"anyOf":[{"allOf":[]}]}"#, .missingMember, "/anyOf/0"),
        Refused(#"{"anyOf":[{"authority":7,"allOf":[]}]}"#, .invalidValue, "/anyOf/0/authority"),
        Refused(#"{"anyOf":[{"authority":"","allOf":[]}]}"#, .invalidValue, "/anyOf/0/authority"),
        Refused(#"{"anyOf":[{"authority":"https://a"}]}"#, .missingMember, "/anyOf/0"),
        Refused(#"{"anyOf":[{"authority":"https://a","allOf":[]}]}"#, .empty, "/anyOf/0/allOf"),
        Refused(#"{"anyOf":[{"authority":"https://a","allOf":[],"anyOf":[]}]}"#, .ambiguous, "/anyOf/0"),
        Refused(#"{"anyOf":[{"authority":"https://a","allOf":[],"name":""}]}"#, .unknownMember, "/anyOf/0/name"),
        Refused(inAuthority("7"), .invalidValue, "/anyOf/0/allOf/0"), Refused(inAuthority("{}"), .missingMember, "/anyOf/0/allOf/0"),
        Refused(inAuthority(#"{"claim":"a"}"#), .missingMember, "/anyOf/0/allOf/0"),
        Refused(inAuthority(#"{"claim":7,"equals":"1"}"#), .invalidValue, "/anyOf/0/allOf/0/claim"),
        Refused(inAuthority(#"{"claim":"","equals":"1"}"#), .invalidValue, "/anyOf/0/allOf/0/claim"),
        Refused(inAuthority(#"{"claim":"a..b","equals":"1"}"#), .invalidValue, "/anyOf/0/allOf/0/claim"),
        Refused(inAuthority(#"{"claim":"a","matches":"1"}"#), .unknownMember, "/anyOf/0/allOf/0/matches"),
        Refused(inAuthority(#"{"claim":"a","Equals":"1"}"#), .unknownMember, "/anyOf/0/allOf/0/Equals"),
        Refused(inAuthority(#"{"claim":"a","greater":1,"less":5}"#), .ambiguous, "/anyOf/0/allOf/0"),
        Refused(inAuthority(#"{"claim":"a","equals":null}"#), .invalidValue, "/anyOf/0/allOf/0/equals"),
        Refused(inAuthority(#"{"claim":"a","equals":["1"]}"#), .invalidValue, "/anyOf/0/allOf/0/equals"),
        Refused(inAuthority(#"{"claim":"a","equals":{"b":1}}"#), .invalidValue, "/anyOf/0/allOf/0/equals"),
        Refused(inAuthority(#"{"claim":"a","exists":"yes"}"#), .invalidValue, "/anyOf/0/allOf/0/exists"),
        Refused(inAuthority(#"{"claim":"a","exists":1}"#), .invalidValue, "/anyOf/0/allOf/0/exists"),
        Refused(inAuthority(#"{"claim":"a","less":"many"}"#), .invalidValue, "/anyOf/0/allOf/0/less"),
        Refused(inAuthority(#"{"claim":"a","less":true}"#), .invalidValue, "/anyOf/0/allOf/0/less"),
        Refused(inAuthority(#"{"claim":"a","equals":18446744073709551616}"#), .syntax, ""),
        Refused(inAuthority(#"{"claim":"a","claim":"b","equals":"1"}"#), .syntax, ""),
        Refused(inAuthority(#"{"claim":"a","condition":"is","value":"1"}"#), .invalidValue, "/anyOf/0/allOf/0/condition"),
        Refused(inAuthority(#"{"claim":"a","condition":"equals"}"#), .missingMember, "/anyOf/0/allOf/0"),
        Refused(inAuthority(#"{"claim":"a","condition":"equals","value":"1","less":2}"#), .unknownMember, "/anyOf/0/allOf/0/less"),
        Refused(inAuthority(#"{"anyOf":[{"claim":"a","equals":"1"}],"claim":"b"}"#), .unknownMember, "/anyOf/0/allOf/0/claim"),
        Refused(inAuthority(#"{"anyOf":[]}"#), .empty, "/anyOf/0/allOf/0/anyOf"),
        Refused(inAuthority(#"{"authority":"https://b","allOf":[]}"#), .empty, "/anyOf/0/allOf/0/allOf"),
    ]

    @Test("what is no release policy is refused with its place", arguments: refused) func refusals(_ refused: Refused) throws {
        let error = #expect(throws: PolicyError.self) { try ReleasePolicy(json: Array(refused.document.utf8)) }
        #expect(error?.kind == refused.kind)
        #expect(error?.pointer == refused.pointer)
        #expect(error?.reason.isEmpty == false)
    }

    @Test(
        "a name in the policy cannot break the line of a refusal, nor make it long",
        arguments: ["\u{1B}[31m", "\u{7F}", "\u{202E}", "a\nb"])
    func names(name: String) throws {
        let escaped = name.unicodeScalars.map { "\\u" + String(String($0.value + 0x10000, radix: 16).dropFirst()) }.joined()
        let long = String(repeating: "x", count: 5000)
        for member in [escaped, escaped + long] {
            let text = #"{"anyOf":[{"authority":"i","\#(member)":1,"allOf":[]}]}"#
            let error = #expect(throws: PolicyError.self) { try ReleasePolicy(json: Array(text.utf8)) }
            let words = try #require(error).description
            #expect(error?.kind == .unknownMember && !words.contains(name) && words.utf8.count < 600)
        }
    }

    @Test("nesting is bounded") func depth() throws {
        func nested(_ levels: Int) -> String {
            let open = String(repeating: #"{"anyOf":["#, count: levels - 1)
            let close = String(repeating: "]}", count: levels - 1)
            return inAuthority(open + #"{"claim":"a","equals":"1"}"# + close)
        }
        #expect(throws: Never.self) { try ReleasePolicy(json: Array(nested(ReleasePolicy.maximumNesting).utf8)) }
        let error = #expect(throws: PolicyError.self) { try ReleasePolicy(json: Array(nested(ReleasePolicy.maximumNesting + 1).utf8)) }
        #expect(error?.kind == .tooDeep)
        // Far deeper documents never reach the parser.
        let deepest = #expect(throws: PolicyError.self) { try ReleasePolicy(json: Array(nested(5000).utf8)) }
        #expect(deepest?.kind == .syntax)
    }

    @Test("a text beyond the limit is not read") func size() throws {
        let padding = String(repeating: " ", count: ReleasePolicy.maximumBytes)
        let error = #expect(throws: PolicyError.self) {
            try ReleasePolicy(json: Array((padding + inAuthority(#"{"claim":"a","equals":"1"}"#)).utf8))
        }
        #expect(error?.kind == .syntax)
    }

    @Test("versions", arguments: [("1.0.0", "1.0.0"), ("1.0", "1.0.0"), ("0.2", "0.2"), (nil, "1.0.0")]) func versions(
        _ written: String?, _ normalized: String
    ) throws {
        let member = written.map { #""version":"\#($0)","# } ?? ""
        let policy = try ReleasePolicy(json: Array(#"{\#(member)"anyOf":[{"authority":"a","allOf":[{"claim":"b","equals":"c"}]}]}"#.utf8))
        #expect(policy.version == written)
        #expect(policy.normalizedVersion == normalized)
    }

    @Test("no mutation of a good policy crashes, and what is accepted survives writing") func mutations() throws {
        let good = Array(
            inAuthority(#"{"claim":"a.b","equals":"1"},{"anyOf":[{"claim":"c","less":3},{"claim":"d","exists":"true"}]}"#).utf8)
        var generator = SplitMix(state: 7)
        var accepted = 0
        for _ in 0..<4000 {
            var bytes = good
            for _ in 0...generator.next(3) {
                let position = generator.next(bytes.count)
                switch generator.next(3) {
                case 0: bytes[position] = UInt8(truncatingIfNeeded: generator.next(256))
                case 1: bytes.remove(at: position)
                default: bytes.insert(bytes[generator.next(bytes.count)], at: position)
                }
            }
            guard let policy = try? ReleasePolicy(json: bytes) else { continue }
            accepted += 1
            for style in [ReleasePolicy.Style.vault, .managedHSM] {
                let again = try ReleasePolicy(json: policy.serialized(style: style))
                #expect(again.authorities.count == policy.authorities.count)
                _ = again.evaluate(claims: try claims(#"{"a":{"b":1},"c":2}"#), issuer: "https://a")
            }
        }
        #expect(accepted > 0)
    }
}

/// A small repeatable generator (SplitMix64).
private struct SplitMix {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
