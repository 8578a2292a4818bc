internal import AttestationTokens
internal import BrokerCore
internal import OpenSSLCrypto
internal import StrictJSON

/// Body of POST /attest/SevSnpVm (AttestationService.md, "Attest request"). All base64url without padding; nothing that is empty is sent.
struct AttestationRequest {
    let evidence: Evidence
    let runtime: RuntimeDataForm
    let nonce: String

    /// Throws `endorsementMismatch` where an endorsement is no certificate.
    func body() throws(BrokerError) -> [UInt8] {
        let document: JSONValue = [
            "report": .string(Base64.encodeURL(try bundle().serialized())),
            "runtimeData": ["data": .string(Base64.encodeURL(runtime.bytes)), "dataType": .string(runtime.dataType)],
            "nonce": .string(nonce),
        ]
        return document.serialized()
    }

    /// The `report` bundle (AttestationService.md, "Report bundle").
    private func bundle() throws(BrokerError) -> JSONValue {
        var chain = ""
        for der in evidence.endorsements {
            do { chain += try Certificate.pem(der: der) } catch {
                throw BrokerError(.endorsementMismatch, at: .verify, "an endorsement is no certificate: \(error.reason)", cause: error)
            }
        }
        var members: [(String, JSONValue)] = [
            ("SnpReport", .string(Base64.encodeURL(evidence.report))), ("VcekCertChain", .string(Base64.encodeURL(Array(chain.utf8)))),
        ]
        if !evidence.platformEndorsements.isEmpty {
            let uvm = evidence.platformEndorsements.map { JSONValue.string(Base64.encodeURL($0)) }
            let document: JSONValue = ["Uvm": .array(uvm)]
            members.append(("Endorsements", .string(Base64.encodeURL(document.serialized()))))
        }
        return .object(JSONObject(members))
    }
}
