internal import Waiting
internal import CCurl
internal import CCurlShims
internal import HTTPTransport
internal import OpenSSLCrypto
internal import SecureMemory

/// One request under way: its easy handle and everything that the handle points to. Lives on the loop's thread.
///
/// What cannot be wiped: libcurl's own buffers hold the bearer token and the answer for a while. Neither is plaintext key material.
final class Transfer {
    let submission: Submission
    let easy: UnsafeMutableRawPointer
    private var collector: ResponseCollector
    private let headers: CurlList
    private let overrides: CurlList
    private let errorText: UnsafeMutablePointer<CChar>
    private let body: UnsafeMutableRawBufferPointer
    private let bodyCount: Int
    private let connectTimeout: Duration
    // Must live as long as the handle, which has only OpenSSL's pointer to it.
    private let trust: TrustStore

    init(_ submission: Submission, settings: TransferSettings, sessions: UnsafeMutableRawPointer?) throws(HTTPTransportError) {
        let request = submission.request
        guard !request.deadline.hasPassed else { throw .deadlineExceeded }
        guard let easy = curl_easy_init() else { throw .connectionFailed(reason: "libcurl has no handle for the request") }
        do throws(CryptoError) { trust = try settings.trust() } catch {
            curl_easy_cleanup(easy)
            throw .connectionFailed(reason: error.description)
        }
        self.submission = submission
        self.easy = easy
        collector = ResponseCollector(maximumBodyBytes: request.maximumResponseBytes)
        headers = CurlList()
        overrides = CurlList()
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        bodyCount = request.secretBody?.count ?? request.body?.count ?? 0
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bodyCount), alignment: 1)
        if let bytes = request.body { memory.copyBytes(from: bytes) }
        request.secretBody?.withUnsafeBytes { memory.copyBytes(from: $0) }
        body = memory
        connectTimeout = min(settings.connectTimeout, request.deadline.remaining)

        let options = EasyOptions(easy)
        addressing(options, settings)
        security(options, settings)
        // Without it libcurl would forget every TLS session with the transfer that made it.
        options.set(CURLOPT_SHARE, sessions)
        receiving(options)
        try options.check()
        try message(options, settings)
        try options.check()
    }

    deinit {
        // First the handle, which points to the rest.
        curl_easy_cleanup(easy)
        wipe(body)
        body.deallocate()
        errorText.deallocate()
    }

    /// The identifier of the transfer that a handle belongs to.
    static func id(of easy: UnsafeMutableRawPointer) -> UInt64? {
        var context: UnsafeMutableRawPointer?
        guard broker_curl_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK, let context else { return nil }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().submission.ticket.id
    }

    /// What the caller gets when libcurl ended the transfer with `code`.
    func result(_ code: CURLcode) -> Result<HTTPResponse, HTTPTransportError> {
        if let refusal = collector.refusal { return .failure(refusal) }
        guard code == CURLE_OK else {
            let failure = CurlFailure(
                code: code, text: String(cString: errorText), host: submission.request.host, hasStartedAnswer: collector.hasStarted,
                deadline: submission.request.deadline, connectTimeout: connectTimeout)
            return .failure(failure.transportError)
        }
        var status = 0
        guard broker_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK, status > 0 else {
            return .failure(.invalidResponse(reason: "no status"))
        }
        return .success(HTTPResponse(status: status, headers: collector.headers, body: collector.body))
    }

    private func addressing(_ options: EasyOptions, _ settings: TransferSettings) {
        let request = submission.request
        options.set(CURLOPT_URL, request.url)
        options.set(CURLOPT_PATH_AS_IS, 1)
        options.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        options.set(CURLOPT_PROTOCOLS_STR, request.isMetadata ? "http" : "https")
        options.set(CURLOPT_FOLLOWLOCATION, 0)
        if request.isMetadata || !settings.usesProxies {
            // Both: the first ignores the environment's proxies, the second would also override one that is set by other means.
            options.set(CURLOPT_PROXY, "")
            options.set(CURLOPT_NOPROXY, "*")
        }
        // Credentials and fields of the request are for the service, not for a proxy on the way, whose answer is none of the service's.
        options.set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
        options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if let path = request.socketPath {
            options.set(CURLOPT_UNIX_SOCKET_PATH, path)
        } else {
            for entry in settings.overrides(forMetadata: request.isMetadata) { overrides.append(entry.description) }
        }
        options.set(CURLOPT_CONNECT_TO, overrides)

        options.set(CURLOPT_NOSIGNAL, 1)
        options.record(broker_curl_abandon_lookups(easy))
        options.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(connectTimeout))
        options.set(CURLOPT_TIMEOUT_MS, milliseconds(request.deadline.remaining))
    }

    private func security(_ options: EasyOptions, _ settings: TransferSettings) {
        options.set(CURLOPT_SSL_VERIFYPEER, 1)
        options.set(CURLOPT_SSL_VERIFYHOST, 2)
        options.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        options.set(CURLOPT_PROXY_SSL_VERIFYPEER, 1)
        options.set(CURLOPT_PROXY_SSL_VERIFYHOST, 2)
        options.set(CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        options.trust(trust)
    }

    private func receiving(_ options: EasyOptions) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        options.set(CURLOPT_PRIVATE, context)
        options.set(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
        options.set(CURLOPT_HEADERDATA, context)
        options.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let context else { return 0 }
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            // Any number but the one offered ends the transfer, also where that is zero.
            return transfer.collector.receiveHeaderLine(line) ? line.count : line.count &+ 1
        }
        options.set(CURLOPT_WRITEDATA, context)
        options.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let context else { return 0 }
            let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.collector.receiveBody(piece) ? piece.count : piece.count &+ 1
        }
    }

    private func message(_ options: EasyOptions, _ settings: TransferSettings) throws(HTTPTransportError) {
        let request = submission.request
        options.set(CURLOPT_HTTP_VERSION, Int(request.isMetadata ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS))
        options.set(CURLOPT_USERAGENT, settings.userAgent)
        if bodyCount > 0 || request.body != nil || request.method != .get && request.method != .delete {
            // Also for a POST without a body, which says "Content-Length: 0".
            options.set(CURLOPT_POST, 1)
            options.set(CURLOPT_POSTFIELDS, body.baseAddress)
            options.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: Int64(bodyCount))
        }
        options.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        for line in request.headerLines { headers.append(line) }
        if let bearer = request.bearer { headers.append("Authorization: Bearer " + bearer.reveal()) }
        guard headers.isComplete, overrides.isComplete else { throw .connectionFailed(reason: "not enough memory for the request") }
        options.set(CURLOPT_HTTPHEADER, headers)
    }

    private func milliseconds(_ duration: Duration) -> Int {
        // Zero would mean "no limit".
        Int(min(max(1, duration.wholeMilliseconds), 24 * 3600 * 1000))
    }
}
