#if DEBUG || FUZZ
    internal import InputReading
    internal import Issuing
    internal import OpenSSLCrypto
    internal import SNPReport
    @testable internal import SNPEvidence

    extension FuzzTarget {
        /// The document of certificates that Azure's host agent gives: what the provider reads, the commands read too.
        static let thim = FuzzTarget("thim", maximumBytes: 6000, seeds: THIMTarget.seeds, run: THIMTarget.run)
    }

    private enum THIMTarget {
        private static let tcb = "DB18000000000004"
        private static let subject = Result { () throws -> EndorsementSubject in
            var builder = ReportBuilder()
            builder.setEveryTCB(TCBVersion(raw: 0xDB18_0000_0000_0004))
            return EndorsementSubject(try AttestationReport(builder.unsignedBytes()))
        }

        @Sendable static func seeds() throws -> [[UInt8]] {
            let pem = try SampleChain.certificates.get().map { $0.pem.replacing("\n", with: "\\n") }
            return [
                #"{"vcekCert":"\#(pem[1])","tcbm":"\#(tcb)","certificateChain":"\#(pem[0])","cacheControl":"86400"}"#,
                #"{"vcekCert":"\#(pem[1])","certificateChain":"\#(pem[0])\#(pem[0])"}"#,
            ].map { Array($0.utf8) }
        }

        @Sendable static func run(_ input: [UInt8]) throws -> Bool {
            let found: [Certificate]
            do { found = try THIMDocument.certificates(in: input, for: try subject.get(), from: "fuzz") } catch { return false }
            try require(
                (1...8).contains(planted(found.count, instead: input.last != 0x7D ? 0 : found.count)), "how many")
            guard let read = try? CertificateInput.kind.read(input) else { return true }
            try require(Set(found.map(\.der)).isSubset(of: read), "the commands read other certificates")
            return true
        }
    }
#endif
