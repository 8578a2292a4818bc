internal import COpenSSL

/// OpenSSL keeps the reasons of a failure in a queue of the calling thread. This is the one place that empties it, so that no entry is left
/// for the next
/// caller on the same thread.
package enum OpenSSLErrorQueue {
    /// Forgets what is in the queue: before a call whose reasons matter, and after a failure whose reasons do not.
    package static func clear() { ERR_clear_error() }

    /// Empties the queue into an error. The reasons are OpenSSL's fixed texts; the data that OpenSSL attaches to an entry is left out.
    package static func error(_ operation: String, otherwise fallback: String) -> CryptoError {
        var reasons: [String] = []
        // The queue holds at most 16 entries; the first is the cause, the later ones are its consequences.
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            guard reasons.count < 2, let text = ERR_reason_error_string(code) else { continue }
            let reason = String(cString: text)
            if !reasons.contains(reason) { reasons.append(reason) }
        }
        return CryptoError(operation: operation, reason: reasons.isEmpty ? fallback : reasons.joined(separator: ", "))
    }
}
