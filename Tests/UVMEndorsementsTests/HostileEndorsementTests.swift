import Issuing
@testable import UVMEndorsements
import OpenSSLCrypto
import Testing

/// Endorsements that are wrong in one respect and correctly signed all the same.
@Suite("Hostile endorsements") struct HostileEndorsementTests {
    private let verifier = UVMEndorsementVerifier()
    private let fixture: UVMFixture

    init() throws { fixture = try Publisher.p384.get() }

    private func result(
        _ header: [(CBORValue, CBORValue)], unprotected: [(CBORValue, CBORValue)] = [], payload: [UInt8] = Publisher.document()
    ) throws -> UVMVerificationResult {
        verifier.verify(try fixture.sign(header, unprotected: unprotected, payload: payload), policy: Publisher.policy(fixture))
    }

    @Test("the unchanged header verifies, so that the others fail for their own reason") func control() throws {
        let result = try result(Publisher.header(fixture))
        #expect(result.isVerified, "\(result.checks)")
    }

    @Test(
        "bytes that are no message",
        arguments: [
            [], [0xD2], [0xF6], [0x84, 0x40, 0xA0, 0x40, 0x40], [0xD2, 0x83, 0x40, 0xA0, 0x40], [0xD2, 0x84, 0x40, 0xA0, 0xF6, 0x40],
            [0xD2, 0x84, 0xA0, 0xA0, 0x40, 0x40], [0xD1, 0x84, 0x40, 0xA0, 0x40, 0x40], [0xD2, 0x84, 0x40, 0x80, 0x40, 0x40],
            [0xD2, 0x84, 0x40, 0xA0, 0x60, 0x40], [0xD2, 0x9F, 0x40, 0xA0, 0x40, 0x40, 0xFF],
            [0xD2, 0x84, 0x5F, 0x41, 0xA0, 0xFF, 0xA0, 0x40, 0x40], [UInt8](repeating: 0xD2, count: 5000),
            [UInt8](repeating: 0x81, count: 5000), [0xD2, 0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            Array("{\"not\":\"CBOR\"}".utf8), [0xD2, 0x84, 0x40, 0xA2, 1, 0, 1, 0, 0x40, 0x40],
        ] as [[UInt8]]) func noMessage(_ bytes: [UInt8])
    {
        let result = verifier.verify(bytes)
        #expect(result.failures == ["uvm-cose"])
        #expect(!result.isVerified && result.endorsement == nil)
        #expect(throws: UVMEndorsementError.self) { try UVMEndorsement(cose: bytes) }
    }

    @Test("a message above the size limit is not read") func size() {
        let result = verifier.verify([0xD2, 0x84] + [UInt8](repeating: 0, count: 1 << 18))
        #expect(result.detail(.cose).contains("larger than allowed"))
    }

    @Test("a protected header that is no map", arguments: [[], [0x80], [0xA1], [0xA1, 0x01], [0xBF, 0xFF], [0xA0, 0xA0]] as [[UInt8]])
    func noHeader(_ protected: [UInt8]) throws {
        let message = try COSESign1(fixture.sign(Publisher.header(fixture), payload: Publisher.document()))
        #expect(verifier.verify(message.replacing(protected: protected)).failures == ["uvm-protected-header"])
    }

    @Test("a label in both headers") func bothHeaders() throws {
        #expect(try result(Publisher.header(fixture), unprotected: [("feed", "Other")]).failures == ["uvm-protected-header"])
        #expect(try result(Publisher.header(fixture), unprotected: [("other", "Other")]).isVerified)
    }

    @Test(
        "algorithms that are not accepted: RS256 to RS512, RS1, HS256, EdDSA, a name",
        arguments: [-257, -258, -259, -65535, 5, -8, 0, "ES384", .null] as [CBORValue]) func algorithm(_ algorithm: CBORValue) throws
    { #expect(try result(Publisher.header(fixture).with(1, algorithm)).failures == ["uvm-protected-header"]) }

    @Test("algorithms that do not fit the leaf's key", arguments: COSEAlgorithm.allCases.filter { $0 != .es384 }) func otherAlgorithm(
        _ algorithm: COSEAlgorithm
    ) throws {
        let result = try result(Publisher.header(fixture).with(1, CBORValue(algorithm.rawValue)))
        #expect(result.failures == ["uvm-signature"])
        #expect(result.detail(.signature).contains("does not fit"))
    }

    @Test("labels that must be there", arguments: [1, 3, 33, "iss", "feed"] as [CBORValue]) func missing(_ label: CBORValue) throws {
        #expect(try result(Publisher.header(fixture).with(label, nil)).failures == ["uvm-protected-header"])
    }

    struct Entry: Sendable, CustomStringConvertible {
        let label: CBORValue
        let value: CBORValue
        var description: String { "\(label): \(value.kindName)" }
    }

    @Test(
        "values of the wrong type or out of bounds",
        arguments: [
            Entry(label: 3, value: "application/cbor"), Entry(label: 3, value: 50), Entry(label: 33, value: .bytes([0x30])),
            Entry(label: 33, value: "text"), Entry(label: 33, value: ["text", "text"]), Entry(label: 34, value: 5),
            Entry(label: 34, value: [-16]), Entry(label: 34, value: [-16, .bytes([1, 2])]),
            Entry(label: 34, value: [-14, .bytes([UInt8](repeating: 0, count: 20))]), Entry(label: "iss", value: 7),
            Entry(label: "iss", value: ""), Entry(label: "feed", value: ""), Entry(label: "feed", value: "line\nbreak"),
            Entry(label: "feed", value: "ContainerPl\u{0430}t"), Entry(label: "feed", value: .text(String(repeating: "x", count: 257))),
            Entry(label: "iss", value: .text(String(repeating: "x", count: 2049))),
            Entry(label: "signingtime", value: "2025-01-01T00:00:00Z"), Entry(label: "signingtime", value: -1),
            Entry(label: "signingtime", value: .tagged(0, 5)), Entry(label: "signingtime", value: .unsigned(.max)),
            Entry(label: "signingtime", value: .float(.nan)), Entry(label: "signingtime", value: .tagged(1, .float(1e300))),
            Entry(label: 15, value: []), Entry(label: 15, value: .map(CBORMap([(1, "did:x509:0:other")]))),
            Entry(label: 15, value: .map(CBORMap([(2, "Other-Feed")]))), Entry(label: 15, value: .map(CBORMap([(6, 1)]))),
            Entry(label: 15, value: .map(CBORMap([("svn", -1)]))), Entry(label: 15, value: .map(CBORMap([("svn", "7")]))),
            Entry(label: 2, value: []), Entry(label: 2, value: [99]), Entry(label: 2, value: ["unknown"]), Entry(label: 2, value: 1),
            Entry(label: 2, value: [258]), Entry(label: 258, value: -43), Entry(label: 258, value: -16),
        ]) func wrongValues(_ entry: Entry) throws
    { #expect(try result(Publisher.header(fixture).with(entry.label, entry.value)).failures == ["uvm-protected-header"]) }

    @Test("crit with understood labels, and times without a tag or with a fraction, are fine") func tolerated() throws {
        let header = Publisher.header(fixture)
        #expect(try result(header.with(2, [1, 33, "iss"])).isVerified)
        #expect(try result(header.with("signingtime", CBORValue(Publisher.now))).isVerified)
        #expect(try result(header.with("signingtime", .tagged(1, .float(Double(Publisher.now) + 0.5)))).isVerified)
        #expect(try result(header.with(34, nil)).isVerified)
        let leaf = fixture.certificates[0].der
        #expect(try result(header.with(34, [-43, .bytes(DigestAlgorithm.sha384.digest(leaf))])).isVerified)
    }

    @Test("a hash envelope must announce itself completely") func envelope() throws {
        let header = Publisher.header(fixture).with(3, nil).with(258, -43).with(259, "application/octet-stream").with(
            15, .map(CBORMap([("svn", 7)])))
        func failures(_ header: [(CBORValue, CBORValue)], _ payload: [UInt8] = Publisher.measurement) throws -> [String] {
            try result(header, payload: payload).failures
        }
        #expect(try failures(header) == [])
        #expect(try failures(header.with(3, "application/json")) == ["uvm-protected-header"])
        #expect(try failures(header.with(259, nil)) == ["uvm-protected-header"])
        #expect(try failures(header.with(259, "text/plain")) == ["uvm-protected-header"])
        #expect(try failures(header.with(258, -16)) == ["uvm-protected-header"])
        #expect(try failures(header.with(15, nil)) == ["uvm-svn"])
        #expect(try failures(header, Array(Publisher.measurement.dropLast())) == ["uvm-payload"])
        #expect(try failures(header, Publisher.document()) == ["uvm-payload"])
    }

    @Test(
        "payloads that are not the document",
        arguments: [
            "", "{", "[]", "null", "{}", #"{"x-ms-sevsnpvm-launchmeasurement":5,"x-ms-sevsnpvm-guestsvn":"7"}"#,
            #"{"x-ms-sevsnpvm-launchmeasurement":"zz","x-ms-sevsnpvm-guestsvn":"7"}"#,
            #"{"x-ms-sevsnpvm-launchmeasurement":"00","x-ms-sevsnpvm-guestsvn":"7"}"#,
        ]) func wrongDocument(_ text: String) throws
    { #expect(try result(Publisher.header(fixture), payload: Array(text.utf8)).failures == ["uvm-payload"]) }

    @Test("a payload with more nesting or bytes than it needs") func heavyDocument() throws {
        let deep = #""a":"# + String(repeating: "[", count: 50) + String(repeating: "]", count: 50)
        let long = #""a":""# + String(repeating: "x", count: 20_000) + "\""
        for extra in [deep, long] {
            #expect(try result(Publisher.header(fixture), payload: Publisher.document(extra)).failures == ["uvm-payload"])
        }
    }

    @Test(
        "security version numbers that are accepted",
        arguments: [
            #""x-ms-sevsnpvm-guestsvn":"7""#, #""x-ms-sevsnpvm-guestsvn":7"#, #""x-ms-sevsnpvm-guestsvn-int":7"#,
            #""x-ms-sevsnpvm-guestsvn":"7","x-ms-sevsnpvm-guestsvn-int":7"#, #""x-ms-sevsnpvm-guestsvn":"7","other":true"#,
        ]) func versions(_ member: String) throws
    {
        let result = try result(Publisher.header(fixture), payload: Publisher.document(member))
        #expect(result.isVerified)
        #expect(result.endorsement?.svn == 7)
    }

    @Test(
        "security version numbers that are not",
        arguments: [
            #""x-ms-sevsnpvm-guestsvn":"-1""#, #""x-ms-sevsnpvm-guestsvn":"7.0""#, #""x-ms-sevsnpvm-guestsvn":7.5"#,
            #""x-ms-sevsnpvm-guestsvn":"7","x-ms-sevsnpvm-guestsvn-int":8"#, #""x-ms-sevsnpvm-guestsvn":"0x7""#,
            #""x-ms-sevsnpvm-guestsvn":"7","x-ms-sevsnpvm-guestsvn":"8""#, #""x-ms-sevsnpvm-guestsvn":"99999999999999999999""#,
            #""x-ms-sevsnpvm-guestsvn":"""#,
        ]) func wrongVersions(_ member: String) throws
    { #expect(try result(Publisher.header(fixture), payload: Publisher.document(member)).failures == ["uvm-payload"]) }

    @Test("no security version number, or one in the header that differs") func missingVersion() throws {
        #expect(try result(Publisher.header(fixture), payload: Publisher.document("")).failures == ["uvm-svn"])
        let header = Publisher.header(fixture).with(15, .map(CBORMap([("svn", 8)])))
        #expect(try result(header).failures == ["uvm-svn"])
    }

    @Test("certificates that are none") func noCertificates() throws {
        let chain = fixture.certificates.map { CBORValue.bytes($0.der) }
        for broken in [[], [0x30], Array("-----BEGIN".utf8), fixture.certificates[1].der + [0], [UInt8](repeating: 0x30, count: 20_000)] {
            let result = try result(Publisher.header(fixture).with(33, [chain[0], .bytes(broken), chain[2]]))
            #expect(result.failures == ["uvm-certificate"])
            #expect(result.detail(.certificate).hasPrefix("certificate 2 of 3"))
        }
    }

    @Test("chains of one, of eleven and of a thousand certificates", arguments: [1, 11, 1000]) func chainLength(count: Int) throws {
        let chain = CBORValue.array((0..<count).map { _ in .bytes(fixture.certificates[0].der) })
        #expect(try !result(Publisher.header(fixture).with(33, chain)).isVerified)
        let short = CBORValue.array((0..<count).map { _ in .bytes([0x30]) })
        #expect(try !result(Publisher.header(fixture).with(33, short)).isVerified)
    }

    @Test("a feed, an issuer or a version that the policy does not list") func policy() throws {
        let cose = try fixture.endorse(measurement: Publisher.measurement, svn: 7, signingTime: Publisher.now)
        var policy = Publisher.policy(fixture)
        policy.trustedIssuers[0].feed = "fixture-amd-uvm"
        #expect(verifier.verify(cose, policy: policy).failures == ["uvm-feed"])
        policy.trustedIssuers = [TrustedIssuer(issuer: fixture.issuer + "0", feed: fixture.feed)]
        #expect(verifier.verify(cose, policy: policy).failures == ["uvm-issuer"])
        policy.trustedIssuers = []
        #expect(verifier.verify(cose, policy: policy).failures == ["uvm-issuer"])
        #expect(verifier.verify(cose).failures == ["uvm-issuer"])
        // The lowest minimum of all entries for issuer and feed counts; other entries do not.
        policy.trustedIssuers = [
            TrustedIssuer(issuer: fixture.issuer, feed: fixture.feed, minimumSVN: 8),
            TrustedIssuer(issuer: fixture.issuer, feed: "Other", minimumSVN: 0),
        ]
        #expect(verifier.verify(cose, policy: policy).failures == ["uvm-svn"])
        policy.trustedIssuers.append(TrustedIssuer(issuer: fixture.issuer, feed: fixture.feed, minimumSVN: 7))
        #expect(verifier.verify(cose, policy: policy).isVerified)
        policy.expectedMeasurement = Array(Publisher.measurement.dropLast())
        #expect(verifier.verify(cose, policy: policy).failures == ["uvm-measurement"])
    }
}
