import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

@testable import KeyProvider

@Suite("Requests of the key-provider protocol") struct RequestTests {
    private func kid(_ text: String, provider: String = "attestation-agent") throws -> String {
        try Sample.wrap(text, provider: provider).kid
    }

    @Test("what skopeo sends to wrap is read: its null members, its payload of 193 bytes") func wrap() throws {
        let request = try Sample.wrap(Sample.wrapRequest(Sample.payload))
        #expect(request.kid == "mykey")
        let content = request.content.array()
        #expect(content == Sample.payload)
    }

    @Test("what skopeo sends to unwrap is read, also without our own parameter") func unwrap() throws {
        let packet = Array(#"{"kid":"k"}"#.utf8)
        for text in [
            Sample.unwrapRequest(packet),
            #"{"op":"keyunwrap","keyunwrapparams":{"dc":{"Parameters":{}},"annotation":"\#(Base64.encode(packet))"}}"#,
            // What a Rust client sends: members that are not there.
            #"{"op":"keyunwrap","keyunwrapparams":{"annotation":"\#(Base64.encode(packet))"}}"#,
        ] {
            #expect(try KeyProviderRequest.annotation(Sample.secret(text)) == packet)
        }
    }

    @Test("escapes that some encoders write inside base64 are undone") func escapes() throws {
        let payload: [UInt8] = [0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF]
        #expect(Base64.encode(payload) == "++++////")
        let text = Sample.wrapRequest(payload).replacing("++++////", with: #"++\u002b\u002B\/\/\u002f/"#)
        let content = try Sample.wrap(text).content.array()
        #expect(content == payload)
    }

    @Test("the name of the provider decides which parameters count") func provider() throws {
        let text = Sample.wrapRequest([1]).replacing("attestation-agent", with: "other")
        #expect(try kid(text, provider: "other") == "mykey")
        #expect(throws: KeyProviderRefusal.self) { try self.kid(text) }
    }

    @Test("further parameters are passed over, but not those that name another key of ours") func parameters() throws {
        func text(_ parameters: String) -> String { Sample.wrapRequest([1], parameter: parameters) }
        #expect(try kid(text(#"c2tyOm15a2V5","cGFzc3dvcmQ="#)) == "mykey")
        #expect(try kid(text(#"c2tyOm15a2V5","c2tyOm15a2V5"#)) == "mykey")
        #expect(throws: KeyProviderRefusal.self) { try self.kid(text(#"c2tyOm15a2V5","c2tyOm90aGVy"#)) }
        // "Enabled" is what a client makes of no parameter.
        for parameter in ["RW5hYmxlZA==", "", "c2tyOg=="] {
            #expect(throws: KeyProviderRefusal.self) { try self.kid(text(parameter)) }
        }
    }

    @Test("no refusal repeats a parameter or the payload") func discretion() {
        let secret = "hunter2hunter2"
        let encoded = Base64.encode(Array(secret.utf8))
        for text in [
            Sample.wrapRequest(Array(secret.utf8), parameter: encoded), Sample.wrapRequest([1], parameter: secret),
            Sample.wrapRequest([1]).replacing("AQ==", with: secret + "\\n"), #"{"op":"\#(secret)"}"#,
        ] {
            do {
                _ = try Sample.wrap(text)
                Issue.record("it was taken: \(text)")
            } catch {
                #expect(!error.description.contains(secret) && !error.description.contains(encoded))
            }
        }
    }

    @Test("answers are arrays of numbers, with nothing for the other half") func answers() throws {
        let all = (0...255).map { UInt8($0) }
        let answer = KeyProviderAnswer.unwrapped(Sample.secret(all)).text()
        #expect(answer.hasPrefix(#"{"keyunwrapresults":{"optsdata":[0,1,2,"#) && answer.hasSuffix("254,255]}}"))
        let numbers = try JSONCursor.parse(Array(answer.utf8)).member("keyunwrapresults").array("optsdata")
        #expect(try numbers.map { try $0.integer() } == all.map { Int64($0) })
        #expect(KeyProviderAnswer.wrapped([123, 7]).text() == #"{"keywrapresults":{"annotation":[123,7]}}"#)
    }

    @Test("the operation is read without a hint") func operation() throws {
        #expect(try KeyProviderRequest.operation(of: Sample.secret(Sample.wrapRequest([1]))) == .wrap)
        #expect(try KeyProviderRequest.operation(of: Sample.secret(Sample.unwrapRequest([1]))) == .unwrap)
        #expect(throws: KeyProviderRefusal.self) { try KeyProviderRequest.operation(of: Sample.secret(#"{"op":"keywarp"}"#)) }
    }
}
