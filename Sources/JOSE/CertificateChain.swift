internal import OpenSSLCrypto
internal import StrictJSON

/// The member `x5c` of headers and keys (RFC 7515, 4.1.6; RFC 7517, 4.7): certificates in standard base64 DER.
enum CertificateChain {
    /// Requires an array of one to `maximumCount` readable certificates.
    static func parse(_ cursor: JSONCursor, maximumCount: Int) throws(JOSEError) -> [Certificate] {
        let texts: [JSONCursor]
        do { texts = try cursor.array() } catch { throw JOSEError("the certificates", error) }
        guard !texts.isEmpty else { throw JOSEError("\(cursor.path) holds no certificate") }
        guard texts.count <= maximumCount else { throw JOSEError("\(cursor.path) holds more than \(maximumCount) certificates") }
        var certificates: [Certificate] = []
        for text in texts {
            let encoded: String
            do { encoded = try text.string() } catch { throw JOSEError("the certificates", error) }
            guard let der = Base64.decode(encoded) else {
                let isWrapped = encoded.utf8.contains { $0 <= 0x20 }
                throw JOSEError(isWrapped ? "\(text.path) has line breaks or spaces in its base64" : "\(text.path) is not base64")
            }
            do { certificates.append(try Certificate(der: der)) } catch { throw JOSEError(text.path, error) }
        }
        return certificates
    }
}
