internal import BrokerCore
internal import SNPVerification

extension LocalJudge: Diagnosing {
    /// The rules that apply; what the evidence comes to under them is the engine's to ask.
    func diagnosis(network: Bool, in context: RequestContext) async -> [Finding] {
        var rules = settings.floors.map(\.name)
        if let minimum = settings.minimumTCB { rules.append("minimum \(minimum)") }
        if settings.mitigations != 0 { rules.append("mitigations \(BitMask.text(settings.mitigations))") }
        if settings.platformBits != 0 { rules.append("platform bits \(BitMask.text(settings.platformBits))") }
        if !settings.measurements.isEmpty { rules.append("\(settings.measurements.count) measurements") }
        if !settings.hostData.isEmpty { rules.append("\(settings.hostData.count) host data") }
        if settings.crlCheck != .off { rules.append("revocation list \(settings.crlCheck.rawValue)") }
        guard !rules.isEmpty else {
            return [
                Finding(
                    .warning, "local verifier",
                    "judges genuineness, VMPL and debugging alone: no floor, measurement or host data is wanted",
                    next: "set verifier.local.floors, measurements and host-data")
            ]
        }
        return [Finding(.ok, "local verifier", "judges by " + rules.joined(separator: ", "))]
    }
}
