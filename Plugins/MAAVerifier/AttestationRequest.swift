internal import BrokerCore
internal import OpenSSLCrypto
internal import StrictJSON

/// Body of POST /attest/SevSnpVm (azure-protocols 1.2). All base64url without padding; nothing that is empty is sent.
struct AttestationRequest {
    let evidence: Evidence
    let runtime: RuntimeDataForm
    let nonce: String

    func body() throws(BrokerError) -> [UInt8] {
        let document: JSONValue = [
            "report": .string(Base64.encodeURL(try bundle().serialized())),
            "runtimeData": [
                "data": .string(Base64.encodeURL(runtime.bytes)), "dataType": .string(runtime.dataType),
            ],
            "nonce": .string(nonce),
        ]
        return document.serialized()
    }

    /// The `report` bundle (azure-protocols 1.2.1): certificates as PEM, leaf first.
    private func bundle() throws(BrokerError) -> JSONValue {
        var pem = ""
        for der in evidence.endorsements {
            do { pem += Self.line(try Certificate(der: der).pem) } catch {
                throw BrokerError(
                    .endorsementMismatch, at: .verify, "an endorsement is no certificate: \(error.reason)",
                    cause: error)
            }
        }
        var members: [(String, JSONValue)] = [
            ("SnpReport", .string(Base64.encodeURL(evidence.report))),
            ("VcekCertChain", .string(Base64.encodeURL(Array(pem.utf8)))),
        ]
        if !evidence.platformEndorsements.isEmpty {
            let uvm = evidence.platformEndorsements.map { JSONValue.string(Base64.encodeURL($0)) }
            let document: JSONValue = ["Uvm": .array(uvm)]
            members.append(("Endorsements", .string(Base64.encodeURL(document.serialized()))))
        }
        return .object(JSONObject(members))
    }

    private static func line(_ pem: String) -> String { pem.hasSuffix("\n") ? pem : pem + "\n" }
}
