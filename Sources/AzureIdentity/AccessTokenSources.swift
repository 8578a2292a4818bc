public import BrokerCore
public import HTTPTransport
public import Logging

/// Makes the broker's source of access tokens. Reads no file and asks no service yet.
///
/// `environment` gives what the options leave open: `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_AUTHORITY_HOST`,
/// `AZURE_POD_IDENTITY_AUTHORITY_HOST`. The variables of other hosting environments (`IDENTITY_ENDPOINT`, `MSI_ENDPOINT`, …) are not looked at, because
/// confidential container groups have them half set and serve IMDS anyway (azure-protocols 3.4).
///
/// `sleep` waits between attempts; the default sleeps for real and ends early when the request is cancelled.
public func makeAccessTokenSource(
    _ options: AzureIdentityOptions, environment: [String: String], transport: any HTTPTransport, clock: any WallClock,
    logger: Logger, sleep: @escaping Sleeper = { try? await Task.sleep(for: $0) }
) throws(BrokerError) -> any AccessTokenSource {
    let choice = IdentityChoice(options: options, environment: environment)
    let issuer: any TokenIssuer
    switch choice.use {
    case .none:
        logger.info("no identity of the broker's own; every release needs a caller's access token")
        return NoIdentity()
    case .workloadIdentity:
        issuer = try choice.workloadIdentity(transport: transport, clock: clock, sleep: sleep)
    case .auto, .managedIdentity:
        issuer = try choice.managedIdentity(transport: transport, clock: clock, sleep: sleep)
    }
    logger.info("identity chosen", metadata: ["identity": "\(issuer.identity)", "reason": "\(choice.reason)"])
    return CachedAccessTokens(issuer, clock: clock)
}

/// Options and environment put together.
struct IdentityChoice {
    let options: AzureIdentityOptions
    let environment: [String: String]

    /// What is used: `auto` is decided here.
    var use: AzureIdentityOptions.Use {
        guard options.use == .auto else { return options.use }
        let wantsManaged = options.objectID != nil || options.resourceID != nil
        return missingForWorkload.isEmpty && !wantsManaged ? .workloadIdentity : .managedIdentity
    }

    /// Why, for the log.
    var reason: String {
        guard options.use == .auto else { return "identity.use is \(options.use.rawValue)" }
        if use == .workloadIdentity { return "client id, tenant id and federated token file are all set" }
        let missing = missingForWorkload
        return missing.isEmpty
            ? "a setting names a managed identity" : "no workload identity without \(missing.joined(separator: ", "))"
    }

    private var clientID: String? { options.clientID ?? variable("AZURE_CLIENT_ID") }
    private var tenantID: String? { options.tenantID ?? variable("AZURE_TENANT_ID") }
    private var tokenFile: String? { options.federatedTokenFile ?? variable("AZURE_FEDERATED_TOKEN_FILE") }

    private var missingForWorkload: [String] {
        [
            (clientID, "identity.client-id (AZURE_CLIENT_ID)"), (tenantID, "identity.tenant-id (AZURE_TENANT_ID)"),
            (tokenFile, "identity.federated-token-file (AZURE_FEDERATED_TOKEN_FILE)"),
        ].filter { $0.0 == nil }.map(\.1)
    }

    // A misconfigured webhook injects empty variables (azure-protocols 7, item 16): they count as absent.
    private func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func workloadIdentity(
        transport: any HTTPTransport, clock: any WallClock, sleep: @escaping Sleeper
    ) throws(BrokerError) -> WorkloadIdentity {
        guard let clientID, let tenantID, let tokenFile else {
            throw BrokerError(
                .misconfigured, at: .startup,
                "workload identity needs \(missingForWorkload.joined(separator: " and "))")
        }
        guard isIdentifier(clientID) else { throw Self.bad("the client id", "1 to 512 printable characters") }
        // Part of a URL path; a tenant is a GUID or a domain name.
        let isTenant = tenantID.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isTenant, tenantID.utf8.count <= 253, !tenantID.hasPrefix(".") else {
            throw Self.bad("the tenant id", "a GUID or a domain name")
        }
        var host = options.authorityHost ?? variable("AZURE_AUTHORITY_HOST") ?? options.cloud.authorityHost
        while host.hasSuffix("/") { host.removeLast() }
        let authority: Endpoint
        do { authority = try Endpoint(host) } catch {
            throw BrokerError(
                .misconfigured, at: .startup,
                "the authority host (identity.authority-host, AZURE_AUTHORITY_HOST): \(error.description)")
        }
        return WorkloadIdentity(
            clientID: clientID, tenantID: tenantID, tokenFile: tokenFile, authority: authority,
            timeout: options.timeout, transport: transport, clock: clock, sleep: sleep)
    }

    func managedIdentity(
        transport: any HTTPTransport, clock: any WallClock, sleep: @escaping Sleeper
    ) throws(BrokerError) -> ManagedIdentity {
        let named: [ManagedIdentity.Selector] = [
            options.clientID.map { .clientID($0) }, options.objectID.map { .objectID($0) },
            options.resourceID.map { .resourceID($0) },
        ].compactMap(\.self)
        guard named.count <= 1 else {
            throw BrokerError(
                .misconfigured, at: .startup,
                "identity.client-id, identity.object-id and identity.resource-id exclude each other: set one of them")
        }
        let selector = named.first ?? variable("AZURE_CLIENT_ID").map { .clientID($0) }
        switch selector {
        case .clientID(let id)?, .objectID(let id)?, .resourceID(let id)?:
            guard isIdentifier(id) else { throw Self.bad("the identity's id", "1 to 512 printable characters") }
        case nil: break
        }
        let (host, port) = try metadataAddress()
        return ManagedIdentity(
            selector: selector, host: host, port: port, timeout: options.timeout, transport: transport, clock: clock,
            sleep: sleep)
    }

    /// `http://host[:port]`, with a slash at the end tolerated because the official clients tolerate it.
    private func metadataAddress() throws(BrokerError) -> (host: String, port: Int) {
        let wellKnown = AzureIdentityOptions.wellKnownMetadataEndpoint
        let own = options.imdsEndpoint == wellKnown ? nil : options.imdsEndpoint
        let text = own ?? variable("AZURE_POD_IDENTITY_AUTHORITY_HOST") ?? wellKnown
        let wrong = BrokerError(
            .misconfigured, at: .startup,
            "the metadata service (identity.imds-endpoint, AZURE_POD_IDENTITY_AUTHORITY_HOST) is http://host or "
                + "http://host:port without a path")
        var rest = text[...]
        guard rest.hasPrefix("http://") else { throw wrong }
        rest = rest.dropFirst(7)
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, (1...253).contains(host.utf8.count) else { throw wrong }
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isName else { throw wrong }
        guard parts.count == 2 else { return (String(host), 80) }
        guard let port = Int(parts[1]), (1...65535).contains(port), parts[1].utf8.count <= 5 else { throw wrong }
        return (String(host), port)
    }

    private func isIdentifier(_ text: String) -> Bool { TokenAnswer.isFieldValue(text, limit: 512) }

    private static func bad(_ what: String, _ form: String) -> BrokerError {
        BrokerError(.misconfigured, at: .startup, "\(what) of the identity block or environment must be \(form)")
    }
}
