internal import OpenSSLCrypto
internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

/// Security policies inside JSON: `properties.confidentialComputeProperties.ccePolicy` of an ARM template, wherever it is nested.
enum TemplatePolicies {
    private static let depthLimit = 64

    static func read(_ input: [UInt8]) throws(SecurityPolicyDigest.Failure) -> [SecurityPolicyDigest] {
        let bytes = input.starts(with: SecurityPolicyDigest.byteOrderMark) ? Array(input.dropFirst(3)) : input
        let document: JSONValue
        do {
            document = try JSONValue.parse(
                bytes, limits: JSONLimits(maximumBytes: SecurityPolicyDigest.maximumBytes, maximumDepth: depthLimit, bigIntegers: .asReal))
        } catch {
            throw SecurityPolicyDigest.Failure(description: "not readable as JSON (\(error.description)), and not base64 or Rego either")
        }
        var found: [(place: String, value: JSONValue)] = []
        collect(document, place: "", into: &found)
        guard !found.isEmpty else {
            throw SecurityPolicyDigest.Failure(
                description: "has no ccePolicy (properties.confidentialComputeProperties.ccePolicy of a container group)")
        }
        var result: [SecurityPolicyDigest] = []
        for (place, value) in found { result.append(try digest(value, at: place, in: document)) }
        return result
    }

    private static func collect(_ value: JSONValue, place: String, into found: inout [(place: String, value: JSONValue)]) {
        switch value {
        case .object(let object):
            for (key, member) in object {
                let here = place.isEmpty ? key : "\(place).\(key)"
                let name = key.lowercased()
                if name == "ccepolicy" || name.hasSuffix(".ccepolicy") {
                    switch member {
                    case .object(let parameter):
                        // A parameter: its declaration in a template has defaultValue, its value in a parameter file has value.
                        if let text = parameter["value"] ?? parameter["defaultValue"] { found.append((here, text)) }
                    default: found.append((here, member))
                    }
                } else {
                    collect(member, place: here, into: &found)
                }
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() { collect(element, place: "\(place)[\(index)]", into: &found) }
        default: break
        }
    }

    private static func digest(_ value: JSONValue, at place: String, in document: JSONValue) throws(SecurityPolicyDigest.Failure)
        -> SecurityPolicyDigest
    {
        guard case .string(var text) = value else {
            throw SecurityPolicyDigest.Failure(description: "\(place) is \(value.kindName), not base64 text")
        }
        if text.hasPrefix("[") {
            guard let resolved = resolved(text, in: document) else {
                throw SecurityPolicyDigest.Failure(
                    description:
                        "\(place) is the expression \(VisibleText.quoted(text)), whose value is not in this file; give the file that has it"
                )
            }
            text = resolved
        }
        guard !text.isEmpty else {
            throw SecurityPolicyDigest.Failure(
                description: "\(place) is empty; 'az confcom acipolicygen' fills it, and the service refuses it so")
        }
        guard let base64 = Base64Text(Array(text.utf8)) else {
            throw SecurityPolicyDigest.Failure(
                description: "\(place) is not base64 text; ccePolicy is the base64 of the policy, not the policy")
        }
        return SecurityPolicyDigest.digest(of: base64.decoded, form: .template, place: place, notes: base64.notes)
    }

    /// `[parameters('name')]` and `[variables('name')]` of the template itself.
    private static func resolved(_ expression: String, in document: JSONValue) -> String? {
        guard case .object(let template) = document else { return nil }
        for (function, member) in [("parameters", "parameters"), ("variables", "variables")] {
            let start = "[\(function)('"
            guard expression.hasPrefix(start), expression.hasSuffix("')]") else { continue }
            let name = String(expression.dropFirst(start.count).dropLast(3))
            guard case .object(let declared)? = template[member], let value = declared[name] else { return nil }
            switch value {
            case .string(let text): return text
            case .object(let parameter):
                if case .string(let text)? = parameter["value"] ?? parameter["defaultValue"] { return text }
                return nil
            default: return nil
            }
        }
        return nil
    }
}

/// Security policies in pod manifests for virtual nodes: a line `….ccepolicy: BASE64`. YAML is not parsed; only that line is read.
enum ManifestPolicies {
    private static let annotation = "ccepolicy"

    static func isOne(_ input: [UInt8]) -> Bool { !lines(input).isEmpty }

    static func read(_ input: [UInt8]) throws(SecurityPolicyDigest.Failure) -> [SecurityPolicyDigest] {
        let found = lines(input)
        guard !found.isEmpty else {
            throw SecurityPolicyDigest.Failure(description: "has no line with an annotation that ends in ccepolicy")
        }
        var result: [SecurityPolicyDigest] = []
        for (number, value) in found {
            guard let text = Base64Text(Array(value.utf8)) else {
                throw SecurityPolicyDigest.Failure(
                    description: "line \(number): the annotation's value is not base64 text on the same line")
            }
            result.append(SecurityPolicyDigest.digest(of: text.decoded, form: .manifest, place: "line \(number)"))
        }
        return result
    }

    private static func lines(_ input: [UInt8]) -> [(number: Int, value: String)] {
        var result: [(Int, String)] = []
        for (index, line) in input.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            guard parts.count == 2, parts[0].count <= 200 else { continue }
            let key = unquoted(parts[0])
            guard key.lowercased().hasSuffix(annotation), !key.contains(" ") else { continue }
            result.append((index + 1, unquoted(parts[1])))
        }
        return result
    }

    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> String {
        var rest = bytes
        let ignored = Array(" \t\r\"'".utf8)
        while let first = rest.first, ignored.contains(first) { rest = rest.dropFirst() }
        while let last = rest.last, ignored.contains(last) { rest = rest.dropLast() }
        return String(decoding: rest, as: UTF8.self)
    }
}
