import Issuing
import AzureSimulators
import EvidenceSamples
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SNPFixture
import SNPReport
import SecureMemory
import StrictJSON
import Testing
import UVMEndorsements

private let path = "/attest/SevSnpVm?api-version=2020-10-01"

/// The claims of a token, after its signature was checked with the provider's published certificate.
private func verifiedClaims(_ cloud: Cloud, _ token: String, host: String = Cloud.attestation) async throws -> JSONObject {
    let jws = try JWS(compact: token, maximumBytes: 100_000)
    let metadata = try await cloud.send(.get, host, "/.well-known/openid-configuration")
    #expect(try metadata.json.string("jwks_uri") == "https://\(host)/certs")
    #expect(jws.header.at("jku") == "https://\(host)/certs")
    let keys = try JWKSet(parsing: try await cloud.send(.get, host, "/certs").response.body, maximumKeys: 10)
    let keyID = try #require(jws.keyID)
    let key = try #require(keys.keys(withID: keyID).first)
    try jws.verify(with: key.publicKey, algorithm: .rs256)
    return try jws.payload().object()
}

struct AttestationTests {
    @Test(
        "a recorded Azure report gives the claims of the recorded Azure token",
        .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) func recordedToken() async throws
    {
        let sample = try #require(EvidenceSample(named: "azure-aci-milan-v2-maa-token"))
        let recordedText = try #require(sample.file("maa-token-claims.json"))
        let recorded = try JSONCursor.parse(recordedText).object()
        let reportText = try #require(sample.file("maa-attest-report-field.json"))
        let report = try JSONCursor.parse(reportText)
        let host = "sharedweu.weu.test.attest.azure.net"
        try await Cloud.run({ $0.extraHostNames = [host] }) { cloud in
            let bundle = Base64.encodeURL(report.value.serialized())
            let answer = try await cloud.send(.post, host, path, json: ["report": .string(bundle)])
            #expect(answer.status == 200, "\(answer.message)")
            #expect(answer.header("content-type") == "application/json; charset=utf-8")
            var claims = try await verifiedClaims(cloud, try answer.json.string("token"), host: host)
            #expect(claims["exp"] == .integer(Cloud.now + 28_800))
            #expect(claims["iat"] == .integer(Cloud.now) && claims["nbf"] == .integer(Cloud.now))
            #expect(claims.at("jti")?.utf8.count == 64)
            for name in ["exp", "iat", "nbf", "jti"] {
                claims.remove(name)
                #expect(recorded[name] != nil)
            }
            var expected = recorded
            for name in ["exp", "iat", "nbf", "jti"] { expected.remove(name) }
            // Compliance is not claimed, because no endorsements were given; the policy hash is that of the shared providers.
            #expect(claims == expected)
        }
    }

    @Test(
        "other recorded evidence is accepted, and damaged evidence is not",
        .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) func recordedEvidence() async throws
    {
        try await Cloud.run { cloud in
            for (name, accepted) in [
                ("azure-aci-genoa-v3-tav", true), ("google-milan-v2-gosevguest", true), ("baremetal-turin-v5-routex", true),
                ("negative-aws-milan-v2-vlek-wrong-leaf", false),
            ] {
                let sample = try #require(EvidenceSample(named: name))
                let pem = sample.chainPEM.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
                let good = try await cloud.send(
                    .post, Cloud.attestation, path, json: .object(AttestBody(report: sample.report, pem: pem).json))
                #expect((good.status == 200) == accepted, "\(name): \(good.message)")
                for offset in [0x50, 0x90, 0x180, 0x1A0, 0x2A0] {
                    var report = sample.report
                    report[offset] ^= 1
                    let bad = try await cloud.send(.post, Cloud.attestation, path, json: .object(AttestBody(report: report, pem: pem).json))
                    #expect(bad.status == 400)
                    #expect(bad.code == "InvalidParameter")
                }
            }
        }
    }

