@testable import UVMEndorsements
import EvidenceSamples
import OpenSSLCrypto
import Testing

@Suite("Altered endorsements", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is not there")) struct AlteredEndorsementTests {
    private let verifier = UVMEndorsementVerifier()

    private func policy(_ sample: EndorsementSample) -> UVMEndorsementVerifier.Policy {
        var policy = UVMEndorsementVerifier.Policy()
        policy.expectedMeasurement = sample.measurement
        return policy
    }

    @Test("a flipped bit in the signature shows there and nowhere else", arguments: EndorsementSample.all) func signature(
        _ sample: EndorsementSample
    ) throws {
        let message = try COSESign1(sample.cose)
        #expect(message.encoded(unprotected: message.unprotected) == sample.cose)
        for index in message.signature.indices {
            let altered = message.replacing(signature: message.signature.flipping(index, bit: index))
            let result = verifier.verify(altered, policy: policy(sample))
            #expect(!result.isVerified)
            #expect(result.failures == ["uvm-signature"], "byte \(index)")
            #expect(result.detail(.signature).hasSuffix("the signature was altered"))
        }
    }

    @Test("a flipped bit in the payload never counts against header, chain or issuer", arguments: EndorsementSample.all) func payload(
        _ sample: EndorsementSample
    ) throws {
        let message = try COSESign1(sample.cose)
        let payload = try #require(message.payload)
        for index in payload.indices {
            let altered = message.replacing(payload: payload.flipping(index, bit: index))
            let result = verifier.verify(altered, policy: policy(sample))
            #expect(!result.isVerified)
            #expect(result.failures.contains("uvm-signature"), "byte \(index)")
            #expect(
                Set(result.failures).isSubset(of: ["uvm-signature", "uvm-payload", "uvm-svn", "uvm-measurement"]),
                "byte \(index): \(result.failures)")
        }
        // A changed digit of the measurement leaves a readable payload that endorses something else.
        let measurement = try #require(sample.measurement)
        let text = try UVMEndorsement(cose: sample.cose).form == .json ? Array(Hex.encode(measurement).utf8) : measurement
        let start = try #require(payload.firstRange(of: text)?.lowerBound)
        let digit = message.replacing(payload: payload.flipping(start + 1, bit: 0))
        #expect(verifier.verify(digit, policy: policy(sample)).failures == ["uvm-signature", "uvm-measurement"])
    }

    @Test("a flipped bit in the protected header never counts against the payload", arguments: EndorsementSample.all) func protectedHeader(
        _ sample: EndorsementSample
    ) throws {
        let message = try COSESign1(sample.cose)
        let chain = try certificateRanges(message)
        let outside = message.protected.indices.filter { index in !chain.contains { $0.contains(index) } }
        #expect(outside.count > 150)
        for index in outside {
            for bit in [index, index + 3] {
                let altered = message.replacing(protected: message.protected.flipping(index, bit: bit))
                let result = verifier.verify(altered, policy: policy(sample))
                #expect(!result.isVerified)
                #expect(!Set(result.failures).isDisjoint(with: ["uvm-protected-header", "uvm-signature"]), "byte \(index)")
                #expect(Set(result.failures).isDisjoint(with: ["uvm-cose", "uvm-measurement"]), "byte \(index): \(result.failures)")
            }
        }
    }

    @Test("changed values of the header are named", arguments: EndorsementSample.all) func namedValues(_ sample: EndorsementSample) throws {
        let message = try COSESign1(sample.cose)
        func failures(at text: String, _ offset: Int) throws -> [String] {
            let start = try #require(message.protected.firstRange(of: Array(text.utf8))?.lowerBound)
            let altered = message.replacing(protected: message.protected.flipping(start + offset, bit: 0))
            return verifier.verify(altered, policy: policy(sample)).failures
        }
        #expect(try failures(at: "ContainerPlat-AMD-UVM", 0) == ["uvm-signature", "uvm-feed"])
        #expect(try failures(at: "did:x509:0:", 9) == ["uvm-signature", "uvm-did", "uvm-issuer"])
        #expect(try failures(at: "::eku:1.3.6", 6) == ["uvm-signature", "uvm-did", "uvm-issuer"])
        let thumbprint = try #require(sample.text("x5t_sha256").flatMap { Hex.decode($0) })
        let start = try #require(message.protected.firstRange(of: thumbprint)?.lowerBound)
        let altered = message.replacing(protected: message.protected.flipping(start, bit: 5))
        let result = verifier.verify(altered, policy: policy(sample))
        #expect(result.failures == ["uvm-protected-header", "uvm-signature"])
        #expect(result.detail(.protectedHeader).contains("x5t names another certificate"))
    }

    @Test("a flipped bit in a certificate shows in the chain or in the certificate", arguments: EndorsementSample.all) func certificates(
        _ sample: EndorsementSample
    ) throws {
        let message = try COSESign1(sample.cose)
        for (position, range) in try certificateRanges(message).enumerated() {
            for index in stride(from: range.lowerBound, to: range.upperBound, by: 7) {
                let altered = message.replacing(protected: message.protected.flipping(index, bit: index))
                let result = verifier.verify(altered, policy: policy(sample))
                #expect(!result.isVerified)
                #expect(
                    !Set(result.failures).isDisjoint(with: ["uvm-certificate", "uvm-chain"]),
                    "certificate \(position + 1), byte \(index - range.lowerBound): \(result.failures)")
                #expect(Set(result.failures).isDisjoint(with: ["uvm-payload", "uvm-measurement", "uvm-feed"]))
                if position == 0 { #expect(result.failures.contains("uvm-certificate")) }
            }
        }
    }

    @Test("the legacy form's time stamp tells whether the signature value is the original one") func witness() throws {
        for sample in EndorsementSample.all {
            let message = try COSESign1(sample.cose)
            let payload = try #require(message.payload)
            guard try UVMEndorsement(cose: sample.cose).form == .json else { continue }
            let moved = message.replacing(payload: payload + [0x20])
            #expect(
                verifier.verify(moved).detail(.signature).hasSuffix(
                    "its time stamp names this signature value, so the protected header or the payload was altered"))
            let stripped = message.replacing(signature: message.signature.flipping(9, bit: 1), unprotected: CBORMap())
            #expect(
                verifier.verify(stripped).detail(.signature).hasSuffix("the protected header or the payload or the signature was altered"))
        }
    }

    @Test("swapped certificates, and a chain cut short", arguments: EndorsementSample.all) func reorderedChain(_ sample: EndorsementSample)
        throws
    {
        let message = try COSESign1(sample.cose)
        let header = try message.protectedHeader()
        let chain = try #require(header[33]?.array)
        func failures(_ replacement: [CBORValue]) -> [String] {
            let entries = header.map { ($0.key, $0.key == 33 ? .array(replacement) : $0.value) }
            return verifier.verify(message.replacing(protected: CBORValue.map(CBORMap(entries)).encoded())).failures
        }
        #expect(failures([chain[1], chain[0], chain[2]]).contains("uvm-chain"))
        #expect(failures(chain.reversed()).contains("uvm-chain"))
        #expect(failures([chain[0], chain[2]]).contains("uvm-chain"))
        // Without the root every link of the rest holds, and nothing in it is what the issuer names.
        #expect(failures([chain[0], chain[1]]) == ["uvm-chain", "uvm-signature", "uvm-did"])
        #expect(failures([chain[0]]) == ["uvm-protected-header"])
        #expect(failures([]) == ["uvm-protected-header"])
        #expect(failures([CBORValue](repeating: chain[0], count: 11)) == ["uvm-protected-header"])
    }

    @Test("every truncation is refused", arguments: EndorsementSample.all) func truncation(_ sample: EndorsementSample) {
        for count in 0..<sample.cose.count {
            let result = verifier.verify(Array(sample.cose[..<count]))
            #expect(result.failures == ["uvm-cose"] && !result.isVerified, "\(count) bytes")
        }
        #expect(verifier.verify(sample.cose + [0]).failures == ["uvm-cose"])
    }

    @Test("random changes never verify, unless they leave everything that is signed as it was", arguments: EndorsementSample.all)
    func randomChanges(_ sample: EndorsementSample) throws {
        let original = try COSESign1(sample.cose)
        var random = SplitMix(seed: 0x0C05_E5EED)
        var untouched = 0
        for _ in 0..<1500 {
            var bytes = sample.cose
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.remove(at: index)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
                }
            }
            let result = verifier.verify(bytes)
            guard result.isVerified else {
                #expect(!result.failures.isEmpty)
                continue
            }
            untouched += 1
            let message = try COSESign1(bytes)
            #expect(message.protected == original.protected)
            #expect(message.payload == original.payload)
            #expect(message.signature == original.signature)
        }
        #expect(untouched < 1500)
    }

    /// Where the certificates lie in the protected header.
    private func certificateRanges(_ message: COSESign1) throws -> [Range<Int>] {
        let chain = try #require(try message.protectedHeader()[33]?.array?.compactMap(\.bytes))
        return try chain.map { try #require(message.protected.firstRange(of: $0)) }
    }
}
