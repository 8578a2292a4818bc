internal import BrokerCore
internal import PlainText
internal import StrictJSON

extension OriginalSidecarInputs {
    /// The member `certcache`: one source of certificates, and how to ask it (OriginalSidecar.md, "Start-up inputs"). What the original
    /// asks alone is asked first here, after the certificates that the platform gives by itself.
    func translate(certificateCache value: JSONValue, _ input: Input, _ result: inout Translation) {
        let setting = "evidence.snp.endorsement-sources"
        guard case .object(let object) = value else {
            result.problem(setting, input, "certcache: expected an object, found \(value.kindName)")
            return
        }
        var members: [String: String] = [:]
        for (name, value) in object where value != .null {
            switch value {
            case .string(let text) where Self.cacheMembers.contains(name): members[name] = text
            case _ where !Self.cacheMembers.contains(name):
                result.warnings.append("\(input.name): 'certcache.\(VisibleText.line(name))' is not known and was ignored")
            default: result.problem(setting, input, "certcache.\(name): expected a string, found \(value.kindName)")
            }
        }
        func text(_ name: String) -> String { members[name] ?? "" }
        let name = input.name
        // The endpoint is a host, for AMD and THIM with the path that both services have anyway.
        let host = text("endpoint").prefix { $0 != "/" }
        switch text("endpoint_type") {
        case "": return
        case "AMD":
            result.set(setting, list: ["security-context", "report", "kds", "thim", "azure-cache"], name)
            if !host.isEmpty { result.set("evidence.snp.kds-endpoint", String(host), name) }
            let product = text("tee_type").lowercased()
            if ["milan", "genoa", "turin"].contains(product) { result.set("evidence.snp.product", product, name) }
        case "LocalTHIM":
            result.set(setting, list: ["security-context", "report", "thim", "azure-cache", "kds"], name)
            if !host.isEmpty { result.set("evidence.snp.thim-endpoint", String(host), name) }
        case "AzCache":
            result.set(setting, list: ["security-context", "report", "azure-cache", "thim", "kds"], name)
            if !host.isEmpty { result.set("evidence.snp.azure-cache-endpoint", String(host), name) }
            if !text("tee_type").isEmpty { result.set("evidence.snp.azure-cache-tee-type", text("tee_type"), name) }
            let query = [text("api_version"), text("client_id")].filter { !$0.isEmpty }.joined(separator: "&")
            if !query.isEmpty { result.set("evidence.snp.azure-cache-query", query, name) }
        default: result.problem(setting, input, "certcache.endpoint_type: expected AMD, LocalTHIM or AzCache")
        }
    }

    private static let cacheMembers: Set<String> = ["endpoint_type", "endpoint", "tee_type", "api_version", "client_id"]
}
