import Issuing
import AttestationTokens
import EvidenceSamples
import InputReading
import JOSE
import OpenSSLCrypto
import PolicyTools
import SNPReport
import StrictJSON
import Testing

@Suite("Tokens") struct TokenTests {
    static let authority = "https://sharedneu.neu.attest.azure.net"
    static let now: Int64 = 1_800_000_000
    static let key = try? PrivateKey.generateRSA(bits: 2048)
    static let runtime: JSONValue = ["keys": [["kty": "RSA", "kid": "wrapping"]]]

    static func claims(_ changes: [(String, JSONValue?)] = []) -> JSONObject {
        var claims = SampleTokens.container(issuer: authority)
        for (name, value) in [("exp", now + 3600), ("nbf", now - 10), ("iat", now - 10)] { claims.set(name, .integer(value)) }
        claims.set("nonce", "n1")
        claims.set("x-ms-runtime", runtime)
        claims.set(
            "x-ms-sevsnpvm-reportdata",
            .string(Hex.encode(DigestAlgorithm.sha256.digest(runtime.serialized())) + String(repeating: "0", count: 64)))
        return changes.reduce(claims) { $0.changing($1.0, to: $1.1) }
    }

    static func keys(_ key: PrivateKey, kid: String = "k+/=") throws -> JWKSet {
        let numbers = try #require(key.publicKey.rsaNumbers)
        let set: JSONValue = [
            "keys": [
                ["kty": "RSA", "kid": .string(kid), "n": .string(Base64.encodeURL(numbers.n)), "e": .string(Base64.encodeURL(numbers.e))]
            ]
        ]
        return try JWKSet(parsing: set.serialized(), maximumKeys: 4)
    }

    static func token(_ changes: [(String, JSONValue?)] = [], header: JSONObject = ["kid": "k+/="], key: PrivateKey? = nil) throws -> String
    {
        let signer = try #require(key ?? Self.key)
        return try JWSBuilder.sign(header: header, payload: JSONValue.object(claims(changes)).serialized(), key: signer, algorithm: .rs256)
    }

    static func demands(_ change: (inout TokenVerification.Demands) -> Void = { _ in }) -> TokenVerification.Demands {
        var demands = TokenVerification.Demands(authority: authority, time: now)
        change(&demands)
        return demands
    }

    /// As the commands read it.
    static func read(_ text: String) throws -> MAAToken { try MAAToken(compact: TokenInput.kind.readOne(Array(text.utf8))) }

