internal import COpenSSL

/// Words for what X509_verify_cert found wrong.
enum ChainFault {
    static func words(_ code: Int32, at certificate: OpaquePointer?, _ host: String?) -> String {
        let name = certificate.map { DistinguishedName.text(X509_get_subject_name($0)) } ?? ""
        let which = name.isEmpty ? "a certificate" : "certificate \"\(name.prefix(200))\""
        return switch code {
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            "untrusted root: \(which) is self-signed and not among the trusted ones"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            "untrusted root or missing intermediate: the issuer of \(which) was not found"
        case X509_V_ERR_CERT_HAS_EXPIRED: "\(which) has expired"
        case X509_V_ERR_CERT_NOT_YET_VALID: "\(which) is not yet valid"
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: "host mismatch: the certificate is not for \(host ?? "the host")"
        case X509_V_ERR_INVALID_PURPOSE: "\(which) is not for TLS servers"
        default: "\(which): \(String(cString: X509_verify_cert_error_string(Int(code))))"
        }
    }
}
