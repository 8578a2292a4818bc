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
            sources: sources, roots: try roots(options, host.logger),
            directory: options.directory.isEmpty ? nil : EndorsementDirectory(options.directory), product: options.product,
            clock: host.clock)
    }

    private static func roots(_ options: SNPSettings, _ logger: Logger) throws(BrokerError) -> [PinnedRoot] {
        guard !options.rootFile.isEmpty else { return AMDRoots.pins }
        func unusable(_ reason: String) -> BrokerError {
            BrokerError(.misconfigured, at: .startup, "evidence.snp.endorsement-root-file: \(reason)")
        }
        var pins = AMDRoots.pins
        do {
            let content = try BoundedFile.read(options.rootFile, limit: 1 << 16)
            for certificate in try Certificate.parse(pemOrDER: content, maximumCount: 8) {
                guard let name = certificate.subjectCommonName, name.hasPrefix("ARK-"),
                    let product = ProcessorProduct.allCases.first(where: { name == "ARK-\($0.rawValue)" })
                else { continue }
                pins.append(PinnedRoot(name: "configured \(name)", product: product, certificate: certificate))
            }
        } catch { throw unusable("\(error)") }
        guard pins.count > AMDRoots.pins.count else {
            throw unusable("\(options.rootFile) holds no certificate named ARK-Milan, ARK-Genoa or ARK-Turin")
        }
        logger.warning(
            "evidence.snp.endorsement-root-file: roots beside AMD's are trusted; whoever holds their keys can pretend to be any machine",
            metadata: ["file": "\(options.rootFile)"])
        return pins
    }
}
