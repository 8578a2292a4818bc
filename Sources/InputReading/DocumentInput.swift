package import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// Attestation tokens: bare, quoted, behind `Bearer`, or in a service's JSON.
package enum TokenInput {
    /// The compact text (RFC 7515, section 3.1).
    package static let kind = InputKind<String>(
        name: "a token", advice: "give the compact token (three parts with dots), or the service's answer {\"token\": …}",
        members: ["token", "access_token", "accesstoken", "id_token", "jwt"],
        find: { view throws(InputRefusal) in
            var text = view.bytes.trimmed(.whiteSpace)
            for prefix in ["authorization:", "bearer "]
            where String(decoding: text.prefix(prefix.utf8.count), as: UTF8.self).lowercased() == prefix {
                text = text.dropFirst(prefix.utf8.count).drop(while: ASCIISet.whiteSpace.contains)
            }
            let joined = text.filter { !ASCIISet.whiteSpace.contains($0) }
            return isCompact(joined[...]) ? [String(decoding: joined, as: UTF8.self)] : []
        })

    /// Whether it has the form of a signed token: three parts of base64url, the first the start of a JSON object.
    static func isCompact(_ text: ArraySlice<UInt8>) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].starts(with: Array("ey".utf8)) && !parts[1].isEmpty
            && text.consists(of: .alphanumeric + "-_.=")
    }
}

/// Documents in JSON that a command reads as a whole.
package enum DocumentInput {
    /// Any object.
    package static let object = kind("a JSON object", advice: "give a file with a JSON object") { _ in true }

    /// Published keys (RFC 7517, section 5); a single key becomes a set of one.
    package static let keySet = kind("a set of published keys", advice: "give the JSON of the authority's /certs: {\"keys\": […]}") {
        $0["keys"] != nil || $0["kty"] != nil
    }

    /// A release policy, a key that holds one, or its encoding. What starts like JSON is handed on, right or wrong, because a linter can
    /// say more about it.
    package static let releasePolicy = InputKind<[UInt8]>(
        name: "a release policy", advice: "give the policy's JSON, the key as the store shows it, or the policy's base64url text",
        members: [],
        find: { view throws(InputRefusal) in
            // Marks and UTF-16 are the linter's to name.
            guard TextForm.startsJSON(view.bytes), !view.layers.contains(where: { $0 == "UTF-16" || $0 == "byte order mark" }) else {
                return []
            }
            return [view.bytes]
        })

    private static func kind(_ name: String, advice: String, where isOne: @escaping @Sendable (JSONObject) -> Bool) -> InputKind<[UInt8]> {
        InputKind<[UInt8]>(
            name: name, advice: advice, members: [],
            find: { view throws(InputRefusal) in
                guard TextForm.startsJSON(view.bytes), TextForm.decoded(view.bytes) == nil else { return [] }
                let document: JSONValue
                do throws(JSONError) { document = try JSONValue.parse(written: view.bytes, limits: TextForm.jsonLimits) } catch {
                    throw InputRefusal(error.description, advice: advice)
                }
                guard case .object(let object) = document, isOne(object) else { return [] }
                if object["kty"] != nil, object["keys"] == nil { return [JSONValue.object(["keys": .array([document])]).serialized()] }
                return [view.bytes]
            })
    }
}

/// Public keys in PEM.
package enum PublicKeyInput {
    package static let kind = InputKind<PublicKey>(
        name: "a PEM public key", advice: "give it in PEM: openssl pkey -in KEY -pubout", members: [],
        find: { view throws(InputRefusal) in
            guard let label = PEMLabel.first(in: view.bytes) else { return [] }
            guard PEMLabel.contains(view.bytes, Array("-----BEGIN PUBLIC KEY-----".utf8)) else {
                throw InputRefusal(
                    "looks like \(PEMLabel.words(label)), not a public key", advice: "write one with openssl pkey -in KEY -pubout")
            }
            do throws(CryptoError) { return [try PublicKey(pem: view.bytes)] } catch {
                throw InputRefusal(error.description, advice: "write it anew with openssl")
            }
        })
}
