import Issuing
import PlainText
@testable import UVMEndorsements
import EvidenceSamples
import OpenSSLCrypto

/// A folder of the evidence with a UVM endorsement.
struct EndorsementSample: Sendable, CustomStringConvertible {
    let evidence: EvidenceSample
    let cose: [UInt8]
    let ledgerKeys: [UInt8]?

    static let all: [EndorsementSample] = EvidenceSample.holding("reference-info.cose").map { sample in
        EndorsementSample(evidence: sample, cose: sample.file("reference-info.cose") ?? [], ledgerKeys: sample.file("ledger-jwks.json"))
    }

    /// The member of `uvm_endorsement` of `expected.json`.
    func text(_ member: String) -> String? { evidence.expected.at("uvm_endorsement", member)?.text }

    var measurement: [UInt8]? { text("launch_measurement").flatMap { Hex.decode($0) } }
    var description: String { evidence.name }
}

/// One publisher for all tests, and what its endorsements are about.
enum Publisher {
    static let now: Int64 = 1_750_000_000
    static let day: Int64 = 86_400
    static let measurement = [UInt8](0..<48)

    static let p384 = Result { try UVMFixture(.p384, notBefore: now - 100 * day, notAfter: now + 100 * day) }
    static let rsa3072 = Result { try UVMFixture(.rsa3072, notBefore: now - 100 * day, notAfter: now + 100 * day) }

    static func policy(_ fixture: UVMFixture) -> UVMEndorsementVerifier.Policy {
        var policy = UVMEndorsementVerifier.Policy()
        policy.trustedIssuers = [fixture.trustedIssuer]
        policy.expectedMeasurement = measurement
        return policy
    }

    /// The protected header of the legacy form, for tests that change an entry.
    static func header(_ fixture: UVMFixture) -> [(CBORValue, CBORValue)] {
        [
            (1, CBORValue(COSEAlgorithm.es384.rawValue)), (3, "application/json"),
            (33, .array(fixture.certificates.map { .bytes($0.der) })), (34, [-16, .bytes(fixture.certificates[0].sha256)]),
            ("iss", .text(fixture.issuer)), ("feed", .text(fixture.feed)), ("signingtime", .tagged(1, CBORValue(now))),
        ]
    }

    static func document(measurement: String = Hex.encode(measurement), _ svn: String = #""x-ms-sevsnpvm-guestsvn":"7""#) -> [UInt8] {
        Array(#"{"x-ms-sevsnpvm-launchmeasurement":"\#(measurement)"\#(svn.isEmpty ? "" : ",")\#(svn)}"#.utf8)
    }
}

extension [(CBORValue, CBORValue)] {
    /// The same entries, with another value for a label that is there, or with the label added; `nil` removes it.
    func with(_ label: CBORValue, _ value: CBORValue?) -> Self {
        var entries = self
        let index = entries.firstIndex { $0.0 == label }
        switch (index, value) {
        case (let index?, let value?): entries[index].1 = value
        case (let index?, nil): entries.remove(at: index)
        case (nil, let value?): entries.append((label, value))
        case (nil, nil): break
        }
        return entries
    }
}

extension COSESign1 {
    /// The message with some of its parts replaced, encoded.
    func replacing(protected: [UInt8]? = nil, payload: [UInt8]? = nil, signature: [UInt8]? = nil, unprotected: CBORMap? = nil) -> [UInt8] {
        COSESign1(
            protected: protected ?? self.protected, unprotected: unprotected ?? self.unprotected, payload: payload ?? self.payload,
            signature: signature ?? self.signature
        ).encoded(unprotected: unprotected ?? self.unprotected)
    }
}

extension [UInt8] {
    /// The bytes with one bit turned over.
    func flipping(_ index: Int, bit: Int) -> [UInt8] {
        var bytes = self
        bytes[index] ^= 1 << UInt8(bit & 7)
        return bytes
    }
}

extension UVMVerificationResult { func detail(_ code: UVMCheckCode) -> String { checks.first { $0.code == code.rawValue }?.detail ?? "" } }

/// A small seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
