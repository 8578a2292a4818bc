package import BrokerCore
internal import OpenSSLCrypto
internal import PlainText
internal import SecureMemory

/// The tokens of `callers.bearer-file`, as digests: for callers whom neither the kernel nor a certificate names
/// (Callers.md, "Bearer tokens").
package struct BearerTokens: Sendable {
    private struct Entry {
        let name: String
        let digest: [UInt8]
    }

    private static let limit = 64 << 10
    private let entries: [Entry]

    /// Lines `NAME TOKEN`; empty ones, and those that begin with `#`, are left out. A token has 32 to 512 characters of RFC 6750, 2.1.
    package init(file: String) throws(BoundedFile.Failure) {
        let secret = try BoundedFile.readSecret(file, limit: Self.limit)
        var entries: [Entry] = []
        var complaint: String?
        secret.withUnsafeBytes { bytes in
            for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
                guard let first = line.first, first != UInt8(ascii: "#") else { continue }
                let words = line.split(separator: UInt8(ascii: " "))
                guard words.count == 2, words[0].consists(of: .alphanumeric + "._-", count: 1...64),
                    words[1].consists(of: .token68, count: 32...512)
                else {
                    complaint = "line \(index + 1) is not NAME TOKEN, the token with 32 to 512 characters"
                    return
                }
                let name = String(decoding: words[0], as: UTF8.self)
                guard !entries.contains(where: { $0.name == name }) else {
                    complaint = "line \(index + 1) has a name that was there before"
                    return
                }
                entries.append(Entry(name: name, digest: DigestAlgorithm.sha256.digest(UnsafeRawBufferPointer(rebasing: words[1]))))
            }
        }
        if let complaint { throw BoundedFile.Failure(description: "\(file): \(complaint)") }
        self.entries = entries
    }

    /// The name of the token; every one is compared, in the same time whether it fits or not.
    func name(of token: Substring) -> String? {
        let digest = DigestAlgorithm.sha256.digest(Array(token.utf8))
        return entries.reduce(nil) { found, entry in constantTimeEqual(entry.digest, digest) ? entry.name : found }
    }
}

extension CallerGate {
    /// The caller of one request of a connection: the fields `Authorization` of its head may name it. Where there are tokens, a request on
    /// TCP without a client certificate needs one.
    package func identify(_ caller: Caller, authorization fields: [String]) throws(BrokerError) -> Caller {
        guard let bearers, caller.way != .broker else { return caller }
        if fields.count == 1, let field = fields.first, field.utf8.count <= 600, field.prefix(7).lowercased() == "bearer ",
            let name = bearers.name(of: field.dropFirst(7))
        {
            var caller = caller
            caller.bearer = name
            return caller
        }
        guard caller.way == .tcp, caller.subject == nil else { return caller }
        throw BrokerError(.callerRefused, at: .caller, "the request has no bearer token of callers.bearer-file")
    }
}
