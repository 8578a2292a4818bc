#if Simulators && FixtureEvidence
    internal import OpenSSLCrypto
    internal import StrictJSON

    /// Parts of a message as they may be shown: tokens, bearers and private keys are cut out, JSON inside of strings is opened, and what is
    /// long is shortened.
    enum ShownMessage {
        /// Members whose text is a secret, or is as good as one.
        private static let secrets: Set<String> = [
            "access_token", "refresh_token", "id_token", "client_secret", "client_assertion", "d", "p", "q", "dp", "dq", "qi", "k",
        ]
        private static let longest = 72
        private static let depthLimit = 12

        static func header(_ name: String, _ value: String) -> String {
            switch name {
            case "authorization":
                let scheme = value.prefix { $0 != " " }
                return "\(name): \(scheme) \(cut(value.dropFirst(scheme.count + 1)))"
            case "x-identity-header", "secret", "cookie": return "\(name): \(cut(value))"
            default: return "\(name): \(shortened(value))"
            }
        }

        /// Lines.
        static func body(_ bytes: [UInt8]) -> [String] {
            if bytes.isEmpty { return ["(no body)"] }
            guard let value = try? JSONValue.parse(bytes, limits: JSONLimits(bigIntegers: .asReal)) else {
                return ["(\(bytes.count) bytes)"]
            }
            let text = String(decoding: shown(value).serialized(pretty: true), as: UTF8.self)
            return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }

        private static func shown(_ value: JSONValue, name: String = "", depth: Int = 0) -> JSONValue {
            guard depth < depthLimit else { return "(…)" }
            switch value {
            case .object(let object):
                return .object(JSONObject(object.map { ($0.key, shown($0.value, name: $0.key, depth: depth + 1)) }))
            case .array(let elements): return .array(elements.map { shown($0, name: name, depth: depth + 1) })
            case .string(let text): return self.text(text, name: name, depth: depth)
            default: return secrets.contains(name) ? "(cut)" : value
            }
        }

        private static func text(_ text: String, name: String, depth: Int) -> JSONValue {
            if secrets.contains(name) { return .string(cut(text)) }
            if let inner = object(Array(text.utf8)) { return ["(JSON as text)": shown(inner, depth: depth + 1)] }
            if let inner = Base64.decodeURL(unpadded(text)).flatMap(object) {
                return ["(JSON in base64url)": shown(inner, depth: depth + 1)]
            }
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            if parts.count == 3, let header = Base64.decodeURL(parts[0]).flatMap(object),
                let payload = Base64.decodeURL(parts[1]).flatMap(object)
            {
                return [
                    "(signed)": [
                        "header": shown(header, depth: depth + 1), "payload": shown(payload, depth: depth + 1),
                        "signature": .string(cut(parts[2])),
                    ]
                ]
            }
            return .string(shortened(text))
        }

        private static func object(_ bytes: [UInt8]) -> JSONValue? {
            guard bytes.first == UInt8(ascii: "{"), let value = try? JSONValue.parse(bytes, limits: JSONLimits(bigIntegers: .asReal)),
                case .object = value
            else { return nil }
            return value
        }

        private static func unpadded(_ text: String) -> String {
            var digits = text.utf8[...]
            while digits.last == UInt8(ascii: "=") { digits = digits.dropLast() }
            return String(decoding: digits, as: UTF8.self)
        }

        private static func cut(_ text: some StringProtocol) -> String { "(cut, \(text.utf8.count) characters)" }

        private static func shortened(_ text: String) -> String {
            text.unicodeScalars.count <= longest
                ? text : "\(String(String.UnicodeScalarView(text.unicodeScalars.prefix(24))))… (\(text.utf8.count) characters)"
        }
    }
#endif
