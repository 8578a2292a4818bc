internal import BrokerCore
internal import PlainText

/// The `use` settings, whose allowed values are the names of the providers that are built in.
struct ProviderChoice {
    let evidence: SettingKey<String>
    let verifier: SettingKey<String>
    let keyStores: SettingKey<[String]>

    init(_ providers: [ProviderSummary]) {
        func names(_ role: ProviderRole) -> [String] { providers.filter { $0.role == role }.map(\.name) }
        let evidenceNames = names(.evidence)
        let verifierNames = names(.verifier)
        let storeNames = names(.keyStore)
        evidence = SettingKey(
            "use", default: "snp", help: "Evidence provider: " + evidenceNames.joined(separator: ", "),
            check: { Self.complaint($0, .evidence, evidenceNames) })
        verifier = SettingKey(
            "use", default: "maa", help: "Verifier: " + verifierNames.joined(separator: ", "),
            check: { Self.complaint($0, .verifier, verifierNames) })
        keyStores = SettingKey(
            "use", default: ["akv", "mhsm"], help: "Key stores, at least one of: " + storeNames.joined(separator: ", "),
            check: { Self.complaint(list: $0, storeNames) })
    }

    private static func complaint(list: [String], _ known: [String]) -> String? {
        if list.isEmpty { return "the list is empty; a broker needs at least one key store" }
        var complaints: [String] = []
        var seen: Set<String> = []
        for name in list {
            if let complaint = complaint(name, .keyStore, known) {
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
