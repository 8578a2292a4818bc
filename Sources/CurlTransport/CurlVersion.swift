internal import CCurl

/// The libcurl that this process runs with.
package enum CurlVersion {
    /// Three numbers with dots.
    package static var text: String { curl_version_info(CURLVERSION_FIRST)?.pointee.version.map { String(cString: $0) } ?? "unknown" }
}
