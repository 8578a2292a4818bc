internal import StrictJSON

/// The keys that an authority publishes (RFC 7517, 5).
package struct JWKSet: Sendable {
    /// The usable keys, in order.
    package let keys: [JWK]
    /// Why entries were left out, one sentence each: unknown kinds, missing members, values out of range (RFC 7517, 5 asks for exactly
    /// that).
    package let skipped: [String]

    /// Reads `{"keys":[…]}`. Throws for what is not that, and for more than `maximumKeys` entries.
    package init(parsing bytes: [UInt8], maximumKeys: Int) throws(JOSEError) {
        let entries: [JSONCursor]
        do {
            entries = try JSONCursor.parse(bytes, limits: JSONLimits(maximumDepth: 16)).array("keys")
            guard entries.count <= maximumKeys else { throw JOSEError("there are more than \(maximumKeys) keys") }
            for entry in entries { _ = try entry.object() }
        } catch let error as JSONError { throw JOSEError("the key set", error) } catch let error as JOSEError { throw error } catch {
            throw JOSEError("the key set cannot be read")
        }
        var keys: [JWK] = []
        var skipped: [String] = []
        for entry in entries { do { keys.append(try JWK(entry)) } catch { skipped.append("\(entry.path): \(error.reason)") } }
        self.keys = keys
        self.skipped = skipped
    }

    /// The keys whose `kid` is exactly that text, byte by byte: an identifier may be standard base64, a thumbprint or anything else.
    package func keys(withID kid: String) -> [JWK] { keys.filter { key in key.kid.map { $0.utf8.elementsEqual(kid.utf8) } ?? false } }
}