    @Test(
        "compliance is claimed for a verified endorsement of the utility VM",
        .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) func recordedCompliance() async throws
    {
        try await Cloud.run { cloud in
            for name in ["azure-aci-milan-v2-2023", "azure-aci-scitt-20260302"] {
                let sample = try #require(EvidenceSample(named: name))
                let cose = try #require(sample.file("reference-info.cose"))
                let pem = sample.chainPEM.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
                var body = AttestBody(report: sample.report, pem: pem)
                body.platformEndorsements = [cose]
                let answer = try await cloud.send(.post, Cloud.attestation, path, json: .object(body.json))
                #expect(answer.status == 200, "\(name): \(answer.message)")
                let claims = try await verifiedClaims(cloud, try answer.json.string("token"))
                #expect(claims.at("x-ms-compliance-status") == "azure-compliant-uvm")
                // Somebody else's endorsement, and one that was altered.
                var altered = cose
                altered[cose.count - 10] ^= 1
                let other = try #require(EvidenceSample(named: "azure-aci-security-context-dir")?.file("reference-info.cose"))
                for wrong in [altered, other, Array("garbage".utf8)] {
                    body.platformEndorsements = [wrong]
                    let refused = try await cloud.send(.post, Cloud.attestation, path, json: .object(body.json))
                    #expect(refused.status == 400)
                    #expect(refused.message.hasPrefix("The UVM endorsement cannot be verified"))
                }
            }
        }
    }

    @Test("a fixture's publisher of endorsements is believed only where it was configured") func fixtureCompliance() async throws {
        let publisher = try UVMFixture(notBefore: Cloud.now - 1000, notAfter: Cloud.now + 1000)
        let chip = try #require(Guest.chip)
        let guest = Guest(try WrappingKey.generate(bits: 2048))
        var body = AttestBody(report: try guest.report(), pem: chip.chain.map(\.pem).joined(), runtimeData: guest.runtimeData)
        body.platformEndorsements = [try publisher.endorse(measurement: guest.builder.measurement, svn: 100, signingTime: Cloud.now)]
        let json = JSONValue.object(body.json)
        try await Cloud.run(Guest.trust) { cloud in
            let refused = try await cloud.send(.post, Cloud.attestation, path, json: json)
            #expect(refused.status == 400)
        }
        try await Cloud.run({
            Guest.trust(&$0)
            $0.trustedPlatformIssuers = [publisher.trustedIssuer]
        }) { cloud in
            let answer = try await cloud.send(.post, Cloud.attestation, path, json: json)
            #expect(answer.status == 200, "\(answer.message)")
            let claims = try await verifiedClaims(cloud, try answer.json.string("token"))
            #expect(claims.at("x-ms-compliance-status") == "azure-compliant-uvm")
        }
    }

    @Test("a fixture root is believed only where it was configured") func fixtureRoot() async throws {
        let guest = Guest(try WrappingKey.generate(bits: 2048))
        let body = JSONValue.object(try guest.attestBody())
        try await Cloud.run { cloud in
            let answer = try await cloud.send(.post, Cloud.attestation, path, json: body)
            #expect(answer.status == 400)
            #expect(answer.code == "InvalidParameter")
        }
        try await Cloud.run(Guest.trust) { cloud in
            let answer = try await cloud.send(.post, Cloud.attestation, path, json: body)
            #expect(answer.status == 200)
        }
    }

    @Test("runtime data is bound to the report and becomes a claim") func runtimeData() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let guest = Guest(try WrappingKey.generate(bits: 2048))
            let claims = try await verifiedClaims(cloud, try await guest.token(cloud))
            #expect(claims["x-ms-runtime"] == .object(try JSONCursor.parse(guest.runtimeData).object()))
            #expect(claims["nonce"] == nil && claims["x-ms-compliance-status"] == nil && claims["x-ms-inittime"] == nil)
            #expect(claims["x-ms-sevsnpvm-vmpl"] == 0)
            #expect(claims["x-ms-sevsnpvm-is-debuggable"] == false)

            var other = try guest.attestBody()
            other.set("runtimeData", ["data": .string(Base64.encodeURL(Array("{}".utf8))), "dataType": "JSON"])
            let mismatch = try await cloud.send(.post, Cloud.attestation, path, json: .object(other))
            #expect(mismatch.status == 400)

