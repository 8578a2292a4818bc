internal import CCurl
internal import CCurlShims
internal import HTTPTransport
internal import OpenSSLCrypto
internal import SecureMemory

/// Sets options of one easy handle and remembers whether each was accepted: a transfer never starts with one missing.
final class EasyOptions {
    private let easy: UnsafeMutableRawPointer
    private var firstFailure: CURLcode?

    init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

    func check() throws(HTTPTransportError) {
        guard let firstFailure else { return }
        let reason = String(cString: curl_easy_strerror(firstFailure))
        throw .connectionFailed(reason: "libcurl lacks something that the broker needs: \(reason)")
    }

    func record(_ code: CURLcode) { if code != CURLE_OK, firstFailure == nil { firstFailure = code } }

    func set(_ option: CURLoption, _ value: Int) { record(broker_curl_set_long(easy, option, value)) }
    func set(_ option: CURLoption, offset value: Int64) { record(broker_curl_set_offset(easy, option, curl_off_t(value))) }
    /// `nil` takes a default away.
    func set(_ option: CURLoption, _ value: String?) { record(broker_curl_set_string(easy, option, value)) }
    func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) { record(broker_curl_set_pointer(easy, option, value)) }
    /// The list must live as long as the handle.
    func set(_ option: CURLoption, _ value: CurlList) { record(broker_curl_set_list(easy, option, value.head)) }
    func set(_ option: CURLoption, _ function: broker_curl_receive) { record(broker_curl_set_receive(easy, option, function)) }
    /// The store must live as long as the connections.
    func trust(_ store: TrustStore) { record(broker_curl_set_trust(easy, store.openSSLStore)) }
}

/// A list of strings in libcurl's form. Its memory is wiped, because one of the strings may be a credential.
final class CurlList {
    private(set) var head: UnsafeMutablePointer<curl_slist>?
    /// False when memory ran out on the way.
    private(set) var isComplete = true

    func append(_ text: String) {
        guard let longer = curl_slist_append(head, text) else {
            isComplete = false
            return
        }
        head = longer
    }

    deinit {
        var node = head
        while let current = node {
            if let text = current.pointee.data {
                var length = 0
                while text[length] != 0 { length += 1 }
                wipe(UnsafeMutableRawBufferPointer(start: text, count: length))
            }
            node = current.pointee.next
        }
        curl_slist_free_all(head)
    }
}
