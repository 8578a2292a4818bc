internal import OpenSSLCrypto

/// AMD's key distribution service (AMDEndorsements.md, "Key distribution service").
struct KeyDistributionService: SimulatedService {
    let chain: EndorsementChain?
    /// DER; `nil` where the service has none.
    let revocationList: [UInt8]?

    func route(of request: SimulatorRequest) -> SimulatorRoute {
        let segments = request.segments
        return request.method == "GET" && segments.count >= 4 && ["vcek", "vlek"].contains(segments[0]) ? .kds : .other
    }

    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        let segments = request.segments
        guard route(of: request) == .kds, segments[1] == "v1", segments.count == 4, let chain,
            chain.intermediate.subjectCommonName == Self.intermediateName(segments[0], segments[2])
        else { return SimulatorResponse(404) }
        if segments[3] == "cert_chain" {
            return SimulatorResponse(
                200, headers: [("Content-Type", "application/x-pem-file")],
                body: Array((chain.intermediate.textPEM + chain.root.textPEM).utf8))
        }
        if segments[3] == "crl" {
            guard let revocationList else { return SimulatorResponse(404) }
            return SimulatorResponse(200, headers: [("Content-Type", "application/pkix-crl")], body: revocationList)
        }
        let levels = Levels(request)
        guard segments[0] == "vcek", chain.names(chip: segments[3]), let levels, levels.matches(chain.tcb, product: segments[2]) else {
            return SimulatorResponse(404)
        }
        return SimulatorResponse(200, headers: [("Content-Type", "application/pkix-cert")], body: chain.leaf.der)
    }

    private static func intermediateName(_ kind: String, _ product: String) -> String {
        kind == "vlek" ? "SEV-VLEK-\(product)" : "SEV-\(product)"
    }

    /// The patch levels of the query, decimal.
    private struct Levels {
        let byName: [String: UInt8]

        init?(_ request: SimulatorRequest) {
            var byName: [String: UInt8] = [:]
            for item in request.query {
                guard let level = UInt8(item.value) else { return nil }
                byName[item.name] = level
            }
            self.byName = byName
        }

        /// Whether these are the levels of a TCB in 16 hex digits, most significant first.
        func matches(_ tcb: String, product: String) -> Bool {
            guard let bytes = Hex.decode(tcb), bytes.count == 8 else { return false }
            let places =
                product == "Turin"
                ? ["fmcSPL": 7, "blSPL": 6, "teeSPL": 5, "snpSPL": 4, "ucodeSPL": 0]
                : ["blSPL": 7, "teeSPL": 6, "snpSPL": 1, "ucodeSPL": 0]
            return places.allSatisfy { byName[$0.key] == bytes[$0.value] }
        }
    }
}

/// Azure's certificate cache (AMDEndorsements.md, "Azure certificate cache").
struct CertificateCacheService: SimulatedService {
    let chain: EndorsementChain?

    func route(of request: SimulatorRequest) -> SimulatorRoute {
        request.method == "GET" && request.segments.count == 4 && request.segments[1] == "certificates" ? .certificateCache : .other
    }

    func respond(to request: SimulatorRequest) async -> SimulatorResponse {
        let segments = request.segments
        guard route(of: request) == .certificateCache, segments[0].lowercased() == "sevsnpvm", let chain else {
            return SimulatorResponse(error: 404, code: "NotFound", message: "There is no such certificate.")
        }
        guard request.queryValue("api-version") == "2020-10-15-preview" else {
            return SimulatorResponse(error: 400, code: "InvalidParameter", message: "api-version is missing or unknown.")
        }
        // The TCB comes without leading zeros.
        let asked = UInt64(segments[3], radix: 16)
        guard chain.names(chip: segments[2]), let asked, asked == UInt64(chain.tcb, radix: 16) else {
            return SimulatorResponse(error: 404, code: "NotFound", message: "There is no such certificate.")
        }
        return SimulatorResponse(
            200, headers: [("Content-Type", "application/x-pem-file")],
            body: Array((chain.leaf.textPEM + chain.intermediate.textPEM + chain.root.textPEM).utf8))
    }
}

extension EndorsementChain {
    /// Whether the chain is for that chip, given in hex.
    fileprivate func names(chip: String) -> Bool {
        guard chip.utf8.count == 128 || chip.utf8.count == 16, Hex.decode(chip) != nil else { return false }
        return chipID == nil || chipID?.lowercased() == chip.lowercased()
    }
}
