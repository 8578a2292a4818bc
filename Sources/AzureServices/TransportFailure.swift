package import BrokerCore
package import HTTPTransport

extension HTTPTransportError {
    /// What a request of a broker's caller fails with when a service could not be asked.
    package var brokerCode: BrokerError.Code {
        switch self {
        case .deadlineExceeded, .cancelled: .deadlineExceeded
        case .responseTooLarge, .invalidResponse: .upstreamInvalid
        case .nameNotResolved, .connectionFailed, .tlsFailed, .stopped: .upstreamUnavailable
        case .heldBack(let isThrottled, _): isThrottled ? .upstreamThrottled : .upstreamUnavailable
        case .invalidRequest: .internal
        }
    }
}
