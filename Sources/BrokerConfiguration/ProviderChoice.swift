internal import BrokerCore
internal import PlainText

/// The `use` settings, whose allowed values are the names of the providers that are built in.
struct ProviderChoice {
    let evidence: SettingKey<String>
    let verifiers: SettingKey<ProviderNames>
    let keyStores: SettingKey<[String]>

    init(_ providers: [ProviderSummary]) {
        func names(_ role: ProviderRole) -> [String] { providers.filter { $0.role == role }.map(\.name) }
        let evidenceNames = names(.evidence)
        let verifierNames = names(.verifier)
        let storeNames = names(.keyStore)
        evidence = SettingKey(
            "use", default: "snp", help: "Evidence provider: " + evidenceNames.joined(separator: ", "),
            check: { Self.complaint($0, .evidence, evidenceNames) })
        verifiers = SettingKey(
            "use", default: ProviderNames(["maa"]), help: "Verifier, or a list of them: " + verifierNames.joined(separator: ", "),
            check: { Self.complaint(list: $0.names, .verifier, verifierNames) })
        keyStores = SettingKey(
            "use", default: ["akv", "mhsm"], help: "Key stores, at least one of: " + storeNames.joined(separator: ", "),
            check: { Self.complaint(list: $0, .keyStore, storeNames) })
    }

    private static func complaint(list: [String], _ role: ProviderRole, _ known: [String]) -> String? {
        if list.isEmpty { return "the list is empty; a broker needs at least one \(role.title)" }
        var complaints: [String] = []
        var seen: Set<String> = []
        for name in list {
            if let complaint = complaint(name, role, known) {
                complaints.append(complaint)
            } else if !seen.insert(name).inserted {
                complaints.append("'\(name)' is listed twice")
            }
        }
        return complaints.isEmpty ? nil : complaints.joined(separator: "; ")
    }

    static func complaint(_ name: String, _ role: ProviderRole, _ known: [String]) -> String? {
        if known.contains(name) { return nil }
        if name.isEmpty { return "the name of the \(role.title) is empty; built in: \(known.joined(separator: ", "))" }
        var text = "no \(role.title) '\(VisibleText.line(name))' is built in"
        if let nearest = NearestName.nearest(to: name, among: known) { text += "; did you mean \(nearest)?" }
        return text + " (built in: \(known.isEmpty ? "none" : known.joined(separator: ", ")))"
    }
}

/// One name of a provider, or a list of them.
struct ProviderNames: SettingValue {
    let names: [String]

    init(_ names: [String]) { self.names = names }

    static var settingType: String { "name, or list of names" }
    var settingText: String { names.joined(separator: ",") }
    var rawSetting: RawSetting { names.count == 1 ? .string(names[0]) : .list(names) }

    static func decode(_ raw: RawSetting) -> Result<ProviderNames, SettingComplaint> {
        // An empty text is a name that is wrong, and no empty list.
        if raw == .string("") || raw == .text("") { return .success(ProviderNames([""])) }
        return [String].decode(raw).map(ProviderNames.init)
    }
}

/// Values of `verifier.require`.
package enum VerifierRequirement: String, SettingChoice {
    case all, any, primary
}
