internal import AzureServices
internal import Waiting
package import BrokerCore
package import HTTPTransport
package import OpenSSLCrypto
internal import SNPReport

/// Azure's host service inside confidential VMs and AKS nodes (AMDEndorsements.md, "THIM").
package struct THIMSource: EndorsementSource {
    package let name = "thim"
    private let fetch: EndorsementFetch
    private let host: String
    private let port: Int

    package init(transport: any HTTPTransport, host: String = "169.254.169.254", port: Int = 80) {
        fetch = EndorsementFetch(transport: transport, name: "THIM")
        self.host = host
        self.port = port
    }

    package func certificates(for subject: EndorsementSubject, table: [UInt8], in context: RequestContext) async throws(BrokerError)
        -> [Certificate]
    {
        let document = try await fetch.get(
            .metadata(host: host, port: port), "/metadata/THIM/amd/certification", [("Metadata", "true")], limit: THIMDocument.maximumBytes,
            in: context)
        return try THIMDocument.certificates(in: document, for: subject, from: "THIM")
    }
}

/// Azure's cache of AMD certificates (AMDEndorsements.md, "Azure certificate cache").
package struct AzureCacheSource: EndorsementSource {
    package let name = "azure-cache"
    private let fetch: EndorsementFetch
    private let endpoint: Endpoint
    private let prefix: String
    private let query: String

    /// `prefix` is what stands before `/certificates/`, the kind of TEE; `query` a whole query.
    package init(transport: any HTTPTransport, endpoint: Endpoint, prefix: String, query: String) {
        fetch = EndorsementFetch(transport: transport, name: "the Azure certificate cache")
        self.endpoint = endpoint
        self.prefix = prefix
        self.query = query
    }

    package func certificates(for subject: EndorsementSubject, table: [UInt8], in context: RequestContext) async throws(BrokerError)
        -> [Certificate]
    {
        guard subject.kind == .vcek, !subject.isChipMasked else {
            throw .noEndorsement("the Azure certificate cache has certificates by chip id, and the report names no chip")
        }
        let path = "/\(prefix)/certificates/\(Hex.encode(subject.chipID))/\(String(subject.tcb.raw, radix: 16))?\(query)"
        let content = try await fetch.get(.service(endpoint), path, [], limit: 64 * 1024, in: context)
        return try fetch.parse(content)
    }
}

/// AMD's key distribution service (AMDEndorsements.md, "Key distribution service").
package struct KDSSource: EndorsementSource {
    package let name = "kds"
    private let fetch: EndorsementFetch
    private let endpoint: Endpoint

    package init(transport: any HTTPTransport, endpoint: Endpoint) {
        fetch = EndorsementFetch(transport: transport, name: "AMD's key distribution service")
        self.endpoint = endpoint
    }

    package func certificates(for subject: EndorsementSubject, table: [UInt8], in context: RequestContext) async throws(BrokerError)
        -> [Certificate]
    {
        guard subject.kind == .vcek else {
            throw .noEndorsement("AMD gives VLEK certificates to providers only; they come with the host's certificates")
        }
        guard !subject.isChipMasked else {
            throw .noEndorsement("the platform masks the chip id, so AMD's service cannot be asked for its certificate")
        }
        var last = BrokerError.noEndorsement("AMD's key distribution service has no certificate for this chip and TCB")
        for product in subject.candidates where product.isServedByKDS {
            do throws(BrokerError) {
                let leaf = try await fetch.get(.service(endpoint), Self.leafPath(subject, product), [], limit: 16 * 1024, in: context)
                let chain = try await fetch.get(
                    .service(endpoint), "/vcek/v1/\(product.rawValue)/cert_chain", [], limit: 32 * 1024, in: context)
                return try fetch.parse(leaf) + fetch.parse(chain)
            } catch {
                // Of several products the service knows the chip under one.
                guard error.code == .evidenceUnavailable else { throw error }
                last = error
            }
        }
        throw last
    }

    static func leafPath(_ subject: EndorsementSubject, _ product: ProcessorProduct) -> String {
        let levels = subject.tcb.components(for: product)
        let chip = Hex.encode(subject.chipID.prefix(product.chipIDByteCount))
        let query = TCBLayout.Slot.components.compactMap { slot in
            levels[slot].map { "\(slot.rawValue)SPL=\($0 < 10 ? "0" : "")\($0)" }
        }
        return "/vcek/v1/\(product.rawValue)/\(chip)?" + query.joined(separator: "&")
    }
}

/// One request for certificates, its answer sorted by what helps.
struct EndorsementFetch: Sendable {
    let transport: any HTTPTransport
    let name: String

    func get(
        _ target: HTTPRequest.Target, _ path: String, _ headers: [(name: String, value: String)], limit: Int, in context: RequestContext
    ) async throws(BrokerError) -> [UInt8] {
        let response: HTTPResponse
        do {
            response = try await transport.send(
                HTTPRequest(
                    .get, target, path: path, headers: headers, deadline: context.deadline.capped(at: .seconds(10)),
                    maximumResponseBytes: limit, purpose: .endorsements))
        } catch {
            throw BrokerError(
                .upstreamUnavailable, at: .endorsement, "\(name) cannot be asked: \(error)", retryAfter: error.retryAfter, cause: error)
        }
        guard response.status != 200 else { return response.body }
        guard response.brokerCode != .upstreamInvalid else { throw .noEndorsement("\(name) answered \(response.status)") }
        throw UpstreamRefusal(response, of: name, at: .endorsement).error
    }

    func parse(_ content: [UInt8]) throws(BrokerError) -> [Certificate] {
        do { return try Certificate.parse(pemOrDER: content, maximumCount: 8) } catch {
            throw .noEndorsement("\(name) sent something that is no certificate: \(error)")
        }
    }
}
