internal import BrokerCore
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification
internal import StrictJSON

/// Reads reports and certificates in the forms in which platforms hand them out.
enum EvidenceFiles {
    /// The report's bytes, of whatever length: the verifier judges it. Text is taken as hex or base64; the report inside an HCL blob is
    /// found.
    static func report(_ path: String) throws -> [UInt8] {
        let bytes = try InputFile.bytes(path, limit: 1 << 20)
        guard bytes.count != AttestationReport.byteCount else { return bytes }
        // An Azure CVM's vTPM holds the report behind a 32-byte header (ConfidentialVM.md, "HCL report").
        if bytes.starts(with: Array("HCLA".utf8)), bytes.count >= 32 + AttestationReport.byteCount {
            return Array(bytes[32..<(32 + AttestationReport.byteCount)])
        }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        if let decoded = Hex.decode(text), decoded.count == AttestationReport.byteCount { return decoded }
        if let decoded = Base64.decodeLenient(text), decoded.count == AttestationReport.byteCount { return decoded }
        return bytes
    }

    /// Certificates of all files together, and the complaint about each file that holds none.
    static func certificates(_ paths: [String]) throws -> (certificates: [Certificate], unreadable: [String]) {
        var certificates: [Certificate] = []
        var unreadable: [String] = []
        for path in paths {
            let bytes = try InputFile.bytes(path, limit: 4 << 20)
            do {
                let found = try parse(bytes)
                if found.isEmpty { unreadable.append("\(path): no certificate in PEM or DER") }
                certificates += found
            } catch { unreadable.append("\(path): \(error)") }
        }
        return (certificates, unreadable)
    }

    /// Roots that the caller trusts, each for the product in its name (`ARK-Milan`).
    static func roots(_ path: String) throws -> [PinnedRoot] {
        let certificates: [Certificate]
        do { certificates = try parse(try InputFile.bytes(path)) } catch { throw CommandFailure(.impossible, "\(path): \(error)") }
        let roots = certificates.compactMap { certificate -> PinnedRoot? in
            guard let name = certificate.subjectCommonName, name.hasPrefix("ARK-"),
                let product = ProcessorProduct(rawValue: String(name.dropFirst(4)))
            else { return nil }
            return PinnedRoot(name: "\(name) of \(path)", product: product, certificate: certificate)
        }
        guard !roots.isEmpty else {
            throw CommandFailure(.impossible, "\(path): no root certificate named ARK-Milan, ARK-Genoa or ARK-Turin")
        }
        return roots
    }

    private static func parse(_ bytes: [UInt8]) throws -> [Certificate] {
        let bytes = InputFile.base64Content(bytes) ?? bytes
        guard bytes.trimmed(.whiteSpace).first == UInt8(ascii: "{") else {
            return try Certificate.parse(pemOrDER: bytes, maximumCount: EvidenceVerifier.maximumCertificates)
        }
        let document = try JSONCursor.parse(bytes, limits: JSONLimits())
        let pem = try document.string("vcekCert") + "\n" + document.string("certificateChain")
        return try Certificate.parse(pemOrDER: Array(pem.utf8), maximumCount: EvidenceVerifier.maximumCertificates)
    }
}
