internal import PlainText
internal import SecureMemory

/// Which of several managed identities; without one, the only one there is.
enum IdentitySelector: Sendable, Hashable {
    case clientID(String)
    case objectID(String)
    case resourceID(String)

    var value: String {
        switch self {
        case .clientID(let id), .objectID(let id), .resourceID(let id): id
        }
    }
}

/// A service on this machine or link that gives out tokens of managed identities: the metadata service, or the endpoint that App Service,
/// Functions and Container Apps name in a variable (ManagedIdentity.md, "Token request" and "Other endpoints"). Both speak plain HTTP and
/// answer alike.
struct IdentityService: Sendable {
    enum Kind: Sendable {
        case metadata
        /// With the value of `IDENTITY_HEADER`, which proves to the endpoint that the request comes from inside.
        case appService(header: Redacted<String>)
    }

    let kind: Kind
    let host: String
    let port: Int
    let path: String

    static func metadata(host: String, port: Int) -> IdentityService {
        IdentityService(kind: .metadata, host: host, port: port, path: "/metadata/identity/oauth2/token")
    }

    /// In messages.
    var name: String {
        switch kind {
        case .metadata: "the metadata service"
        case .appService: "the identity endpoint"
        }
    }

    /// Path and query of a request for a token.
    func request(audience: String, _ selector: IdentitySelector?) -> String {
        let version =
            switch kind {
            case .metadata: "2018-02-01"
            case .appService: "2019-08-01"
            }
        return "\(path)?api-version=\(version)&resource=\(percentEncoded(audience))"
            + (selector.map { "&\(parameter($0))=\(percentEncoded($0.value))" } ?? "")
    }

    var headers: [(name: String, value: String)] {
        switch kind {
        case .metadata: [("Metadata", "true")]
        case .appService(let header): [("X-IDENTITY-HEADER", header.reveal()), ("Metadata", "true")]
        }
    }

    private func parameter(_ selector: IdentitySelector) -> String {
        switch (selector, kind) {
        case (.clientID, _): "client_id"
        case (.objectID, _): "object_id"
        case (.resourceID, .metadata): "msi_res_id"
        case (.resourceID, .appService): "mi_res_id"
        }
    }
}
