import AttestationTokens
import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import StrictJSON
import Testing

@testable import AzureKeyRelease

@Suite("Signed release answers") struct ReleaseAnswerTests {
    private static let key = ["response", "key", "key"]

    private func outcome(of name: String = "rsa-key", token: AttestationToken? = nil, _ path: [String], _ value: JSONValue?) async throws
        -> BrokerError?
    {
        let fixture = try ReleaseFixture(transport: try crafted { $0.replace(path, with: value) })
        return await fixture.failure(name, token: token)
    }

    @Test("the fixture's own signature is believed, so that the refusals below have the stated cause") func control() async throws {
        #expect(try await outcome(["unrelated"], "x") == nil)
    }

    @Test(
        "request.kid must be the requested identifier",
        arguments: [
            "https://contoso.vault.azure.net/keys/rsa-key/d00a04794ffb49e1a0e088635fc92ef2",
            "https://contoso.vault.azure.net/keys/rsa-key/", "https://contoso.vault.azure.net/keys/rsa\u{2011}key",
            "http://contoso.vault.azure.net/keys/rsa-key", "https://contoso.vault.azure.net:443/keys/rsa-key",
            "https://evil.example/keys/rsa-key", "rsa-key", "",
        ]) func requestedKey(kid: String) async throws
    { #expect(try await outcome(["request", "kid"], .string(kid))?.code == .upstreamInvalid) }

    @Test(
        "the released key must be a version of the requested one",
        arguments: [
            "https://contoso.vault.azure.net/keys/rsa-key", "https://contoso.vault.azure.net/keys/rsa-key/",
            "https://contoso.vault.azure.net/keys/rsa-key/d00a04794ffb49e1a0e088635fc92ef2/x",
            "https://contoso.vault.azure.net/keys/rsa-key/../other/d00a04794ffb49e1a0e088635fc92ef2",
            "https://contoso.vault.azure.net/keys/rsa-key2/d00a04794ffb49e1a0e088635fc92ef2",
            "https://contoso.vault.azure.net.evil.example/keys/rsa-key/d00a04794ffb49e1a0e088635fc92ef2",
            "https://fabrikam.vault.azure.net/keys/rsa-key/d00a04794ffb49e1a0e088635fc92ef2", "",
        ]) func releasedKey(kid: String) async throws
    { #expect(try await outcome(Self.key + ["kid"], .string(kid))?.code == .upstreamInvalid) }

    @Test("case 13: an answer in another case is for the same key, and the store's spelling is kept") func spelling() async throws {
        let kid = "https://contoso.vault.azure.net/keys/RSA-Key/D00A04794FFB49E1A0E088635FC92EF2"
        let fixture = try ReleaseFixture(
            transport: try crafted {
                $0.replace(["request", "kid"], with: "https://Contoso.vault.azure.net/keys/RSA-Key")
                $0.replace(Self.key + ["kid"], with: .string(kid))
            })
        #expect(try await fixture.release().keyID == kid)
    }

    @Test("another version is fine where none was asked for, and refused where one was") func versions() async throws {
        let other = JSONValue.string("https://contoso.vault.azure.net/keys/rsa-key/" + String(repeating: "0", count: 32))
        #expect(try await outcome(Self.key + ["kid"], other) == nil)
        let asked = "rsa-key/\(SampleKey.version)"
        #expect(try await outcome(of: asked, Self.key + ["kid"], other)?.code == .upstreamInvalid)
    }

    @Test("a member of another type, or a missing one, is refused where it matters") func types() async throws {
        for path in [
            ["request"], ["request", "kid"], ["request", "enc"], ["request", "nonce"], ["response"], ["response", "key"], Self.key,
            Self.key + ["kid"], Self.key + ["kty"], Self.key + ["key_hsm"],
        ] {
            for value: JSONValue? in [nil, .null, 17, [], [:], true, ""] {
                let error = try await outcome(path, value)
                #expect(error?.code == .upstreamInvalid, "\(path) = \(value.map { "\($0)" } ?? "nothing")")
            }
        }
        for path in [Self.key + ["n"], Self.key + ["e"], ["response", "key", "attributes", "exportable"]] {
            #expect(try await outcome(path, 17)?.code == .upstreamInvalid, "\(path)")
        }
    }

    @Test("what an answer may leave out") func optional() async throws {
        for path in [
            ["request", "api-version"], ["response", "key", "attributes"], ["response", "key", "attributes", "exportable"],
            ["response", "key", "tags"], ["response", "key", "release_policy"], Self.key + ["key_ops"],
        ] { #expect(try await outcome(path, nil) == nil, "\(path)") }
    }

    @Test("names of the key type in both manners") func keyTypes() async throws {
        for kty in ["RSA", "RSA-HSM"] { #expect(try await outcome(Self.key + ["kty"], .string(kty)) == nil) }
        for kty in ["rsa", "RSA-hsm", "OKP", "EC2", "DSA", "RSA ", ""] {
            #expect(try await outcome(Self.key + ["kty"], .string(kty))?.code == .upstreamInvalid)
        }
    }

    @Test("unknown operations pass, unbounded or odd ones do not") func operations() async throws {
        let path = Self.key + ["key_ops"]
        #expect(try await outcome(path, ["teleport", "sign"]) == nil)
        #expect(try await outcome(path, []) == nil)
        for value: JSONValue in ["sign", [17], ["a b"], [""], [.string(String(repeating: "a", count: 65))], [["sign"]]] {
            #expect(try await outcome(path, value)?.code == .upstreamInvalid, "\(value)")
        }
    }

    @Test("an exponent with leading zero bytes is the same exponent") func leadingZeros() async throws {
        let fixture = try ReleaseFixture(transport: try crafted { $0.replace(Self.key + ["e"], with: "AAEAAQ") })
        guard case .rsa(_, let e)? = try await fixture.release().publicPart else {
            Issue.record("no RSA public part")
            return
        }
        #expect(e == [1, 0, 1])
    }

    @Test("a short coordinate is filled up to the curve's size, a long one refused") func coordinates() async throws {
        let short = Base64.encodeURL([UInt8](repeating: 7, count: 31))
        let fixture = try ReleaseFixture(transport: try crafted { $0.replace(Self.key + ["x"], with: .string(short)) })
        guard case .ec(let curve, let x, let y)? = try await fixture.release("ec-32").publicPart else {
            Issue.record("no EC public part")
            return
        }
        #expect(curve == "P-256")
        #expect(x == [0] + [UInt8](repeating: 7, count: 31))
        #expect(y.count == 32)
        let long = Base64.encodeURL([UInt8](repeating: 7, count: 33))
        #expect(try await outcome(of: "ec-32", Self.key + ["x"], .string(long))?.code == .upstreamInvalid)
        #expect(try await outcome(of: "ec-32", Self.key + ["crv"], nil)?.code == .upstreamInvalid)
        #expect(try await outcome(of: "ec-32", Self.key + ["y"], nil)?.code == .upstreamInvalid)
    }

    @Test("text that is not canonical base64url is refused", arguments: ["AQAB=", "AQ AB", "AQ+B", "AQ/B", "AR", "", "*", "AQAB\n"])
    func base64(text: String) async throws { #expect(try await outcome(Self.key + ["e"], .string(text))?.code == .upstreamInvalid) }

    @Test("no error shows the ciphertext or the token") func silence() async throws {
        let token = try attestationToken()
        let error = try #require(await outcome(token: token, ["request", "nonce"], "another"))
        #expect(!"\(error)".contains(token.compact.prefix(40)))
    }
}

@Suite("key_hsm") struct HSMBlobTests {
    private func error(_ blob: String, algorithm: KeyWrapAlgorithm = .rsaAESKeyWrap256, wrappingKey: MAAToken.EncryptionKey? = nil)
        -> String?
    {
        do {
            _ = try HSMBlob(algorithm: algorithm, wrappingKey: wrappingKey).ciphertext(
                in: JSONCursor(.string(Base64.encodeURL(Array(blob.utf8)))))
            return nil
        } catch { return error.description }
    }

    private func blob(
        _ count: Int, schema: String = "1.0", kid: String = "wrapping-key", alg: String = "dir", enc: String = "RSA_AES_KEY_WRAP_256"
    ) -> String {
        let text = Base64.encodeURL([UInt8](repeating: 1, count: count))
        return #"{"schema_version":"\#(schema)","header":{"kid":"\#(kid)","alg":"\#(alg)","enc":"\#(enc)"},"ciphertext":"\#(text)"}"#
    }

    @Test("every length of ciphertext gives a key or an error") func lengths() throws {
        let key = try #require(try attestationToken().content.encryptionKey)
        #expect(key.modulusByteCount == 256)
        for count in 0...400 {
            let isWhole = count >= 256 + 16 && (count - 256) % 8 == 0
            #expect((error(blob(count), wrappingKey: key) == nil) == isWhole, "\(count) bytes")
            #expect((error(blob(count)) == nil) == isWhole, "\(count) bytes, wrapping key unknown")
        }
        #expect(error(blob(16 * 1024)) == nil)
        #expect(error(blob(16 * 1024 + 8)) != nil)
    }

    @Test("header and schema must be the ones asked for") func header() throws {
        let key = try #require(try attestationToken().content.encryptionKey)
        #expect(error(blob(1488), wrappingKey: key) == nil)
        #expect(error(blob(1488, kid: "another"), wrappingKey: key) != nil)
        #expect(error(blob(1488, kid: "another")) == nil, "the token does not tell")
        #expect(error(blob(1488, schema: "1.1")) != nil)
        #expect(error(blob(1488, alg: "RSA-OAEP")) != nil)
        #expect(error(blob(1488, enc: "CKM_RSA_AES_KEY_WRAP")) != nil, "a downgrade to SHA-1")
        #expect(error(blob(1488, enc: "CKM_RSA_AES_KEY_WRAP"), algorithm: .ckmRSAAESKeyWrap) == nil)
        for text in ["", "{}", "[]", "null", #"{"schema_version":"1.0"}"#, blob(1488) + " x", "{\"a\":1,\"a\":2}"] {
            #expect(error(text) != nil, "\(text.prefix(40))")
        }
    }

    @Test("the member itself is bounded and strict") func member() {
        for text in ["*", "", String(repeating: "A", count: 200_000)] {
            #expect(throws: JSONError.self) {
                _ = try HSMBlob(algorithm: .rsaAESKeyWrap256, wrappingKey: nil).ciphertext(in: JSONCursor(.string(text)))
            }
        }
    }
}

@Suite("Which key a store wraps to") struct EncryptionKeyTests {
    @Test("the first RSA key for encryption") func first() throws {
        let keys: [JSONValue] = [
            ["kty": "EC", "kid": "ec", "use": "enc"], try runtimeKey(["kid": "signing", "key_ops": ["sign"]]),
            try runtimeKey(["kid": "by-use", "key_ops": nil, "use": "enc"]), try runtimeKey(),
        ]
        #expect(try encryptionKey(keys)?.kid == "by-use")
        let documented = try runtimeKey(["kid": "by-key-use", "key_ops": nil, "key_use": ["enc"]])
        #expect(try encryptionKey([documented])?.kid == "by-key-use")
    }

    @Test("nothing where the token does not tell") func unknown() throws {
        #expect(try encryptionKey([]) == nil)
        #expect(try encryptionKey(["text"]) == nil)
        #expect(try encryptionKey([try runtimeKey(["n": "AQAB"])]) == nil, "too small")
        #expect(try encryptionKey([try runtimeKey(["n": "***"])]) == nil)
        let unnamed = try encryptionKey([try runtimeKey(["kid": nil])])
        #expect(unnamed?.kid == nil)
        #expect(unnamed?.modulusByteCount == 256)
    }

    private func encryptionKey(_ keys: [JSONValue]) throws -> MAAToken.EncryptionKey? {
        try attestationToken(keys: keys).content.encryptionKey
    }
}
