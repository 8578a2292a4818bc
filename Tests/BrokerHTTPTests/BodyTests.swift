import BrokerCore
import HTTPTransport
import OpenSSLCrypto
import StrictJSON
import Testing

@testable import BrokerHTTP

/// What a request body may be.
struct BodyTests {
    private func refusal(_ path: String, _ body: String) async throws -> (RawAnswer, String) {
        let engine = ScriptedEngine()
        let answer = try await TestServer.run(engine) { try await $0.post(path, body) }
        #expect(engine.questions.isEmpty)
        let document = try JSONCursor.parse(answer.body)
        #expect(try document.string("code") == "invalidRequest")
        #expect(try document.string("stage") == "decode")
        return (answer, try document.string("error"))
    }

    @Test(arguments: [
        String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
        #"{"runtime_data":"aGVsbG8=","x":"# + String(repeating: "[", count: 65) + String(repeating: "]", count: 65) + "}",
        String(repeating: #"{"a":"#, count: 200_000), #"{"runtime_data":"aGVsbG8=","runtime_data":"Ynll"}"#,
        #"{"runtime_data":"aGVsbG8=","runtime\u005fdata":"Ynll"}"#, #"{"runtime_data":"aGVsbG8=","RUNTIME_DATA":"Ynll"}"#,
        #"{"runtime_data":"aGVsbG8="} {}"#, #"{"runtime_data":"aGVsbG8="}garbage"#, "\u{FEFF}" + #"{"runtime_data":"aGVsbG8="}"#,
        #"{"runtime_data":"\ud800"}"#, #"{"runtime_data":"aGVs\u0000bG8="}"#, #"{"runtime_data":null}"#, #"{"runtime_data":["aGVsbG8="]}"#,
        #"{"runtime_data":{"a":1}}"#, #"{"runtime_data":true}"#, #"{"runtime_data":1e999}"#,
        #"{"runtime_data":"aGVsbG8=","x":123456789012345678901234567890}"#, #""aGVsbG8=""#, "5", "null", "true", "[]", "[[]]", "{", " ",
        "\0", #"{"runtime_data":"aGVs bG8="}"#, #"{"runtime_data":"aGVsbG8=\n"}"#, #"{"runtime_data":"aGVsbG9="}"#,
    ]) func malformedBodiesAreRefused(_ body: String) async throws {
        let (answer, error) = try await refusal("/attest/raw", body)
        #expect(answer.status == 400)
        #expect(error.hasPrefix("invalid request format: ") || error.hasPrefix("decoding base64-encoded runtime data"))
    }

    @Test func invalidUTF8IsRefused() async throws {
        let answer = try await TestServer.run { server in
            let port = server.port
            return try await blocking {
                let client = try RawClient.connect(port: port)
                let body = Array(#"{"runtime_data":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)
                client.send("POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n\r\n")
                client.send(body)
                return try client.receiveAnswer()
            }
        }
        #expect(answer.status == 400)
    }

    @Test(arguments: [
        (#"{"runtime_data":5}"#, "number"), (#"{"runtime_data":1.5}"#, "number"), (#"{"runtime_data":true}"#, "bool"),
        (#"{"runtime_data":[]}"#, "array"), (#"{"runtime_data":{}}"#, "object"), (#"{"Runtime_Data":5}"#, "number"),
    ]) func wrongTypesAreNamedAsGoNamesThem(_ body: String, _ kind: String) async throws {
        let (_, error) = try await refusal("/attest/raw", body)
        #expect(
            error == "invalid request format: json: cannot unmarshal \(kind) into Go struct field "
                + "RawAttestData.runtime_data of type string")
    }

    @Test(arguments: [#""text""#, "5", "null", "true"]) func topLevelScalarsAreRefused(_ body: String) async throws {
        let (answer, error) = try await refusal("/attest/maa", body)
        #expect(answer.status == 400)
        #expect(error.hasPrefix("invalid request format: "))
    }

    @Test func topLevelArraysAreNamedAsGoNamesThem() async throws {
        let (_, error) = try await refusal("/attest/maa", "[1]")
        #expect(error == "invalid request format: json: cannot unmarshal array into Go value of type httpginendpoints.MAAAttestData")
    }

    @Test func differencesInCaseAreAccepted() async throws {
        let engine = ScriptedEngine()
        let answer = try await TestServer.run(engine) {
            try await $0.post("/attest/raw", #"{"Runtime_DATA":"aGVsbG8=","other":{"deep":[1]}}"#)
        }
        #expect(answer.status == 200)
        #expect(engine.questions == [.raw(Array("hello".utf8))])
    }

    @Test func base64URLIsAccepted() async throws {
        let engine = ScriptedEngine()
        let answer = try await TestServer.run(engine) { try await $0.post("/attest/combined", #"{"runtime_data":"-_8="}"#) }
        #expect(answer.status == 200)
        #expect(engine.questions == [.combined([0xFB, 0xFF])])
    }

    @Test(arguments: ["gzip", "deflate", "br", "identity, gzip"]) func aCompressedBodyIsNeverUnpacked(_ coding: String) async throws {
        // {"runtime_data":"aGVsbG8="} by gzip(1).
        let packed = try #require(Base64.decode("H4sIAAAAAAACA6tWKirNK8nMTY1PSSxJVLJSSnQPK05yt7BVqgUA3coFGxsAAAA="))
        let engine = ScriptedEngine()
        let answer = try await TestServer.run(engine) { server in
            let port = server.port
            return try await blocking {
                let client = try RawClient.connect(port: port)
                client.send(
                    "POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: \(coding)\r\n"
                        + "Content-Length: \(packed.count)\r\n\r\n")
                client.send(packed)
                return try client.receiveAnswer()
            }
        }
        #expect(answer.status == 400)
        #expect(engine.questions.isEmpty)
    }

    @Test func combinedEvidenceIsEncodedAsTheOriginalDoes() async throws {
        let answer = try await TestServer.run { try await $0.post("/attest/combined", #"{"runtime_data":"aGVsbG8="}"#) }
        let document = try JSONCursor.parse(answer.body)
        // printf '\001\002\003' | base64, and 100 bytes of 7 in lines of 64.
        let pem = """
            -----BEGIN CERTIFICATE-----
            AQID
            -----END CERTIFICATE-----
            -----BEGIN CERTIFICATE-----
            BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
            BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
            BwcHBw==
            -----END CERTIFICATE-----

            """
        #expect(try RuntimeDataText.decode(document.string("endorsements")) == Array(pem.utf8))
        #expect(try RuntimeDataText.decode(document.string("evidence")) == ScriptedEngine.sampleEvidence.report)
        #expect(try document.string("uvm_endorsements") == "0oQ=")
    }

    @Test func absentPlatformEndorsementsAreAnEmptyString() async throws {
        var script = ScriptedEngine.Script()
        script.evidence = Evidence(report: [1], endorsements: [[2]], endorsedTCB: "00", provenance: .hardware)
        let answer = try await TestServer.run(ScriptedEngine(script)) {
            try await $0.post("/attest/combined", #"{"runtime_data":"aGVsbG8="}"#)
        }
        #expect(try JSONCursor.parse(answer.body).string("uvm_endorsements") == "")
    }

    @Test func releasePassesOnWhatTheRequestNames() async throws {
        let engine = ScriptedEngine()
        let version = "0123456789abcdef0123456789abcdef"
        let bodies = [
            #"{"kid":"k2"}"#, #"{"maa_endpoint":"","akv_endpoint":"","kid":"k2","access_token":""}"#,
            #"{"maa_endpoint":"https://Demo.attest.azure.net","akv_endpoint":"demo.vault.azure.net:8443","kid":"k2/\#(version)","access_token":"tok"}"#,
        ]
        for body in bodies {
            let answer = try await TestServer.run(engine) { try await $0.post("/key/release", body) }
            #expect(answer.status == 200)
            #expect(answer.text == #"{"key":"{\"k\":\"c2VjcmV0\",\"kty\":\"oct\"}"}"#)
        }
        let named = ScriptedEngine.Question.release(
            key: "k2/\(version)", store: try Endpoint("demo.vault.azure.net:8443"), authority: try Endpoint("demo.attest.azure.net"),
            bearer: "tok")
        let plain = ScriptedEngine.Question.release(key: "k2", store: nil, authority: nil, bearer: nil)
        #expect(engine.questions == [plain, plain, named])
    }

    @Test("case 14: a key's URL names key and store, in any case") func keyURL() async throws {
        let engine = ScriptedEngine()
        let version = "0123456789abcdef0123456789abcdef"
        for body in [
            #"{"kid":"https://Demo.Vault.Azure.net/keys/k2/\#(version.uppercased())"}"#,
            #"{"akv_endpoint":"demo.vault.azure.net","kid":"HTTPS://demo.vault.azure.net/keys/k2/\#(version)"}"#,
        ] {
            let answer = try await TestServer.run(engine) { try await $0.post("/key/release", body) }
            #expect(answer.status == 200, "\(answer.text)")
        }
        let wanted = ScriptedEngine.Question.release(
            key: "k2/\(version)", store: try Endpoint("demo.vault.azure.net"), authority: nil, bearer: nil)
        #expect(engine.questions == [wanted, wanted])
        let (answer, error) = try await refusal(
            "/key/release", #"{"kid":"https://one.vault.azure.net/keys/k2","akv_endpoint":"two.vault.azure.net"}"#)
        #expect(answer.status == 400 && error.contains("another store"), "\(error)")
    }

    @Test(arguments: [
        "../k", "k/..", "%2e%2e", "k?x=1", "k#", "k\\u005cx", "a b", "k\\r\\nX: y", "kö", "k/abc", "k/", "/k", "k//",
        "k/0123456789abcdef0123456789abcdef/x", "http://demo.vault.azure.net/keys/k", "https://demo.vault.azure.net/secrets/k",
        "https://demo.vault.azure.net/keys/k?x", "https://u@demo.vault.azure.net/keys/k", "https://127.0.0.1/keys/k",
        "demo.vault.azure.net/keys/k", String(repeating: "k", count: 128),
        String(repeating: "k", count: 10_000),
    ]) func hostileKeyNamesAreRefused(_ kid: String) async throws {
        let (answer, error) = try await refusal("/key/release", #"{"kid":"\#(kid)"}"#)
        #expect(answer.status == 400)
        #expect(error.hasPrefix("invalid request format: kid: "))
    }

    @Test(
        arguments: ["maa_endpoint", "akv_endpoint"],
        [
            "http://demo.vault.azure.net", "https://demo.vault.azure.net//", "demo.vault.azure.net/x", "demo.vault.azure.net?x",
            "u@demo.vault.azure.net", "127.0.0.1", "169.254.169.254", "[::1]", "2130706433", "0x7f.1", "localhost", "demo.vault.azure.net.",
            "demo..azure.net", "demo.vault.azure.net:0", "demo.vault.azure.net:99999", "dem\\u00f6.vault.azure.net",
            "demo.vault.azure.net\\r\\nX: y", String(repeating: "a.", count: 200) + "net",
        ]) func hostileEndpointsAreRefused(_ member: String, _ endpoint: String) async throws
    {
        let (answer, error) = try await refusal("/key/release", #"{"kid":"k","\#(member)":"\#(endpoint)"}"#)
        #expect(answer.status == 400)
        #expect(error.hasPrefix("invalid request format: \(member): "))
    }

    @Test(arguments: ["a b", "tok\\r\\nX-Evil: 1", "t\\u00f6k", "\\u007f"]) func tokensThatAreNoBearerTokensAreRefused(_ token: String)
        async throws
    {
        let (answer, error) = try await refusal("/key/release", #"{"kid":"k","access_token":"\#(token)"}"#)
        #expect(answer.status == 400)
        #expect(error.hasPrefix("invalid request format: access_token: not a bearer token"))
    }

    @Test func anErrorNeverQuotesTheBody() async throws {
        let secret = "canary-5f1d"
        for body in [
            #"{"kid":"\#(secret)!"}"#, #"{"kid":"k","access_token":"\#(secret) x"}"#, #"{"\#(secret)":1,"kid":5}"#,
            #"{"kid":"k","akv_endpoint":"\#(secret)/x"}"#, "[\"\(secret)\"", "{\"kid\":\"\(secret)\" x",
        ] {
            let (answer, _) = try await refusal("/key/release", body)
            #expect(!answer.text.contains(secret))
        }
    }
}
