internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// Security policies inside JSON: `properties.confidentialComputeProperties.ccePolicy` of an ARM template, wherever it is nested, and the
/// values of parameter files.
enum TemplatePolicies {
    private typealias Found = (place: String, value: JSONValue)

    static func read(_ text: [UInt8]) throws(InputRefusal) -> [SecurityPolicyInput] {
        let document: JSONValue
        do { document = try JSONValue.parse(written: TemplateText.json(text), limits: TextForm.jsonLimits) } catch {
            throw refusal("not readable as JSON (\(error.description))")
        }
        var found: [Found] = []
        collect(document, place: "", into: &found)
        if found.isEmpty { found = parameter(of: document) }
        guard !found.isEmpty else {
            throw refusal(
                "\(Lookalike.json(document)), which has no ccePolicy (properties.confidentialComputeProperties.ccePolicy of a container "
                    + "group)"
            )
        }
        var result: [SecurityPolicyInput] = []
        for (place, value) in found { result.append(try policy(value, at: place, in: document)) }
        return result
    }

    private static func refusal(_ description: String) -> InputRefusal { SecurityPolicyInput.refusal(description) }

    private static func collect(_ value: JSONValue, place: String, into found: inout [Found]) {
        switch value {
        case .object(let object):
            for (key, member) in object {
                let here = place.isEmpty ? key : "\(place).\(key)"
                let name = key.lowercased()
                guard name == "ccepolicy" || name.hasSuffix(".ccepolicy") else {
                    collect(member, place: here, into: &found)
                    continue
                }
                if case .object(let parameter) = member {
                    // A parameter: its declaration in a template has defaultValue, its value in a parameter file has value.
                    if let text = parameter["value"] ?? parameter["defaultValue"] { found.append((here, text)) }
                } else {
                    found.append((here, member))
                }
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() { collect(element, place: "\(place)[\(index)]", into: &found) }
        default: break
        }
    }

    /// The one value of a parameter file that is the base64 of a policy, whatever the parameter is called.
    private static func parameter(of document: JSONValue) -> [Found] {
        guard case .object(let root) = document, root["resources"] == nil, case .object(let parameters)? = root["parameters"] else {
            return []
        }
        let found = parameters.compactMap { name, value -> Found? in
            guard case .object(let parameter) = value, let value = parameter["value"], case .string(let text) = value,
                let decoded = base64(text), RegoText.isModule(decoded)
            else { return nil }
            return ("parameters.\(name)", value)
        }
        return found.count == 1 ? found : []
    }

    private static func policy(_ value: JSONValue, at place: String, in document: JSONValue) throws(InputRefusal) -> SecurityPolicyInput {
        guard case .string(var text) = value else { throw refusal("\(place) is \(value.kindName), not base64 text") }
        // A variable may name a parameter.
        for _ in 0..<4 where text.hasPrefix("[") {
            guard let resolved = resolved(text, in: document) else {
                throw refusal("\(place) is an expression whose value is not in this file; give the file that has it")
            }
            text = resolved
        }
        guard !text.isEmpty else { throw refusal("\(place) is empty; 'az confcom acipolicygen' fills it, and the service refuses it so") }
        guard let decoded = base64(text) else {
            throw refusal("\(place) is not base64 text; ccePolicy is the base64 of the policy, not the policy")
        }
        guard RegoText.isModule(decoded) else {
            throw refusal("\(place) is the base64 of something that looks like \(Lookalike.name(of: decoded)), not of a policy in Rego")
        }
        let isWrapped = text.utf8.contains(where: ASCIISet.whiteSpace.contains)
        let note = "the base64 text is wrapped into lines, which were joined; ccePolicy must be one line"
        return SecurityPolicyInput(bytes: decoded, form: .template, place: place, notes: isWrapped ? [note] : [])
    }

    static func base64(_ text: String) -> [UInt8]? {
        let joined = text.utf8.filter { !ASCIISet.whiteSpace.contains($0) }
        return joined.isEmpty ? nil : Base64.decodeLenient(String(decoding: joined, as: UTF8.self))
    }

    /// `[parameters('name')]` and `[variables('name')]` of the template itself. Resource Manager compares all names without case.
    private static func resolved(_ expression: String, in document: JSONValue) -> String? {
        guard case .object(let template) = document, expression.hasSuffix("]") else { return nil }
        let parts = expression.dropFirst().dropLast().split(separator: "(", maxSplits: 1).map(trimmed)
        guard parts.count == 2, ["parameters", "variables"].contains(parts[0].lowercased()), parts[1].hasSuffix(")") else { return nil }
        let quoted = trimmed(parts[1].dropLast())
        guard quoted.count > 2, quoted.hasPrefix("'"), quoted.hasSuffix("'") else { return nil }
        let name = quoted.dropFirst().dropLast().lowercased()
        guard case .object(let declared)? = template[parts[0].lowercased()],
            let value = declared.first(where: { $0.key.lowercased() == name })?.value
        else { return nil }
        if case .object(let parameter) = value, case .string(let text)? = parameter["value"] ?? parameter["defaultValue"] { return text }
        if case .string(let text) = value { return text }
        return nil
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(decoding: Array(text.utf8).trimmed(.whiteSpace), as: UTF8.self)
    }
}

/// Security policies in pod manifests for virtual nodes: a line `….ccepolicy: BASE64`, or the block below it. YAML is not parsed; only that
/// is read.
enum ManifestPolicies {
    /// Empty where there is no such line.
    static func read(_ text: [UInt8]) throws(InputRefusal) -> [SecurityPolicyInput] {
        // Most bytes are no manifest, and some are long.
        guard !text.contains(0) else { return [] }
        var result: [SecurityPolicyInput] = []
        let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            guard parts.count == 2, parts[0].count <= 200 else { continue }
            let key = unquoted(parts[0])
            guard key.lowercased().hasSuffix("ccepolicy"), !key.contains(" "), !key.hasPrefix("#") else { continue }
            var value = unquoted(parts[1])
            if ["", "|", ">", "|-", ">-", "|+", ">+"].contains(value) { value = block(below: line, lines[(index + 1)...]) }
            guard let decoded = TemplatePolicies.base64(value) else {
                throw SecurityPolicyInput.refusal("line \(index + 1): the annotation's value is not base64 text")
            }
            guard RegoText.isModule(decoded) else {
                throw SecurityPolicyInput.refusal(
                    "line \(index + 1): the base64 of something that looks like \(Lookalike.name(of: decoded)), not of a policy in Rego")
            }
            result.append(SecurityPolicyInput(bytes: decoded, form: .manifest, place: "line \(index + 1)", notes: []))
        }
        return result
    }

    /// The lines that are indented further than the key.
    private static func block(below key: ArraySlice<UInt8>, _ lines: ArraySlice<ArraySlice<UInt8>>) -> String {
        let indent = key.prefix { $0 == 0x20 }.count
        let inner = lines.prefix { line in line.prefix { $0 == 0x20 }.count > indent }
        return inner.map { unquoted($0) }.joined()
    }

    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.trimmed(.whiteSpace + "\"',"), as: UTF8.self)
    }
}
