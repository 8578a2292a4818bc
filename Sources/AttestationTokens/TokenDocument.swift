package import JOSE
package import StrictJSON

/// An attestation token in a file: the compact text, or the service's answer `{"token":"…"}` around it.
package struct TokenDocument: Sendable {
    package let token: JWS
    /// The claims, not yet believed.
    package let claims: JSONObject

    /// Longest input, in bytes.
    package static let maximumBytes = 256 * 1024

    /// Why there is no token. The end of a sentence that starts with the name of the input; never quotes the input.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible { package let description: String }

    package init(_ input: [UInt8]) throws(Failure) {
        guard input.count <= Self.maximumBytes else { throw Failure(description: "longer than \(Self.maximumBytes) bytes") }
        do {
            token = try JWS(compact: try Self.compact(input), maximumBytes: Self.maximumBytes)
            claims = try token.payload(limits: JSONLimits(maximumBytes: Self.maximumBytes, bigIntegers: .asReal)).object()
        } catch let error as Failure { throw error } catch { throw Failure(description: "not an attestation token: \(error)") }
    }

    private static func compact(_ input: [UInt8]) throws(Failure) -> String {
        let text = String(decoding: input.filter { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }, as: UTF8.self)
        guard text.hasPrefix("{") else { return text }
        guard case .object(let answer)? = try? JSONValue.parse(input), case .string(let token)? = answer["token"] else {
            throw Failure(description: "JSON without a member \"token\"")
        }
        return token
    }

    /// `iss`, empty where the token has none.
    package var issuer: String { if case .string(let text)? = claims["iss"] { text } else { "" } }

    /// The issuer, when it is written exactly like a host of Azure Attestation: the only claim about itself that a token may be believed
    /// before it is verified, because asking that host for its keys can do no harm.
    package var publicAuthority: String? {
        let name = AuthorityName(issuer)
        return name.provider != nil && issuer == name.canonical ? issuer : nil
    }

    /// The protected header without what could be used or is long: `x5c` becomes the number of its certificates.
    package var shownHeader: JSONObject {
        var shown = token.header
        if case .array(let certificates)? = shown["x5c"] { shown.set("x5c", .string("(\(certificates.count) certificates)")) }
        return shown
    }
}
