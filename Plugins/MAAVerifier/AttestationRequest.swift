internal import BrokerCore
internal import OpenSSLCrypto
internal import StrictJSON

/// Body of POST /attest/SevSnpVm (AttestationService.md, "Attest request"). All base64url without padding; nothing that is empty is sent.
struct AttestationRequest {
    let evidence: Evidence
    let runtime: RuntimeDataForm
    let nonce: String
    /// The evidence's certificates as `CertificateChainText` writes them.
    let certificateChain: String

    func body() -> [UInt8] {
        let document: JSONValue = [
            "report": .string(Base64.encodeURL(bundle().serialized())),
            "runtimeData": ["data": .string(Base64.encodeURL(runtime.bytes)), "dataType": .string(runtime.dataType)],
            "nonce": .string(nonce),
        ]
        return document.serialized()
    }

    /// The `report` bundle (AttestationService.md, "Report bundle").
    private func bundle() -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("SnpReport", .string(Base64.encodeURL(evidence.report))), ("VcekCertChain", .string(certificateChain)),
        ]
        if !evidence.platformEndorsements.isEmpty {
            let uvm = evidence.platformEndorsements.map { JSONValue.string(Base64.encodeURL($0)) }
            let document: JSONValue = ["Uvm": .array(uvm)]
            members.append(("Endorsements", .string(Base64.encodeURL(document.serialized()))))
        }
        return .object(JSONObject(members))
    }
}
