internal import InputReading
internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification

/// Reports and certificates in the forms in which platforms hand them out.
enum EvidenceFiles {
    /// The report's bytes; the verifier judges them.
    static func report(_ path: String) throws -> [UInt8] { try InputFile.readOne(path, as: ReportInput.kind, limit: 1 << 20) }

    /// Certificates of all files together, and the complaint about each file whose certificate is broken.
    static func certificates(_ paths: [String]) throws -> (certificates: [Certificate], unreadable: [String]) {
        var certificates: [Certificate] = []
        var unreadable: [String] = []
        for path in paths {
            do { certificates += try parse(InputFile.attempt(path, as: CertificateInput.kind, limit: 4 << 20)) } catch let refusal
                as InputRefusal
            {
                guard refusal.isBroken else { throw InputFile.failure(path, refusal) }
                unreadable.append("\(path): \(refusal.description)")
            }
        }
        return (certificates, unreadable)
    }

    /// Roots that the caller trusts, each for the product in its name (`ARK-Milan`).
    static func roots(_ path: String, _ products: ProductTable = .builtIn) throws -> [PinnedRoot] {
        let certificates = try parse(InputFile.read(path, as: CertificateInput.kind, limit: 4 << 20))
        let roots = certificates.compactMap { certificate -> PinnedRoot? in
            guard let product = products.product(ofRoot: certificate.subjectCommonName) else { return nil }
            return PinnedRoot(name: "ARK-\(product) of \(path)", product: product, certificate: certificate)
        }
        guard !roots.isEmpty else {
            throw CommandFailure(.impossible, "\(path): no root certificate named one of \(products.rootNames)")
        }
        return roots
    }

    private static func parse(_ certificates: [[UInt8]]) throws -> [Certificate] { try certificates.map { try Certificate(der: $0) } }
}
