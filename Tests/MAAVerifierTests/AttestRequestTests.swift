import BrokerCore
import BrokerTestKit
import HTTPTransport
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite("What maa sends") struct AttestRequestTests {
    private func body(_ request: HTTPRequest) throws -> JSONCursor { try JSONCursor.parse(request.body ?? []) }

    private func decoded(_ cursor: JSONCursor) throws -> [UInt8] { try #require(Base64.decodeURL(try cursor.string())) }

    @Test("method, path, fields: no bearer, nothing empty") func shape() async throws {
        let fixture = try MAAFixture()
        _ = try await fixture.token()
        let request = try #require(fixture.authority.requests.first)
        #expect(request.method == .post)
        #expect(request.path == "/attest/SevSnpVm?api-version=2020-10-01")
        #expect(request.target == .service(fixture.authority.endpoint))
        #expect(request.bearer == nil)
        #expect(request.headers.contains { $0 == ("User-Agent", "ConfidentialSkrContainer") })
        #expect(request.headers.contains { $0 == ("Content-Type", "application/json") })
        let body = try body(request)
        #expect(Set(try body.object().keys) == ["report", "runtimeData", "nonce"])
        #expect(try body.member("runtimeData").string("dataType") == "JSON")
        #expect(try decoded(body.member("runtimeData").member("data")) == runtimeData().bytes)
        #expect(!(try body.string("report").contains("=")))
        #expect(try body.string("nonce").utf8.count == 64)
    }

    @Test("the bundle holds the report, the chain as PEM leaf first, and no empty endorsements") func bundle() async throws {
        let fixture = try MAAFixture()
        let data = runtimeData()
        let evidence = try SampleEvidence.evidence(for: data)
        _ = try await fixture.verifier.token(for: evidence, runtimeData: data, from: fixture.authority.endpoint, in: .forTest())
        let request = try #require(fixture.authority.requests.first)
        let bundle = try JSONCursor.parse(try decoded(body(request).member("report")))
        #expect(try bundle.object().keys == ["SnpReport", "VcekCertChain"])
        #expect(try decoded(bundle.member("SnpReport")) == evidence.report)
        let chain = try Certificate.parse(pemOrDER: try decoded(bundle.member("VcekCertChain")), maximumCount: 10)
        #expect(chain.map(\.der) == evidence.endorsements)
    }

    @Test("platform endorsements are nested as the service wants them") func platformEndorsements() async throws {
        let fixture = try MAAFixture()
        let data = runtimeData()
        let evidence = try SampleEvidence.evidence(for: data, platformEndorsements: [[0xD2, 0x84], [1, 2, 3]])
        _ = try await fixture.verifier.token(for: evidence, runtimeData: data, from: fixture.authority.endpoint, in: .forTest())
        let request = try #require(fixture.authority.requests.first)
        let bundle = try JSONCursor.parse(try decoded(body(request).member("report")))
        let uvm = try JSONCursor.parse(try decoded(bundle.member("Endorsements"))).array("Uvm").map { try decoded($0) }
        #expect(uvm == [[0xD2, 0x84], [1, 2, 3]])
    }

    @Test(
        "only a JSON object goes as JSON",
        arguments: [
            ("{}", "JSON"), (#"{"a":18446744073709551615}"#, "JSON"), ("[1]", "Binary"), ("aGk=", "Binary"), ("", "Binary"),
            (#"{"a":1,"a":2}"#, "Binary"), ("{} x", "Binary"),
            (String(repeating: #"{"a":"#, count: 40) + "1" + String(repeating: "}", count: 40), "Binary"),
        ]) func dataType(text: String, type: String) async throws
    {
        let fixture = try MAAFixture()
        _ = await fixture.failure(runtimeData(text))
        let request = try #require(fixture.authority.requests.first)
        #expect(try body(request).member("runtimeData").string("dataType") == type)
    }

    @Test("no two requests have the same nonce") func nonces() async throws {
        let fixture = try MAAFixture()
        for _ in 0..<3 { _ = try await fixture.token() }
        let nonces = try fixture.authority.requests.filter { $0.path != "/certs" }.map { try body($0).string("nonce") }
        #expect(Set(nonces).count == 3)
    }

    @Test("an endorsement that is no certificate is an error, not a request") func badEndorsement() async throws {
        let fixture = try MAAFixture()
        let data = runtimeData()
        let good = try SampleEvidence.evidence(for: data)
        let evidence = Evidence(report: good.report, endorsements: [[1, 2, 3]], endorsedTCB: good.endorsedTCB, provenance: .fixture)
        await #expect(throws: BrokerError.self) {
            try await fixture.verifier.token(for: evidence, runtimeData: data, from: fixture.authority.endpoint, in: .forTest())
        }
        #expect(fixture.authority.requests.isEmpty)
    }
}
