import Issuing
import BrokerCore
import BrokerEngine
import BrokerTestKit
import HTTPTransport
import JOSE
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite("What the engine checks again about tokens") struct TokenRecheckTests {
    /// The runtime claim of a token, made from the JWK that was sent.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let compact: @Sendable (_ key: String) -> String

        init(_ name: String, _ compact: @escaping @Sendable (String) -> String) {
            testDescription = name
            self.compact = compact
        }
    }

    private static let stranger =
        #"{"e":"AQAB","key_ops":["encrypt"],"kid":"s","kty":"RSA","n":"\#(Base64.encodeURL([UInt8](repeating: 0xC5, count: 256)))"}"#

    private static func keys(_ list: String) -> String { Honest.compact(runtime: #"{"keys":[\#(list)]}"#) }

    /// `key` with the value of one member changed.
    private static func changed(_ key: String, _ name: String, _ change: (String) -> String) -> String {
        guard case .object(var object)? = try? JSONValue.parse(Array(key.utf8)), case .string(let value)? = object[name] else { return "" }
        object.set(name, .string(change(value)))
        return String(decoding: JSONValue.object(object).serialized(), as: UTF8.self)
    }

    static let cases = [
        Case("another key") { _ in keys(stranger) }, Case("ours and another") { keys("\($0),\(stranger)") },
        Case("another and ours") { keys("\(stranger),\($0)") }, Case("ours twice") { keys("\($0),\($0)") },
        Case("no key") { _ in keys("") }, Case("no list of keys") { _ in Honest.compact(runtime: "{}") },
        Case("a key instead of a list") { Honest.compact(runtime: #"{"keys":\#($0)}"#) },
        Case("keys of another kind") { _ in keys(#""RSA",7"#) },
        Case("text as runtime data") { Honest.compact(runtime: #""\#(Base64.encodeURL(Array($0.utf8)))""#) },
        Case("no runtime data") { _ in Honest.compact(claims: "") },
        Case("runtime data twice") { key in
            Honest.compact(runtime: #"{"keys":[\#(stranger)]}"#, also: #""x-ms-runtime":{"keys":[\#(key)]},"#)
        }, Case("key list twice") { Honest.compact(runtime: #"{"keys":[\#($0)],"keys":[\#(stranger)]}"#) },
        Case("another exponent") { keys(changed($0, "e") { _ in "Aw" }) }, Case("another type") { keys(changed($0, "kty") { _ in "oct" }) },
        Case("a modulus with a zero in front") { key in keys(changed(key, "n") { Base64.encodeURL([0] + (Base64.decodeURL($0) ?? [])) }) },
        Case("a padded modulus") { keys(changed($0, "n") { $0 + "==" }) },
        Case("half a modulus") { keys(changed($0, "n") { String($0.prefix($0.count / 2)) }) },
        // Every modulus has 342 characters, so hardly any is without a K; then the case is the next one.
        Case("a modulus that only Unicode calls equal") { key in
            let kelvin = changed(key, "n") { String($0.map { $0 == "K" ? "\u{212A}" : $0 }) }
            return key.contains("K") && kelvin.contains("\u{212A}") ? keys(kelvin) : keys("")
        }, Case("empty token") { _ in "" }, Case("not a JWT") { _ in "not a token" }, Case("two parts") { _ in "e30.e30" },
        Case("four parts") { keys($0) + ".e30" },
        Case("payload that is not JSON") { _ in JWSBuilder.unsecured(payload: Array("hello".utf8)) },
        Case("payload that is cut off") { key in JWSBuilder.unsecured(payload: Array(#"{"x-ms-runtime":{"keys":[\#(key)]"#.utf8)) },
        Case("more than 64 KiB") { key in
            let padding = String(repeating: "a", count: 70_000)
            return Honest.compact(runtime: #"{"keys":[\#(key)]}"#, also: #""padding":"\#(padding)","#)
        },
        Case("deeper than anything needs to be") { key in
            let depth = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
            return Honest.compact(runtime: #"{"keys":[\#(key)]}"#, also: #""deep":\#(depth),"#)
        },
    ]

    /// The JWK in the runtime data that the engine sent.
    private static func key(in runtime: RuntimeData) -> String {
        String(decoding: runtime.bytes, as: UTF8.self).dropFirst(#"{"keys":["#.count).dropLast(2).description
    }

    @Test("a token that does not name exactly our wrapping key is not sent on", arguments: cases) func runtimeClaim(_ wrong: Case)
        async throws
    {
        var subject = try EngineUnderTest()
        subject.token = { runtime, authority throws(BrokerError) in
            try Honest.token(runtime, authority, compact: wrong.compact(Self.key(in: runtime)))
        }
        let error = try #require(try await subject.failure())
        #expect(error.outcome == "upstreamInvalid at verify")
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1))
    }

    @Test("the cases above differ from a token that passes in what they say they do") func honestCounterpart() async throws {
        var subject = try EngineUnderTest()
        subject.token = { runtime, authority throws(BrokerError) in
            try Honest.token(runtime, authority, compact: Self.keys(Self.key(in: runtime)))
        }
        #expect(try await subject.failure() == nil)
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1, store: 1))
    }

    @Test("64-bit numbers among the claims do not get in the way") func bigNumbers() async throws {
        var subject = try EngineUnderTest()
        subject.token = { runtime, authority throws(BrokerError) in
            let text = String(decoding: runtime.bytes, as: UTF8.self)
            return try Honest.token(
                runtime, authority, compact: Honest.compact(runtime: text, also: #""x-ms-sevsnpvm-tcb":18446744073709551615,"#))
        }
        #expect(try await subject.failure() == nil)
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1, store: 1))
    }

    @Test("a token of another authority is not sent on") func otherAuthority() async throws {
        let other = try Endpoint("two.attest.example")
        let otherPort = try Endpoint("one.attest.example:8443")
        for wrong in [other, otherPort] {
            var subject = try EngineUnderTest()
            subject.token = { runtime, _ throws(BrokerError) in try Honest.token(runtime, wrong) }
            #expect(try await subject.failure()?.outcome == "upstreamInvalid at verify")
            #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1))
        }
    }

    @Test("an expired token is not sent on", arguments: [-ManualClock().now(), -1, 0]) func expired(lifetime: Int64) async throws {
        var subject = try EngineUnderTest()
        subject.token = { runtime, authority throws(BrokerError) in
            try Honest.token(runtime, authority, lifetime: lifetime)
        }
        let error = try #require(try await subject.failure())
        #expect(error.outcome == "upstreamInvalid at verify")
        #expect(error.message.contains("expired"))
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1))
    }

    @Test("a verifier that says no ends the request") func rejected() async throws {
        var subject = try EngineUnderTest()
        subject.token = { _, _ throws(BrokerError) in throw BrokerError(.verificationRejected, at: .verify, "no") }
        #expect(try await subject.failure()?.outcome == "verificationRejected at verify")
        #expect(subject.calls.count == Calls.Count(evidence: 1, verifier: 1))
    }
}
