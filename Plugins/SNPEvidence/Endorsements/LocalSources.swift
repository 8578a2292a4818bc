package import BrokerCore
package import OpenSSLCrypto
internal import SNPReport
internal import StrictJSON

/// The certificate table that the host sends along with an extended report.
package struct ReportTableSource: EndorsementSource {
    package let name = "report"
    package let isLocal = true

    package init() {}

    package func certificates(for subject: EndorsementSubject, table: [UInt8], in context: RequestContext) async throws(BrokerError)
        -> [Certificate]
    {
        guard !table.isEmpty else { throw .noEndorsement("the host sent no certificates with the report") }
        do {
            var certificates: [Certificate] = []
            for entry in try CertificateTable.entries(in: table) where entry.kind != .other {
                certificates += try Certificate.parse(pemOrDER: entry.content, maximumCount: 8)
            }
            return certificates
        } catch { throw .noEndorsement("the host's certificates cannot be read: \(error)") }
    }
}

/// The host's certificates in the security context of confidential ACI: the document that THIM gives, read once at start.
package struct HostCertificateSource: EndorsementSource {
    package let name = "security-context"
    package let isLocal = true
    private let document: [UInt8]?

    /// `document` is the decoded JSON; `nil` where the context has none.
    package init(document: [UInt8]?) { self.document = document }

    package func certificates(for subject: EndorsementSubject, table: [UInt8], in context: RequestContext) async throws(BrokerError)
        -> [Certificate]
    {
        guard let document else { throw .noEndorsement("the security context has no host-amd-cert-base64") }
        return try THIMDocument.certificates(in: document, for: subject, from: "the security context")
    }
}

/// `{"vcekCert","tcbm","certificateChain","cacheControl"}` (AMDEndorsements.md, "THIM").
enum THIMDocument {
    static let maximumBytes = 64 * 1024

    static func certificates(in document: [UInt8], for subject: EndorsementSubject, from source: String) throws(BrokerError)
        -> [Certificate]
    {
        do {
            let root = try JSONCursor.parse(document, limits: JSONLimits(maximumBytes: maximumBytes, maximumDepth: 8))
            let tcb = try root.optionalString("tcbm") ?? ""
            // Stale after a firmware update: the certificates belong to another key than the one that signed.
            if let stated = UInt64(tcb, radix: 16), stated != subject.tcb.raw {
                throw BrokerError(
                    .endorsementMismatch, at: .endorsement,
                    "\(source) has certificates for TCB \(tcb.lowercased()), the report says \(subject.tcb.hex)")
            }
            let text = try root.string("vcekCert") + "\n" + root.string("certificateChain")
            return try Certificate.parse(pemOrDER: Array(text.utf8), maximumCount: 8)
        } catch let error as BrokerError { throw error } catch {
            throw .noEndorsement("the certificates of \(source) cannot be read: \(error)")
        }
    }
}
