import BrokerCore
import Glibc
import StrictJSON
import Testing

@testable import BrokerHTTP

/// What the original answered, request by request (OriginalSidecar.md, "Answers").
struct Record: Sendable, CustomTestStringConvertible {
    let index: Int
    let method: String
    let path: String
    let request: String?
    let upstream: String
    let status: Int
    let contentType: String?
    let body: String

    var testDescription: String { "\(index): \(method) \(path) \(request ?? "") (\(upstream))" }

    /// The first document of the body, without the help text.
    var errorText: String? {
        guard body.hasPrefix(#"{"error":""#) else { return nil }
        var text = body
        // Two documents in one answer: the second is always this.
        if text.hasSuffix(#"{"token":""}"#) { text.removeLast(#"{"token":""}"#.count) }
        guard case .object(let object)? = try? JSONValue.parse(Array(text.utf8)), case .string(let error)? = object["error"] else {
            return nil
        }
        return error.replacing(" <help banner>", with: "")
    }

    static let file: String = {
        let parts = #filePath.split(separator: "/").dropLast(4)
        return "/" + parts.joined(separator: "/") + "/shared/reference/reference-sidecar-responses.json"
    }()

    static var isPresent: Bool { access(file, R_OK) == 0 }

    static let all: [Record] = {
        guard let handle = fopen(file, "r") else { return [] }
        defer { fclose(handle) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, handle))
        guard let records = try? JSONCursor.parse(bytes).array() else { return [] }
        return records.enumerated().compactMap { index, record in
            guard let method = try? record.string("method"), let path = try? record.string("path"),
                let upstream = try? record.string("upstream"), let status = try? record.integer("status"),
                let body = try? record.string("body")
            else { return nil }
            return Record(
                index: index, method: method, path: path, request: try? record.optionalString("request"), upstream: upstream,
                status: Int(status), contentType: try? record.optionalString("content_type"), body: body)
        }
    }()
}

/// Where this broker answers otherwise, and why.
private struct Difference {
    var status: Int?
    var error: String?
    let reason: String
}

private let differences: [Int: Difference] = [
    14: Difference(
        status: 400, error: "invalid request format: duplicate",
        reason: "a duplicate member is refused, because two parsers may read two values"),
    24: Difference(
        error: "attestation failed: Retrieving MAA token from MAA endpoint failed: maa post request failed: "
            + "HTTP GET failed: the name no-such-host.attest.azure.net cannot be resolved",
        reason: "the words of Go's resolver, with its address, become our own"),
    28: Difference(
        error: "invalid request format: Key: 'KeyReleaseData.KID' Error:Field validation for 'KID' failed on the " + "'required' tag",
        reason: #"{"error":{}} is a bug (an error value marshalled); the endpoints have configured defaults here"#),
    29: Difference(
        error: "invalid request format: Key: 'KeyReleaseData.KID' Error:Field validation for 'KID' failed on the " + "'required' tag",
        reason: #"{"error":{}} is a bug"#),
    30: Difference(
        error: "invalid request format: invalid character 'o' in literal null (expecting 'u')", reason: #"{"error":{}} is a bug"#),
    33: Difference(
        error: "secure key release failed: releasing the key k2 failed: AKV post request failed: "
            + "HTTP GET failed: the name no-such-host.managedhsm.azure.net cannot be resolved",
        reason: "the words of Go's resolver become our own"),
    37: Difference(
        error: "secure key release failed: releasing the key k2 failed: jws token verification failed: "
            + "the signature of the release answer does not verify", reason: "the words of Go's RSA package become our own"),
    38: Difference(
        error: "secure key release failed: releasing the key k2 failed: jws token verification failed: "
            + "the certificate of the release answer is not trusted",
        reason: "the words of Go's X.509 package become our own; chain and signature are one step here"),
    39: Difference(
        error: "secure key release failed: releasing the key k2 failed: jws token verification failed: "
            + "the certificate of the release answer is for another name",
        reason: "the words of Go's X.509 package become our own; chain and signature are one step here"),
    40: Difference(
        status: 403, error: "secure key release failed: releasing the key k2 failed: aes key unwrap failed: it does not open",
        reason: "the original crashes and answers 500 without a body"),
    41: Difference(
        error: "secure key release failed: releasing the key k2 failed: jws token verification failed: "
            + "the release answer has no value", reason: "one step covers every answer that cannot be believed"),
    42: Difference(
        error: "secure key release failed: attestation failed: Retrieving MAA token from MAA endpoint failed: "
            + "the token does not name the wrapping key", reason: "the token is checked before it is used, not when the key does not open"),
]

private func upstreamBody(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

/// What the engine says in the situation of a record: the service's own answer, or the broker's message.
private func situation(of record: Record) -> BrokerError? {
    func verify(_ status: Int, _ body: String) -> BrokerError {
        BrokerError(
            status < 500 ? .verificationRejected : .upstreamUnavailable, at: .verify, "ours",
            upstream: .init(status: status, body: upstreamBody(body)))
    }
    func release(_ code: BrokerError.Code, _ status: Int, _ body: String, after: Duration? = nil) -> BrokerError {
        BrokerError(code, at: .release, "ours", retryAfter: after, upstream: .init(status: status, body: upstreamBody(body)))
    }
    switch record.index {
    case 20: return verify(400, #"{"error":{"code":"InvalidParameter","message":"runtimeData is not JSON"}}"#)
    case 24: return BrokerError(.upstreamUnavailable, at: .verify, "the name no-such-host.attest.azure.net cannot be resolved")
    case 31:
        return release(
            .keyNotFound, 404,
            #"{"error":{"code":"KeyNotFound","message":"A key with (name/id) missing was not found in this key vault."}}"#)
    case 32:
        return release(
            .releaseDenied, 403,
            #"{"error":{"code":"Forbidden","message":"AKV.SKR.1010: Target environment attestation statement cannot be verified against the release policy: no authority matches https://sharedeus2.eus2.attest.azure.net"}}"#
        )
    case 33: return BrokerError(.upstreamUnavailable, at: .release, "the name no-such-host.managedhsm.azure.net cannot be resolved")
    case 34: return verify(500, #"{"error":{"code":"InternalError","message":"injected"}}"#)
    case 35: return release(.releaseDenied, 403, #"{"error":{"code":"Forbidden","message":"AKV.SKR.1006: injected"}}"#)
    case 36: return release(.upstreamThrottled, 429, #"{"error":{"code":"Throttled","message":"injected"}}"#, after: .seconds(1))
    case 37: return BrokerError(.upstreamInvalid, at: .release, "the signature of the release answer does not verify")
    case 38: return BrokerError(.upstreamInvalid, at: .release, "the certificate of the release answer is not trusted")
    case 39: return BrokerError(.upstreamInvalid, at: .release, "the certificate of the release answer is for another name")
    case 40: return BrokerError(.unwrapFailed, at: .unwrap, "it does not open")
    case 41: return BrokerError(.upstreamInvalid, at: .release, "the release answer has no value")
    case 42: return BrokerError(.upstreamInvalid, at: .verify, "the token does not name the wrapping key")
    default: return nil
    }
}

@Suite(.enabled(if: Record.isPresent, "../shared/reference is not there")) struct ReplayTests {
    @Test func everyRecordIsThere() { #expect(Record.all.count == 43) }

    @Test(arguments: Record.all) func theOriginalsAnswerIsGiven(_ record: Record) async throws {
        var script = ScriptedEngine.Script()
        script.error = situation(of: record)
        if record.status == 200, record.path == "/key/release" { script.jwk = try #require(Self.member("key", of: record.body)) }
        let answer = try await TestServer.run(ScriptedEngine(script)) { server in
            try await server.ask(request(record.method, record.path, body: record.request))
        }
        let difference = differences[record.index]
        #expect(answer.status == difference?.status ?? record.status)
        #expect(answer.header("content-type") == record.contentType ?? "application/json; charset=utf-8")

        if answer.status == 404 {
            #expect(answer.text == record.body)
            return
        }
        let document = try JSONCursor.parse(answer.body)
        guard answer.status == 200 else {
            let error = try document.string("error")
            #expect(document.value.memberNames == ["error", "code", "stage", "retryable", "request_id"])
            if record.index == 14 {
                #expect(error.hasPrefix("invalid request format: "))
            } else {
                #expect(error == difference?.error ?? record.errorText)
            }
            #expect(try document.string("request_id") == answer.header("x-request-id"))
            return
        }
        switch record.path {
        case "/status":
            // One member more than the original, behind its own.
            #expect(answer.text == #"{"message":"Status OK","evidence":"hardware"}"#)
        case "/attest/raw":
            #expect(document.value.memberNames == ["report"])
            #expect(try document.string("report").utf8.count == 2368)
        case "/attest/combined":
            #expect(document.value.memberNames == ["endorsed_tcb", "endorsements", "evidence", "uvm_endorsements"])
            #expect(try document.string("endorsed_tcb") == "3100000000000000")
            #expect(try document.string("evidence").utf8.count == 1580)
        case "/attest/maa":
            // The token in the record is abridged, so that its claims cannot be read.
            let abridged = try #require(Self.member("token", of: record.body))
            #expect(answer.text == record.body.replacing(abridged, with: script.token))
        default: #expect(answer.text == record.body)
        }
    }

    private static func member(_ name: String, of body: String) -> String? {
        guard let cursor = try? JSONCursor.parse(Array(body.utf8)) else { return nil }
        return try? cursor.string(name)
    }
}

extension JSONValue {
    var memberNames: [String] {
        guard case .object(let object) = self else { return [] }
        return object.keys
    }
}
