package import BrokerCore
package import HTTPTransport
internal import PlainText
internal import StrictJSON

extension HTTPResponse {
    /// What a status means where its service gives it no meaning of its own.
    package var brokerCode: BrokerError.Code {
        switch status {
        case 429: .upstreamThrottled
        case 408, 500...599: .upstreamUnavailable
        default: .upstreamInvalid
        }
    }
}

/// The answer of a service that does not do what it was asked for, in words and as an error.
///
/// Reads the error documents of Azure Attestation and the key stores, `{"error":{"code":…,"message":…,"innererror":{"code":…}}}`
/// (AttestationService.md, "Refusals"; KeyStores.md, "Refusals"), of Entra ID and the metadata service,
/// `{"error":…,"error_description":…}`, and of App Service, `{"message":…}` (EntraTokens.md, "Refusals"; ManagedIdentity.md, "Errors and
/// retries").
package struct UpstreamRefusal: Sendable {
    private let response: HTTPResponse
    private let service: String
    private let stage: BrokerError.Stage
    package let code: String?
    package let innerCode: String?
    package let message: String?
    private let hint: String?
    /// What the catalogue knows about the answer.
    package let known: KnownFailure?

    /// `service` is its name in messages; `hint` what else was said, outside of the body.
    package init(
        _ response: HTTPResponse, of service: String, at stage: BrokerError.Stage, for action: KeyAction = .release, hint: String? = nil
    ) {
        self.response = response
        self.service = service
        self.stage = stage
        self.hint = hint
        let document = try? JSONCursor.parse(response.body, limits: JSONLimits(maximumDepth: 16))
        let error = try? document?.optional("error")
        // The header for where the body is not JSON, as behind a gateway.
        code = UpstreamText.line(
            (try? error?.string()) ?? (try? error?.optionalString("code")) ?? response.header("x-ms-error-code"), limit: 80)
        innerCode = UpstreamText.line(try? error?.optional("innererror")?.optionalString("code"), limit: 80)
        // Entra ID's description goes on with trace identifiers, each in a line of its own.
        let description = (try? document?.optionalString("error_description"))?.split(whereSeparator: \.isNewline).first.map(String.init)
        message = UpstreamText.line(
            (try? error?.optionalString("message")) ?? description ?? (try? document?.optionalString("message")), limit: 800)
        // The special words first: a code such as Forbidden is shared by many reasons.
        known = KnownFailure.find(in: [message, innerCode, code, hint], for: action)
    }

    /// `code/inner code: message`, or what is there of it.
    package var said: String {
        let codes = [code, innerCode].compactMap(\.self).joined(separator: "/")
        let parts = [codes, message ?? hint ?? ""].filter { !$0.isEmpty }
        return parts.isEmpty ? "no reason given" : parts.joined(separator: ": ")
    }

    /// The error for a status to which the service gives no meaning of its own.
    package var error: BrokerError {
        switch response.status {
        case 429: error(.upstreamThrottled, "\(service) asks for fewer requests")
        case 300...399: error(.upstreamInvalid, "\(service) redirects (\(response.status)); redirects are not followed")
        default: error(response.brokerCode, "\(service) answered \(response.status): \(said)")
        }
    }

    /// The error for a status that means `code` to the service.
    package func error(_ code: BrokerError.Code, at other: BrokerError.Stage? = nil, _ words: String) -> BrokerError {
        BrokerError(
            code, at: other ?? stage, words, retryAfter: response.retryAfter, upstream: .init(status: response.status, body: response.body),
            details: known?.details)
    }
}