    static func failures(_ token: String, _ demands: TokenVerification.Demands = demands()) throws -> [String] {
        let document = try Self.read(token)
        return TokenVerification(document, keys: try keys(try #require(key)), demands: demands).failures
    }

    @Test("a good token, as text and inside the service's answer") func good() throws {
        let token = try Self.token()
        #expect(try Self.failures(token) == [])
        #expect(try Self.failures("\n" + token + "\r\n") == [])
        #expect(try Self.failures(#"{"token":"\#(token)"}"#) == [])
        #expect(
            try Self.failures(
                token,
                Self.demands {
                    $0.nonce = "n1";
                    $0.runtimeData = RuntimeDataForm(Self.runtime.serialized())
                }) == [])
    }

    @Test("each fault is named and no other") func faults() throws {
        let header: JSONObject = ["kid": "k+/=", "jku": "https://evil.example/certs"]
        let other = try PrivateKey.generateRSA(bits: 2048)
        let sent = RuntimeDataForm(Self.runtime.serialized())
        let azurevm: [(String, JSONValue?)] = [
            ("x-ms-attestation-type", "azurevm"), ("x-ms-sevsnpvm-is-debuggable", nil),
            ("x-ms-isolation-tee", ["x-ms-attestation-type": "sevsnpvm", "x-ms-sevsnpvm-is-debuggable": false]),
        ]
        for (token, demands, expected) in try [
            (Self.token(key: other), Self.demands(), ["signature"]),
            (Self.token(header: ["kid": "x"]), Self.demands(), ["signing-key", "signature"]),
            (Self.token(header: [:]), Self.demands(), ["signing-key", "signature"]),
            (Self.token(header: header), Self.demands(), ["key-location"]),
            (Self.token([("iss", .string(Self.authority + "/"))]), Self.demands(), ["issuer"]),
            (Self.token([("exp", .integer(Self.now - 61))]), Self.demands(), ["expiry"]),
            (Self.token([("exp", .integer(Self.now - 59))]), Self.demands(), []),
            (Self.token([("exp", "1900000000")]), Self.demands(), ["expiry"]),
            (Self.token([("nbf", .integer(Self.now + 61))]), Self.demands(), ["not-before"]),
            (Self.token([("nbf", "x")]), Self.demands(), ["not-before"]),
            (Self.token([("x-ms-attestation-type", "sgx")]), Self.demands(), ["attestation-type"]),
            // C12: what the broker refuses; only who names the kind accepts it.
            (Self.token([("x-ms-attestation-type", "azurevm")]), Self.demands(), ["attestation-type"]),
            (Self.token(azurevm), Self.demands { $0.kind = .azurevm }, []),
            (Self.token(azurevm), Self.demands(), ["attestation-type", "debuggable"]),
            (
                Self.token([("x-ms-attestation-type", "azurevm")]), Self.demands { $0.kind = .azurevm }, ["attestation-type", "debuggable"]
            ),
            (Self.token(), Self.demands { $0.kind = .azurevm }, ["attestation-type", "debuggable"]),
            (Self.token([("x-ms-sevsnpvm-is-debuggable", true)]), Self.demands(), ["debuggable"]),
            (Self.token([("x-ms-sevsnpvm-is-debuggable", true)]), Self.demands { $0.allowsDebug = true }, []),
            (Self.token([("x-ms-sevsnpvm-is-debuggable", nil)]), Self.demands(), ["debuggable"]),
            (Self.token(), Self.demands { $0.nonce = "n2" }, ["nonce"]),
            (Self.token([("nonce", nil)]), Self.demands { $0.nonce = "n2" }, ["nonce"]),
            (
                Self.token([("nonce", nil)]),
                Self.demands {
                    $0.nonce = "n2"
                    $0.requiresNonce = false
                }, []
            ), (Self.token([("x-ms-sevsnpvm-is-debuggable", "false")]), Self.demands { $0.allowsDebug = true }, ["debuggable"]),
            (Self.token(), Self.demands { $0.runtimeData = RuntimeDataForm([]) }, ["runtime-data"]),
            (Self.token([("x-ms-runtime", nil)]), Self.demands { $0.runtimeData = sent }, ["runtime-data"]),
            (Self.token([("x-ms-runtime", ["keys": []])]), Self.demands { $0.runtimeData = sent }, ["runtime-data"]),
            (Self.token([("x-ms-sevsnpvm-reportdata", nil)]), Self.demands { $0.runtimeData = sent }, ["runtime-data"]),
            (Self.token(), Self.demands { $0.report = [UInt8](repeating: 0, count: 1184) }, ["report"]),
        ] {
            let found = try Self.failures(token, demands)
            #expect(found == expected)
        }
    }

    @Test("tokens that nobody signed, or with another algorithm, are never verified") func algorithms() throws {
        let payload = JSONValue.object(Self.claims()).serialized()
        let unsecured = JWSBuilder.unsecured(header: ["kid": "k+/="], payload: payload)
        #expect(try Self.failures(unsecured) == ["algorithm", "signature"])
        let signer = try #require(Self.key)
        let other = try JWSBuilder.sign(header: ["kid": "k+/="], payload: payload, key: signer, algorithm: .rs512)
        #expect(try Self.failures(other) == ["algorithm", "signature"])
        #expect(Set(TokenVerification.meanings.map(\.code)).isSuperset(of: ["algorithm", "signature", "nonce", "expiry"]))
    }

    @Test(
        "what is no token is refused without being quoted",
        arguments: ["", "abc", "a.b", "canary.canary.canary", "{}", #"{"token":7}"#, "{\"canary\""]) func malformed(_ text: String)
    { #expect { try Self.read(text) } throws: { !"\($0)".contains("canary") } }

    @Test("the shown header has no certificates") func header() throws {
        let token = try Self.token(header: ["kid": "k", "x5c": ["AAAA", "BBBB"]])
        let document = try Self.read(token)
        #expect(document.shownHeader["x5c"] == "(2 certificates)")
    }

    @Test("runtime data is compared by meaning") func meaning() throws {
        func value(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8), limits: JSONLimits(bigIntegers: .asReal)) }
        let sent = try value(#"{"a":1,"b":[true,null,"x"],"c":{"d":2.5}}"#)
        for same in [#"{"c":{"d":2.5},"b":[true,null,"x"],"a":1.0}"#, #"{"a":1e0,"c":{"d":25e-1},"b":[true,null,"x"]}"#] {
            #expect(try value(same).means(sent) && sent.means(try value(same)))
        }
        for other in [
            #"{"a":1,"b":[true,null,"x"]}"#, #"{"a":1,"b":[true,null,"x"],"c":{"d":2.5},"e":1}"#,
            #"{"a":"1","b":[true,null,"x"],"c":{"d":2.5}}"#, #"{"a":1,"b":[null,true,"x"],"c":{"d":2.5}}"#,
            #"{"a":1,"b":[true,null,"X"],"c":{"d":2.5}}"#, #"{"a":1,"b":[true,null,"x"],"c":{"d":2.25}}"#,
            #"{"a":1,"b":[true,null],"c":{"d":2.5}}"#, #"{"a":true,"b":[true,null,"x"],"c":{"d":2.5}}"#, "{}", "[]",
        ] {
            #expect(!(try value(other).means(sent)), "\(other)")
            #expect(!(sent.means(try value(other))), "\(other)")
        }
    }

    @Test(
        "claims derived from a report are those of the token that was issued for it",
        .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) func derivedClaims() throws
    {
        let sample = try #require(EvidenceSample(named: "azure-aci-milan-v2-maa-token"))
        let derived = ReportClaims.make(try AttestationReport(sample.report))
        let real = try Self.read(String(decoding: try #require(sample.file("maa-token.jwt")), as: UTF8.self)).claims
        #expect(derived.count > 15)
        for (name, value) in derived { #expect(real[name] == value, "\(name)") }
        // What is left is what no report says.
        let rest = Set(real.keys).subtracting(derived.keys).subtracting(ReportClaims.unknowable)
        #expect(rest == ["iss"])
    }
}
