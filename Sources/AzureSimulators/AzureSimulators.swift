internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification
internal import SecureMemory
internal import ServiceLifecycle

/// Stand-ins for Microsoft Azure Attestation, Key Vault, Managed HSM, Entra, the instance metadata services and AMD's certificate sources.
///
/// They speak the services' own protocols over TLS and carry out the cryptography for real: reports are verified, tokens signed, policies
/// evaluated, keys wrapped. Microsoft's clients work against them. One TLS port serves every host name; a client needs to reach it under
/// the names of Azure (`--resolve`, `/etc/hosts`, a connect-to option, or names below `.localhost`) and to trust the authority in `caFile`.
///
/// `run()` serves until the surrounding service group or task ends. Administration works at any time, also before.
package final class AzureSimulators: Service {
    let configuration: SimulatorConfiguration
    let directory: ServiceDirectory
    let faults: FaultBoard
    let permissions: PermissionBoard
    let accessTokens: AccessTokenIssuer
    let vault: KeyStoreService
    let managedHSM: KeyStoreService
    let attestationInstances: AttestationInstances

    private let authority: CertificateAuthority
    private let tls: TLSConfiguration
    private let announcement: PortAnnouncement

    /// Makes or loads keys and certificates and writes `caFile`.
    package init(_ configuration: SimulatorConfiguration = SimulatorConfiguration()) throws(SimulatorError) {
        guard !configuration.identities.isEmpty else { throw SimulatorError("at least one managed identity must be configured") }
        self.configuration = configuration
        announcement = PortAnnouncement(expectsProxy: configuration.proxyPort != nil)
        let state = try configuration.keyDirectory.map { path throws(SimulatorError) in try StateDirectory(path) }
        let validity = CertificateValidity(clock: configuration.clock())
        let authority = try CertificateAuthority(directory: state, validity: validity, makeSignerKey: configuration.makeSignerKey)
        self.authority = authority
        if let file = configuration.caFile {
            try CertificateAuthority.refuseToReplace(file)
            try Array(authority.root.certificate.textPEM.utf8).withUnsafeBufferPointer { bytes throws(SimulatorError) in
                try StateDirectory.replace(file, with: UnsafeRawBufferPointer(bytes), mode: 0o644)
            }
        }
        let server = try authority.serverIdentity(names: KnownHosts.serverCertificateNames(extra: configuration.extraHostNames))
        tls = try Self.tlsConfiguration(server.key, server.chain)

        let entra = try StoredIdentity.selfSigned(
            "entra", commonName: "accounts.accesscontrol.windows.net", in: state, validity: validity, makeKey: configuration.makeSignerKey)
        accessTokens = AccessTokenIssuer(tenantID: configuration.tenantID, key: entra.key, certificate: entra.certificate)
        attestationInstances = AttestationInstances(directory: state, validity: validity, makeSignerKey: configuration.makeSignerKey)
        faults = FaultBoard(configuration.faults, limits: configuration.limits)
        permissions = PermissionBoard(configuration.denials)
        let content = try KeyStoreContent(directory: state)
        let attestationAuthorities = AuthorityKeyFinder(transport: configuration.authorityTransport)
        let (accessTokens, permissions) = (accessTokens, permissions)
        func store(_ personality: KeyStorePersonality) -> KeyStoreService {
            KeyStoreService(
                personality: personality, content: content, accessTokens: accessTokens, authority: authority,
                attestationAuthorities: attestationAuthorities, permissions: permissions, configuration: configuration)
        }
        vault = store(.vault)
        managedHSM = store(.managedHSM)
        directory = ServiceDirectory(
            attestation: AttestationService(
                instances: attestationInstances, roots: AMDRoots.pins + (try Self.extraRoots(configuration)), accessTokens: accessTokens,
                configuration: configuration), vault: vault, managedHSM: managedHSM,
            entra: EntraService(issuer: accessTokens, configuration: configuration),
            keyDistribution: KeyDistributionService(
                chain: configuration.endorsements, revocationList: configuration.revocationList),
            certificateCache: CertificateCacheService(chain: configuration.endorsements),
            management: ManagementService(issuer: accessTokens, configuration: configuration),
            metadata: MetadataService(issuer: accessTokens, configuration: configuration), faults: faults,
            onExchange: configuration.onExchange, logger: configuration.logger)
        attestationAuthorities.connect(directory)
    }

    /// The certificate that clients must trust, PEM: what `caFile` holds.
    package var authorityPEM: String { authority.root.certificate.textPEM }

    /// Where the simulators listen; waits until they do. Throws when `run()` ended before that.
    package var ports: SimulatorPorts { get async throws(SimulatorError) { try await announcement.ports } }

    /// Serves until shut down.
    package func run() async throws {
        do {
            try await serve()
            announcement.fail(SimulatorError("the simulators were stopped"))
        } catch {
            announcement.fail(SimulatorError("the simulators cannot listen: \(error)"))
            throw error
        }
    }

    /// Serves while `body` runs, then stops. For tests and demonstrations.
    package static func withRunning<Result: Sendable>(
        _ configuration: SimulatorConfiguration = SimulatorConfiguration(),
        _ body: @Sendable (AzureSimulators, SimulatorPorts) async throws -> Result
    ) async throws -> Result {
        let simulators = try AzureSimulators(configuration)
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [simulators], logger: configuration.logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(simulators, try await simulators.ports)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            while let _ = try await tasks.next() {}
            return try result.get()
        }
    }

    private func serve() async throws {
        let directory = directory
        let announcement = announcement
        let (host, logger) = (configuration.host, configuration.logger)
        let secure = try SimulatorServer { await directory.respond(to: $0) }.server(
            .tls(.http1(), tlsConfiguration: tls), on: .hostname(host, port: configuration.port), logger: logger
        ) { announcement.announce(tls: $0) }
        let plain = try SimulatorServer { await directory.respondAsMetadata(to: $0) }.server(
            on: .hostname(host, port: configuration.metadataPort), logger: logger
        ) { announcement.announce(metadata: $0) }
        var services: [any Service] = [secure, plain]
        if let port = configuration.proxyPort {
            services.append(SimulatorProxy(host: host, port: port, announcement: announcement, logger: logger))
        }
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
        try await group.run()
    }

    private static func tlsConfiguration(_ key: PrivateKey, _ chain: [Certificate]) throws(SimulatorError) -> TLSConfiguration {
        do {
            let der = try key.pkcs8DER()
            // NIOSSL takes an array; this copy of a key that lives as long as the process is its own.
            let bytes = der.withUnsafeBytes { Array($0) }
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: try chain.map { .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der)) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: bytes, format: .der)))
            tls.applicationProtocols = ["http/1.1"]
            tls.minimumTLSVersion = .tlsv12
            return tls
        } catch { throw SimulatorError("cannot set up TLS: \(error)") }
    }

    private static func extraRoots(_ configuration: SimulatorConfiguration) throws(SimulatorError) -> [PinnedRoot] {
        var roots: [PinnedRoot] = []
        for (index, file) in configuration.trustedReportRoots.enumerated() {
            do {
                for certificate in try Certificate.parse(pemOrDER: file, maximumCount: 10) {
                    guard let product = ProductTable.builtIn.product(ofRoot: certificate.subjectCommonName) else { continue }
                    roots.append(PinnedRoot(name: "simulator ARK-\(product.rawValue)", product: product, certificate: certificate))
                }
            } catch { throw SimulatorError("trusted report root \(index + 1): \(error)") }
            guard !roots.isEmpty else { throw SimulatorError("trusted report root \(index + 1) has no certificate named ARK-…") }
        }
        return roots
    }
}
