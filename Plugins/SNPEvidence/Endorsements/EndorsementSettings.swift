internal import BrokerCore
internal import HTTPTransport
internal import Logging
internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import SNPVerification

enum EndorsementSettings {
    /// The configured sources, behind one cache.
    static func resolver(_ options: SNPSettings, _ host: HostServices) throws(BrokerError) -> EndorsementResolver {
        var sources: [any EndorsementSource] = []
        for source in options.sources {
            switch source {
            case .report: sources.append(ReportTableSource())
            case .securityContext: sources.append(HostCertificateSource(document: try PlatformContext.read(options).hostCertificates))
            case .thim:
                guard let address = HostAndPort(options.thimEndpoint, defaultPort: 80) else { continue }
                sources.append(THIMSource(transport: host.transport, host: address.host, port: address.port))
            case .azureCache:
                sources.append(
                    AzureCacheSource(
                        transport: host.transport, endpoint: options.azureCacheEndpoint, prefix: options.azureCachePrefix,
                        query: options.azureCacheQuery))
            case .kds: sources.append(KDSSource(transport: host.transport, endpoint: options.kdsEndpoint))
            }
        }
        return EndorsementResolver(
            sources: sources, roots: try roots(options, host), products: host.products,
            directory: options.directory.isEmpty ? nil : EndorsementDirectory(options.directory), product: options.product,
            clock: host.clock)
    }

    private static func roots(_ options: SNPSettings, _ host: HostServices) throws(BrokerError) -> [PinnedRoot] {
        guard !options.rootFile.isEmpty else { return host.products.roots }
        func unusable(_ reason: String) -> BrokerError {
            BrokerError(.misconfigured, at: .startup, "evidence.snp.endorsement-root-file: \(reason)")
        }
        var pins = host.products.roots
        do {
            let content = try BoundedFile.read(options.rootFile, limit: 1 << 16)
            for certificate in try Certificate.parse(pemOrDER: content, maximumCount: 8) {
                guard let product = host.products.product(ofRoot: certificate.subjectCommonName) else { continue }
                pins.append(PinnedRoot(name: "configured ARK-\(product)", product: product, certificate: certificate))
            }
        } catch { throw unusable("\(error)") }
        guard pins.count > host.products.roots.count else {
            throw unusable("\(options.rootFile) holds no certificate named one of \(host.products.rootNames)")
        }
        host.logger.warning(
            "evidence.snp.endorsement-root-file: roots beside AMD's are trusted; whoever holds their keys can pretend to be any machine",
            metadata: ["file": "\(options.rootFile)"])
        return pins
    }
}
