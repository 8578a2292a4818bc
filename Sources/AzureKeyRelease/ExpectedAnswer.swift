internal import AttestationTokens
internal import BrokerCore
internal import HTTPTransport
internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// What a verified release payload must say to be the answer to our request (KeyStores.md, "Release answer"), and the wrapped key in it.
struct ExpectedAnswer {
    let key: KeyReference
    let nonce: String
    let algorithm: KeyWrapAlgorithm
    /// `nil` where the token does not tell.
    let wrappingKey: MAAToken.EncryptionKey?

    func wrappedKey(in payload: JSONCursor) throws(JSONError) -> WrappedKey {
        try check(request: try payload.member("request"))
        let bundle = try payload.member("response").member("key")
        if let exportable = try bundle.optional("attributes")?.optional("exportable"), try !exportable.boolean() {
            throw exportable.invalid("a key that is not exportable cannot have been released")
        }
        let jwk = try bundle.member("key")
        let keyID = try checkedKeyID(try jwk.member("kid"))
        let (type, publicPart) = try ReleasedKeyForm.read(jwk)
        let ciphertext = try HSMBlob(algorithm: algorithm, wrappingKey: wrappingKey).ciphertext(in: try jwk.member("key_hsm"))
        return WrappedKey(
            keyID: keyID, type: type, operations: try operations(of: jwk), algorithm: algorithm, ciphertext: ciphertext,
            publicPart: publicPart)
    }

    private func check(request: JSONCursor) throws(JSONError) {
        let kid = try request.member("kid")
        guard KeyReference(identifier: try kid.string()) == key else { throw kid.invalid("not \(key), which was asked for") }
        try equal(try request.member("enc"), algorithm.rawValue)
        let echoed = try request.member("nonce")
        guard try echoed.string().utf8.elementsEqual(nonce.utf8) else {
            throw echoed.invalid("not the nonce that was sent; this answers another request")
        }
    }

    private func equal(_ member: JSONCursor, _ wanted: String) throws(JSONError) {
        guard try member.string().utf8.elementsEqual(wanted.utf8) else { throw member.invalid("not \(wanted), which was asked for") }
    }

    /// As the store spells it; always with a version, and with the one asked for where one was.
    private func checkedKeyID(_ kid: JSONCursor) throws(JSONError) -> String {
        let text = try kid.string()
        guard let named = KeyReference(identifier: text), named.name.version != nil, key.isAnswered(by: named) else {
            throw kid.invalid("not \(key) with its version")
        }
        return text
    }

    /// The store's list as it is; names that nobody knows are passed on, but not without bound.
    private func operations(of jwk: JSONCursor) throws(JSONError) -> [String] {
        guard let list = try jwk.optionalArray("key_ops") else { return [] }
        guard list.count <= 16 else { throw jwk.invalid("key_ops has more than 16 entries") }
        var names: [String] = []
        for entry in list {
            let text = try entry.string()
            guard text.utf8.consists(of: .visible, count: 1...64) else {
                throw entry.invalid("not the name of an operation")
            }
            names.append(text)
        }
        return names
    }
}
