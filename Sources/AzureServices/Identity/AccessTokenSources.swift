package import BrokerCore
package import HTTPTransport
package import Logging
internal import PlainText
internal import SecureMemory

/// Makes the broker's source of access tokens. Reads no file and asks no service yet.
///
/// `environment` gives what the options leave open: `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_FEDERATED_TOKEN_FILE`,
/// `AZURE_AUTHORITY_HOST`, `AZURE_POD_IDENTITY_AUTHORITY_HOST`, `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`. The last two are there, and
/// sometimes half there, in environments where they mean something else (Service Fabric, Arc, confidential container groups;
/// ManagedIdentity.md, "Other endpoints" and "Container groups"); `IdentityChoice` says when they count.
///
/// `onToken` gets the time at which a new token expires, in seconds since 1970.
/// `sleep` waits between attempts; the default sleeps for real and ends early when the request is cancelled.
package func makeAccessTokenSource(
    _ options: AzureIdentityOptions, environment: [String: String], transport: any HTTPTransport, clock: any WallClock, logger: Logger,
    onToken: @escaping @Sendable (Int64) -> Void = { _ in }, sleep: @escaping Sleeper = { try? await Task.sleep(for: $0) }
) throws(BrokerError) -> any AccessTokenSource {
    let choice = IdentityChoice(options: options, environment: environment)
    let issuer: any TokenIssuer
    switch choice.use {
    case .none:
        logger.info("no identity of the broker's own; every release needs a caller's access token")
        return NoIdentity()
    case .workloadIdentity: issuer = try choice.workloadIdentity(transport: transport, clock: clock, sleep: sleep)
    case .appService: issuer = try choice.appService(transport: transport, clock: clock, sleep: sleep)
    case .auto, .managedIdentity:
        let managed = try choice.managedIdentity(transport: transport, clock: clock, sleep: sleep)
        issuer =
            choice.mayFallBack
            ? FallbackIssuer(first: managed, second: try choice.appService(transport: transport, clock: clock, sleep: sleep)) : managed
    }
    logger.info("identity chosen", metadata: ["identity": "\(issuer.identity)", "reason": "\(choice.reason)"])
    return CachedAccessTokens(issuer, reason: choice.reason, clock: clock, onToken: onToken)
}

/// Options and environment put together.
struct IdentityChoice {
    let options: AzureIdentityOptions
    let environment: [String: String]

    /// What is used: `auto` is decided here.
    var use: AzureIdentityOptions.Use {
        guard options.use == .auto else { return options.use }
        let wantsManaged = options.objectID != nil || options.resourceID != nil
        if missingForWorkload.isEmpty && !wantsManaged { return .workloadIdentity }
        return whyNoEndpoint == nil && !options.isConfidentialGroup ? .appService : .managedIdentity
    }

    /// Whether the endpoint of the environment is the second guess behind IMDS.
    var mayFallBack: Bool { options.use == .auto && use == .managedIdentity && whyNoEndpoint == nil }

    /// Why, for the log.
    var reason: String {
        guard options.use == .auto else { return "identity.use is \(options.use.rawValue)" }
        switch use {
        case .workloadIdentity: return "client id, tenant id and federated token file are all set"
        case .appService: return "IDENTITY_ENDPOINT and IDENTITY_HEADER are set"
        default: break
        }
        let missing = missingForWorkload
        let workload =
            missing.isEmpty ? "a setting names a managed identity" : "no workload identity without \(missing.joined(separator: ", "))"
        guard variable("IDENTITY_ENDPOINT") != nil else { return workload }
        let endpoint =
            whyNoEndpoint ?? "a confidential container group has a metadata service; IDENTITY_ENDPOINT is asked where it has none"
        return "\(workload); \(endpoint)"
    }

    /// Why the endpoint of the environment does not count; nothing where it does.
    private var whyNoEndpoint: String? {
        if options.imdsEndpoint != nil || variable("AZURE_POD_IDENTITY_AUTHORITY_HOST") != nil {
            return "a setting names the metadata service"
        }
        for name in ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"] where variable(name) == nil { return "no \(name)" }
        // Service Fabric pins a certificate by this; its protocol is another one.
        if variable("IDENTITY_SERVER_THUMBPRINT") != nil, !options.isConfidentialGroup {
            return "IDENTITY_ENDPOINT is Service Fabric's (IDENTITY_SERVER_THUMBPRINT is set), which is not supported"
        }
        guard endpointAddress != nil else { return "IDENTITY_ENDPOINT is not http://HOST[:PORT]/PATH" }
        return nil
    }

