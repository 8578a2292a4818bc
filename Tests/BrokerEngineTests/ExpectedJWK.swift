import BrokerCore
import BrokerTestKit
import OpenSSLCrypto
import SecureMemory

/// The private JWK of a sample key, put together from its numbers alone (RFC 7518, 6): members in alphabetical order, no white space.
enum ExpectedJWK {
    static func text(of key: SampleKey, operations: [String]) throws -> String {
        let list = operations.isEmpty ? [] : [("key_ops", "[\(operations.map(quoted).joined(separator: ","))]")]
        guard key.type != .oct else { return written(list + [("k", quoted(Base64.encodeURL(key.content))), ("kty", quoted("oct"))]) }
        let content = SecretBytes(capacity: key.content.count) { memory in
            memory.copyBytes(from: key.content)
            return key.content.count
        }
        let numbers = try PrivateKeyNumbers(pkcs8DER: content)
        var members: [(String, String)] = [("kty", quoted(key.type.rawValue))] + list
        switch key.publicPart {
        case .rsa(let n, let e)?: members += [("n", quoted(Base64.encodeURL(n))), ("e", quoted(Base64.encodeURL(e)))]
        case .ec(let curve, let x, let y)?:
            members += [("crv", quoted(curve)), ("x", quoted(Base64.encodeURL(x))), ("y", quoted(Base64.encodeURL(y)))]
        case nil: break
        }
        for name in key.type == .rsa ? ["d", "p", "q", "dp", "dq", "qi"] : ["d"] {
            guard let number = numbers.withNumber(name, { Base64.encodeURL(Array($0)) }) else { throw Honest.Missing() }
            members.append((name, quoted(number)))
        }
        return written(members)
    }

    private static func written(_ members: [(String, String)]) -> String {
        "{" + members.sorted { $0.0 < $1.0 }.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }
}