            var binary = try guest.attestBody()
            binary.set("runtimeData", ["data": .string(Base64.encodeURL(guest.runtimeData)), "dataType": "binary"])
            let token = try await cloud.send(.post, Cloud.attestation, path, json: .object(binary)).json.string("token")
            #expect(try await verifiedClaims(cloud, token)["x-ms-runtime"] == nil)
        }
    }

    @Test("init-time data is bound to the host data") func initTimeData() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            var guest = Guest(try WrappingKey.generate(bits: 2048))
            let data = Array(#"{"policy":"allow"}"#.utf8)
            guest.builder.hostData = DigestAlgorithm.sha256.digest(data)
            var body = try guest.attestBody()
            body.set("initTimeData", ["data": .string(Base64.encodeURL(data)), "dataType": "JSON"])
            let answer = try await cloud.send(.post, Cloud.attestation, path, json: .object(body))
            #expect(answer.status == 200)
            #expect(try await verifiedClaims(cloud, try answer.json.string("token"))["x-ms-inittime"] == ["policy": "allow"])
            body.set("initTimeData", ["data": .string(Base64.encodeURL(Array("{}".utf8))), "dataType": "JSON"])
            #expect(try await cloud.send(.post, Cloud.attestation, path, json: .object(body)).status == 400)
        }
    }

    @Test("what clients write differently is understood") func tolerance() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let guest = Guest(try WrappingKey.generate(bits: 2048))
            let pem = try #require(Guest.chip).chain.map(\.pem).joined()
            let body = AttestBody(report: try guest.report(), pem: pem, runtimeData: guest.runtimeData, pads: true, prettyBundle: true)
            var json = body.json
            // The sidecar's empty init-time data and its numeric nonce.
            json.set("initTimeData", ["data": "", "dataType": ""])
            for spelling in ["/attest/SevSnpVM", "/attest/sevsnpvm", "/Attest/SevSnpVm"] {
                let answer = try await cloud.send(.post, Cloud.attestation, spelling + "?api-version=2022-08-01", json: .object(json))
                #expect(answer.status == 200, "\(answer.message)")
            }
            for (written, echoed) in [("7", "7"), ("18446744073709551615", "18446744073709551615"), (#""n-0001""#, "n-0001")] {
                var text = JSONValue.object(json).serialized()
                text.removeLast()
                text += Array(#","nonce" : \#(written)}"#.utf8)
                let answer = try await cloud.send(.post, Cloud.attestation, path, body: text)
                #expect(answer.status == 200, "\(answer.message)")
                let claims = try await verifiedClaims(cloud, try answer.json.string("token"))
                #expect(claims["nonce"] == .string(echoed))
            }
        }
    }

    @Test("requests that are not attestation requests") func malformed() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            let good = try Guest(try WrappingKey.generate(bits: 2048)).attestBody()
            func ask(_ change: (inout JSONObject) -> Void) async throws -> Answer {
                var body = good
                change(&body)
                return try await cloud.send(.post, Cloud.attestation, path, json: .object(body))
            }
            let bundles: [JSONValue] = [[:], ["SnpReport": "AA"], ["SnpReport": "AA", "VcekCertChain": "AA"], ["SnpReport": 7], [1]]
            for bundle in bundles {
                let answer = try await ask { $0.set("report", .string(Base64.encodeURL(bundle.serialized()))) }
                #expect(answer.status == 400)
                #expect(answer.code == "InvalidParameter")
            }
            for (member, value): (String, JSONValue) in [
                ("report", "%%%"), ("report", 7), ("report", .null), ("runtimeData", "x"), ("runtimeData", ["data": 7]),
                ("runtimeData", ["data": "e30", "dataType": "Rego"]), ("nonce", true), ("nonce", 1.5), ("nonce", -1.5),
                ("draftPolicyForAttestation", 7),
            ] {
                let answer = try await ask { $0.set(member, value) }
                #expect(answer.status == 400, "\(member) \(value)")
            }
            for body in ["", "{", "[]", "null", "{}", #"{"report":"a","report":"b"}"#] {
                let answer = try await cloud.send(.post, Cloud.attestation, path, body: Array(body.utf8))
                #expect(answer.status == 400, "\(body)")
            }
            for version in ["/attest/SevSnpVm", "/attest/SevSnpVm?api-version=2019-01-01"] {
                let answer = try await cloud.send(.post, Cloud.attestation, version, json: .object(good))
                #expect(answer.status == 400)
            }
            #expect(try await cloud.send(.post, Cloud.attestation, "/attest/TdxVm?api-version=2025-06-01").status == 501)
            #expect(try await cloud.send(.get, Cloud.attestation, "/").status == 404)
        }
    }

    @Test("a draft policy gives a token that cannot be validated") func draftPolicy() async throws {
        try await Cloud.run(Guest.trust) { cloud in
            var body = try Guest(try WrappingKey.generate(bits: 2048)).attestBody()
            let policy = "version= 1.0;\nauthorizationrules{\n=> permit();\n};\nissuancerules{\n};"
            body.set("draftPolicyForAttestation", .string(policy))
            let answer = try await cloud.send(.post, Cloud.attestation, path, json: .object(body))
            let jws = try JWS(compact: try answer.json.string("token"), maximumBytes: 100_000)
            #expect(jws.algorithm == "none")
            #expect(jws.signature.isEmpty)
            // The vector of KnownAnswers.md, "Attestation policy hash".
            #expect(try jws.payload().string("x-ms-policy-hash") == "yhc8GAfFgCrEvUg3lp5RMYuV4zPf52zmK_PyYp60HHg")
            for (text, code) in [
                ("nonsense", "PolicyParsingError"), ("version=1.0;authorizationrules{[type==\"x\"]=>deny();};", "PolicyEvaluationError"),
            ] {
                body.set("draftPolicyForAttestation", .string(text))
                let refused = try await cloud.send(.post, Cloud.attestation, path, json: .object(body))
                #expect(refused.status == 400)
                #expect(refused.code == code)
            }
        }
    }

    @Test("keys are published as certificates only, one per provider") func keys() async throws {
        try await Cloud.run { cloud in
            let answer = try await cloud.send(.get, Cloud.attestation, "/certs")
            let key = try #require(try answer.json.array("keys").first)
            #expect(try key.object()["n"] == nil && key.object()["e"] == nil)
            let kid = try key.string("kid")
            #expect(Base64.decode(kid)?.count == 32)
            #expect(kid.hasSuffix("="))
            let text = try #require(try key.array("x5c").first).string()
            let der = try #require(Base64.decode(text))
            let certificate = try Certificate(der: der)
            #expect(certificate.subjectCommonName == "https://\(Cloud.attestation)")
            #expect(certificate.isSigned(by: certificate))
            let other = try await cloud.send(.get, "contoso.neu.attest.azure.net", "/certs")
            #expect(other.response.body != answer.response.body)
            #expect(try await cloud.send(.get, Cloud.attestation, "/certs").response.body == answer.response.body)
        }
    }

    @Test("a bearer can be demanded, and policies need one") func bearer() async throws {
        try await Cloud.run({
            Guest.trust(&$0)
            $0.attestationRequiresBearer = true
        }) { cloud in
            let body = JSONValue.object(try Guest(try WrappingKey.generate(bits: 2048)).attestBody())
            let refused = try await cloud.send(.post, Cloud.attestation, path, json: body)
            #expect(refused.status == 401)
            #expect(refused.code == "Unauthorized")
            let bearer = try cloud.simulators.accessToken(audience: "https://attest.azure.net")
            #expect(try await cloud.send(.post, Cloud.attestation, path, json: body, bearer: bearer).status == 200)

            let policies = "/policies/SevSnpVm?api-version=2022-08-01"
            #expect(try await cloud.send(.get, Cloud.attestation, policies).status == 401)
            let answer = try await cloud.send(.get, Cloud.attestation, policies, bearer: bearer)
            let claims = try await verifiedClaims(cloud, try answer.json.string("token"))
            let policy = try #require(claims.at("x-ms-policy"))
            let encoded = try JWS(compact: policy, maximumBytes: 10_000).payload().string("AttestationPolicy")
            let text = try #require(Base64.decodeURL(encoded))
            #expect(String(decoding: text, as: UTF8.self) == "version= 1.0;authorizationrules{=> permit();};")
        }
    }

    @Test("the life of tokens can be shortened") func life() async throws {
        try await Cloud.run({
            Guest.trust(&$0)
            $0.attestationTokenLife = 60
        }) { cloud in
            let token = try await Guest(try WrappingKey.generate(bits: 2048)).token(cloud)
            #expect(try await verifiedClaims(cloud, token)["exp"] == .integer(Cloud.now + 60))
        }
    }
}
