package import BrokerConfiguration
package import BrokerCore
package import NIOCore
package import NIOSSL
internal import OpenSSLCrypto

/// TLS of the TCP listeners: who has no certificate of the client authorities is not served (Callers.md, "Who a caller is").
package struct ServerTLS: Sendable {
    package let wantsClientCertificate: Bool
    private let context: NIOSSLContext

    /// - Parameter protocols: what is agreed on in the handshake (RFC 7301); nothing is where it is empty.
    /// - Throws: `BrokerError` with code `misconfigured` where a file cannot be used.
    package init(_ files: TLSFiles, protocols: [String] = []) throws(BrokerError) {
        wantsClientCertificate = files.clientAuthorities != nil
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = protocols
            if let authorities = files.clientAuthorities {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorities))
                // A client has no name to compare; its certificate must be there and lead to one of these authorities.
                configuration.certificateVerification = .noHostnameVerification
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw BrokerError(
                .misconfigured, at: .startup, "server.tls: certificate, key or client-ca cannot be used: \(error)", cause: error)
        }
    }

    package func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: context) }

    /// Subject of the certificate that the client has shown and that was verified; `nil` where it has shown none.
    package static func clientSubject(_ pipeline: ChannelPipeline) -> String? {
        guard let handler = try? pipeline.syncOperations.handler(type: NIOSSLServerHandler.self), let shown = handler.peerCertificate,
            let der = try? shown.toDERBytes(), let certificate = try? Certificate(der: der)
        else { return nil }
        return certificate.subject
    }
}
