import BrokerCore
import Testing

@Suite("Broker errors") struct BrokerErrorTests {
    @Test("codes and stages are the closed sets that clients see") func closedSets() {
        #expect(
            BrokerError.Code.allCases.map(\.rawValue) == [
                "invalidRequest", "noProvider", "evidenceUnavailable", "endorsementMismatch", "verificationRejected", "identityFailed",
                "releaseDenied", "keyNotFound", "upstreamUnavailable", "upstreamThrottled", "upstreamInvalid", "deadlineExceeded",
                "overloaded", "callerRefused", "auditUnavailable", "unwrapFailed", "misconfigured", "internal",
            ])
        #expect(
            BrokerError.Stage.allCases.map(\.rawValue) == [
                "startup", "decode", "caller", "route", "evidence", "endorsement", "verify", "identity", "release", "unwrap", "audit",
            ])
    }

    @Test("only what may pass by itself is retryable") func retryable() {
        let always: Set<BrokerError.Code> = [
            .upstreamUnavailable, .upstreamThrottled, .deadlineExceeded, .endorsementMismatch, .overloaded, .auditUnavailable,
        ]
        let withHint: Set<BrokerError.Code> = [.evidenceUnavailable, .identityFailed]
        for code in BrokerError.Code.allCases {
            #expect(BrokerError(code, at: .release, "x").isRetryable == always.contains(code), "\(code)")
            let hinted = BrokerError(code, at: .release, "x", retryAfter: .seconds(1))
            #expect(hinted.isRetryable == (always.contains(code) || withHint.contains(code)), "\(code)")
        }
    }

    @Test("the description has code, stage and message, and not the cause") func description() {
        struct Cause: Error, CustomStringConvertible { let description = "canary-cause" }
        let error = BrokerError(.releaseDenied, at: .release, "the store says no", cause: Cause())
        #expect(error.description == "releaseDenied at release: the store says no")
        #expect("\(error)" == error.description)
    }

    private func shown(_ text: String) -> String { BrokerError.Upstream(status: 403, body: Array(text.utf8)).body }

    @Test("an upstream body loses what looks like a token, wherever it stands") func tokens() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
        #expect(shown("token \(token) refused") == "token <token> refused")
        #expect(shown(#"{"error":"\#(token)"}"#) == #"{"error":"<token>"}"#)
        #expect(shown("access_token=\(token)&x=1") == "access_token=<token>&x=1")
        #expect(shown("%22\(token)%22") == "%22<token>%22")
        #expect(shown("x-\(token)") == "x-<token>")
        #expect(shown("eyJ is not one") == "eyJ is not one")
    }

    @Test("an upstream body cannot steer a terminal") func controls() {
        #expect(shown("a\u{1B}[2Jb\u{0}c\td") == "a [2Jb c d")
        #expect(shown("line\nline") == "line\nline")
        #expect(shown("a\u{202E}b\u{2028}c\u{200B}d") == "a b c d")
    }

    @Test("an upstream body is cut at two kibibytes and need not be UTF-8") func bounds() {
        #expect(shown(String(repeating: "x", count: 100_000)).utf8.count == 2048)
        #expect(shown("") == "")
        #expect(BrokerError.Upstream(status: 500, body: [0xFF, 0x41]).body == "\u{FFFD}A")
        #expect(shown(String(repeating: "é", count: 2000)).unicodeScalars.count == 1024)
        #expect(BrokerError.Upstream(status: 429, body: []).status == 429)
    }
}
