internal import PlainText
internal import Waiting
internal import CCurl
internal import HTTPTransport

/// A transfer that libcurl gave up, on its way to an error of the broker.
struct CurlFailure {
    let code: CURLcode
    /// Content of `CURLOPT_ERRORBUFFER`.
    let text: String
    let host: String
    let hasStartedAnswer: Bool
    let deadline: Deadline
    let connectTimeout: Duration

    var transportError: HTTPTransportError {
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            // libcurl counts in whole milliseconds and may be one early.
            deadline.remaining <= .milliseconds(5)
                ? .deadlineExceeded : .connectionFailed(reason: "no connection within \(connectTimeout.wholeMilliseconds) ms")
        case CURLE_COULDNT_RESOLVE_HOST: .nameNotResolved(host: host)
        case CURLE_COULDNT_RESOLVE_PROXY: .connectionFailed(reason: "the proxy's name cannot be resolved")
        case CURLE_SSL_CONNECT_ERROR where isInterruptedHandshake: .connectionFailed(reason: reason)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED, CURLE_SSL_CLIENTCERT:
            .tlsFailed(reason: reason)
        case CURLE_PARTIAL_FILE, CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_WRITE_ERROR, CURLE_TOO_MANY_REDIRECTS:
            .invalidResponse(reason: reason)
        case CURLE_RECV_ERROR where hasStartedAnswer, CURLE_GOT_NOTHING where hasStartedAnswer: .invalidResponse(reason: reason)
        default: .connectionFailed(reason: reason)
        }
    }

    /// A connection that ended during the handshake without a word of TLS: the words of libcurl for a reset, and of OpenSSL 3 for an early
    /// end.
    private var isInterruptedHandshake: Bool {
        ["Recv failure", "Send failure", "SSL_connect: ", "unexpected eof"].contains { text.contains($0) }
    }

    /// libcurl's words, which never quote fields or bodies; a proxy's address can appear in them, and a password in that.
    private var reason: String {
        guard !text.isEmpty, !text.contains("@") else { return String(cString: curl_easy_strerror(code)) }
        return VisibleText.line(text, limit: 256)
    }
}