    /// Host, port and path of `IDENTITY_ENDPOINT`. Plain HTTP only: it stays on this machine.
    private var endpointAddress: (address: HostAndPort, path: String)? {
        guard let text = variable("IDENTITY_ENDPOINT"), text.hasPrefix("http://"), text.utf8.count <= 512 else { return nil }
        let rest = text.dropFirst(7)
        guard let slash = rest.firstIndex(of: "/"), let address = HostAndPort(rest[..<slash], defaultPort: 80) else { return nil }
        let path = rest[slash...]
        return path.utf8.consists(of: .hostName + "/_~%") ? (address, String(path)) : nil
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

    // A misconfigured webhook injects empty variables (EntraTokens.md, "Federated exchange"): they count as absent.
    private func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    func workloadIdentity(transport: any HTTPTransport, clock: any WallClock, sleep: @escaping Sleeper) throws(BrokerError)
        -> WorkloadIdentity
    {
        guard let clientID, let tenantID, let tokenFile else {
            throw BrokerError(.misconfigured, at: .startup, "workload identity needs \(missingForWorkload.joined(separator: " and "))")
        }
        guard isIdentifier(clientID) else { throw Self.bad("the client id", "1 to 512 printable characters") }
        // Part of a URL path; a tenant is a GUID or a domain name.
        guard tenantID.utf8.consists(of: .hostName, count: 0...253), !tenantID.hasPrefix(".") else {
            throw Self.bad("the tenant id", "a GUID or a domain name")
        }
        var host = options.authorityHost ?? variable("AZURE_AUTHORITY_HOST") ?? options.cloud.authorityHost
        while host.hasSuffix("/") { host.removeLast() }
        let authority: Endpoint
        do { authority = try Endpoint(host) } catch {
            throw BrokerError(
                .misconfigured, at: .startup, "the authority host (identity.authority-host, AZURE_AUTHORITY_HOST): \(error.description)")
        }
        return WorkloadIdentity(
            clientID: clientID, tenantID: tenantID, tokenFile: tokenFile, authority: authority, timeout: options.timeout,
            transport: transport, clock: clock, sleep: sleep)
    }

    func managedIdentity(transport: any HTTPTransport, clock: any WallClock, sleep: @escaping Sleeper) throws(BrokerError)
        -> ManagedIdentity
    {
        let address = try metadataAddress()
        return ManagedIdentity(
            selector: try selector(), service: .metadata(host: address.host, port: address.port), timeout: options.timeout,
            transport: transport,
            clock: clock, sleep: sleep)
    }

    func appService(transport: any HTTPTransport, clock: any WallClock, sleep: @escaping Sleeper) throws(BrokerError) -> ManagedIdentity {
        guard let (address, path) = endpointAddress, let header = variable("IDENTITY_HEADER") else {
            throw BrokerError(
                .misconfigured, at: .startup,
                "identity.use app-service needs IDENTITY_ENDPOINT (http://HOST[:PORT]/PATH) and IDENTITY_HEADER in the environment")
        }
        guard TokenAnswer.isFieldValue(header, limit: 4096) else {
            throw BrokerError(.misconfigured, at: .startup, "IDENTITY_HEADER must be 1 to 4096 printable characters")
        }
        return ManagedIdentity(
            selector: try selector(),
            service: IdentityService(kind: .appService(header: Redacted(header)), host: address.host, port: address.port, path: path),
            timeout: options.timeout, transport: transport, clock: clock, sleep: sleep)
    }

    private func selector() throws(BrokerError) -> IdentitySelector? {
        let named: [IdentitySelector] = [
            options.clientID.map { .clientID($0) }, options.objectID.map { .objectID($0) }, options.resourceID.map { .resourceID($0) },
        ].compactMap(\.self)
        guard named.count <= 1 else {
            throw BrokerError(
                .misconfigured, at: .startup,
                "identity.client-id, identity.object-id and identity.resource-id exclude each other: set one of them")
        }
        let selector = named.first ?? variable("AZURE_CLIENT_ID").map { .clientID($0) }
        if let selector, !isIdentifier(selector.value) { throw Self.bad("the identity's id", "1 to 512 printable characters") }
        return selector
    }

    /// `http://host[:port]`, with a slash at the end tolerated because the official clients tolerate it.
    private func metadataAddress() throws(BrokerError) -> HostAndPort {
        let wellKnown = AzureIdentityOptions.wellKnownMetadataEndpoint
        let own = options.imdsEndpoint == wellKnown ? nil : options.imdsEndpoint
        let text = own ?? variable("AZURE_POD_IDENTITY_AUTHORITY_HOST") ?? wellKnown
        var rest = text[...]
        if rest.hasPrefix("http://") {
            rest = rest.dropFirst(7)
            while rest.hasSuffix("/") { rest = rest.dropLast() }
            if let address = HostAndPort(rest, defaultPort: 80) { return address }
        }
        throw BrokerError(
            .misconfigured, at: .startup,
            "the metadata service (identity.imds-endpoint, AZURE_POD_IDENTITY_AUTHORITY_HOST) is http://host or "
                + "http://host:port without a path")
    }

    private func isIdentifier(_ text: String) -> Bool { TokenAnswer.isFieldValue(text, limit: 512) }

    private static func bad(_ what: String, _ form: String) -> BrokerError {
        BrokerError(.misconfigured, at: .startup, "\(what) of the identity block or environment must be \(form)")
    }
}
