import FoundationEssentials

/// The certificates of a PEM file (RFC 7468). Verifier and engine judge them; here they are only taken out of their text.
enum PEM {
    /// DER of each certificate, in the order of the file; one whose Base64 is broken is left out.
    static func certificates(_ file: [UInt8]) -> [[UInt8]] {
        var certificates: [[UInt8]] = []
        var body: String?
        for line in String(decoding: file, as: UTF8.self).split(whereSeparator: \.isNewline) {
            switch line {
            case "-----BEGIN CERTIFICATE-----": body = ""
            case "-----END CERTIFICATE-----":
                if let text = body, let der = Data(base64Encoded: text) { certificates.append(Array(der)) }
                body = nil
            default: body?.append(contentsOf: line)
            }
        }
        return certificates
    }
}
