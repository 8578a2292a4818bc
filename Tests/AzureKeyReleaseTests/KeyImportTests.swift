import AzureKeyRelease
import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import ReleasePolicy
import SecureMemory
import StrictJSON
import Testing

@Suite("Import of a key") struct KeyImportTests {
    private static let policy: JSONValue = [
        "version": "1.0.0", "anyOf": [["authority": "https://authority.example", "allOf": [["claim": "a", "equals": "b"]]]],
    ]

    private func importKey(_ material: consuming ImportMaterial, _ transport: ScriptedTransport) async throws -> BrokerError? {
        let manager = try KeyManager(store: try Endpoint("contoso.managedhsm.azure.net"), .forTest(transport: transport))
        let name = try #require(KeyName("canary"))
        let policy = try ReleasePolicy(Self.policy)
        do throws(BrokerError) {
            _ = try await manager.importKey(name, material, operations: ["encrypt"], policy: policy, in: .forTest())
            return nil
        } catch { return error }
    }

    private func symmetric() -> ImportMaterial {
        .symmetric(
            SecretBytes(capacity: 32) { output in
                output.copyBytes(from: [UInt8](repeating: 7, count: 32))
                return 32
            })
    }

    /// The request as a store reads it.
    private func body(_ request: HTTPRequest?) throws -> JSONCursor {
        let body = try #require(request?.secretBody)
        return try JSONCursor.parse(body.withUnsafeBytes { Array($0) })
    }

    @Test("C6: the private key travels in wiped memory alone, under the type that a store knows") func secretBody() async throws {
        let transport = ScriptedTransport(script: [])
        _ = try await importKey(symmetric(), transport)
        _ = try await importKey(.pair(try PrivateKey.generateEC(.p256)), transport)
        _ = try await importKey(.pair(try PrivateKey.generateRSA(bits: 2048)), transport)
        let requests = transport.requests
        #expect(requests.count == 3 && requests.allSatisfy { $0.body == nil })
        let keys = try requests.map { try body($0).member("key") }
        #expect(try keys.map { try $0.string("kty") } == ["oct-HSM", "EC-HSM", "RSA-HSM"])
        #expect(try keys.map { try $0.array("key_ops").map { try $0.string() } } == [["encrypt"], ["encrypt"], ["encrypt"]])
        #expect(try keys[0].string("k") == Base64.encodeURL([UInt8](repeating: 7, count: 32)))
        #expect(try body(requests[2]).member("release_policy").member("immutable").boolean() == false)
    }

    @Test("C19: an import without an answer says that the key may exist, and how to look") func unanswered() async throws {
        for failure in [HTTPTransportError.deadlineExceeded, .invalidResponse(reason: "cut off"), .connectionFailed(reason: "reset")] {
            let error = try await importKey(symmetric(), ScriptedTransport(script: [.failure(failure)]))
            #expect(error?.message.contains("the key may exist") == true, "\(failure)")
            #expect(error?.message.contains("'key show canary'") == true, "\(failure)")
        }
        for failure in [HTTPTransportError.nameNotResolved(host: "x"), .tlsFailed(reason: "untrusted")] {
            let error = try await importKey(symmetric(), ScriptedTransport(script: [.failure(failure)]))
            #expect(error != nil && error?.message.contains("may exist") == false, "\(failure)")
        }
    }

    @Test("C19: so does one whose key cannot be read back") func unread() async throws {
        let kid = "https://contoso.managedhsm.azure.net/keys/canary/0123456789abcdef0123456789abcdef"
        let answer = HTTPResponse(status: 200, body: JSONValue.object(["key": ["kid": .string(kid), "kty": "oct-HSM"]]).serialized())
        let error = try await importKey(symmetric(), ScriptedTransport(script: [.success(answer), .failure(.deadlineExceeded)]))
        #expect(error?.message.contains("the key was imported") == true, "\(String(describing: error))")
        #expect(error?.message.contains("'key show canary'") == true)
    }

    @Test("C13: an opaque access token that a store repeats is in no error") func opaqueToken() async throws {
        let token = "opaque/secret+\"canary\"-0123456789"
        let escaped = #"opaque\/secret+\"canary\"-0123456789"#
        let message = #"{"error":{"code":"Forbidden","message":"the token \#(escaped) of Bearer \#(escaped) lacks a permission"}}"#
        let headers = [(name: "www-authenticate", value: "Bearer error_description=\"no \(token)\"")]
        for status in [401, 403, 500] {
            let answer = HTTPResponse(status: status, headers: headers, body: Array(message.utf8))
            let fixture = try ReleaseFixture(
                tokens: StaticAccessTokens(token), transport: ScriptedTransport { _ throws(HTTPTransportError) in answer })
            let error = try #require(await fixture.failure())
            let said = "\(error) \(error.upstream?.body ?? "")"
            #expect(said.contains("<token>"), "\(said)")
            #expect(!said.contains("canary") && !said.contains("0123456789"), "\(said)")
        }
    }
}
