internal import Waiting
internal import BrokerCore
internal import BrokerEngine
internal import Glibc
internal import HTTPTransport

/// Names, connections and certificates of the configured services, and their clocks beside this machine's.
struct DoctorNetwork {
    private let composition: Composition

    init(_ composition: Composition) { self.composition = composition }

    func findings() async -> [Finding] {
        var endpoints: [Endpoint] = []
        for endpoint in [composition.authority] + composition.keyStores.map({ $0.provider.defaultEndpoint }) {
            if let endpoint, !endpoints.contains(endpoint) { endpoints.append(endpoint) }
        }
        var findings: [Finding] = []
        var differences: [Int64] = []
        for endpoint in endpoints {
            let (finding, difference) = await ask(endpoint)
            findings.append(finding)
            if let difference { differences.append(difference) }
        }
        return findings + [Self.clock(differences)]
    }

    private func ask(_ endpoint: Endpoint) async -> (Finding, clockDifference: Int64?) {
        let request = HTTPRequest(
            .get, .service(endpoint), path: "/", deadline: composition.engine.makeContext(id: "doctor").deadline.capped(at: .seconds(10)))
        do {
            let response = try await composition.host.transport.send(request)
            let theirs = response.header("date").flatMap(Self.time)
            return (
                Finding(.ok, "network", "\(endpoint): resolved, TLS verified, answered \(response.status)"),
                theirs.map { SystemClock().now() - $0 }
            )
        } catch { return (Finding(.problem, "network", "\(endpoint): \(error)", next: Self.advice(error, endpoint)), nil) }
    }

    private static func advice(_ error: HTTPTransportError, _ endpoint: Endpoint) -> String {
        switch error {
        case .nameNotResolved:
            "is the name spelled right and does it exist? A private endpoint needs its DNS zone linked to this network; otherwise look "
                + "at /etc/resolv.conf"
        case .tlsFailed:
            "a proxy that opens TLS needs its authority in tls.ca-file; a wrong clock makes good certificates expire; 'openssl s_client "
                + "-connect \(endpoint.host):\(endpoint.port)' shows the chain"
        case .connectionFailed, .deadlineExceeded:
            "port \(endpoint.port) must be reachable from here: firewall, network policy, or https_proxy and no_proxy"
        default: "'curl -v \(endpoint.origin)/' from the same network shows what happens"
        }
    }

    private static func clock(_ differences: [Int64]) -> Finding {
        guard let difference = differences.min(by: { abs($0) < abs($1) }) else {
            return Finding(.warning, "clock", "no service told its time, so this machine's clock was compared with nobody's")
        }
        guard abs(difference) > 60 else { return Finding(.ok, "clock", "within \(max(abs(difference), 1)) s of the services'") }
        return Finding(
            .problem, "clock",
            "\(abs(difference)) s \(difference > 0 ? "ahead of" : "behind") the services': tokens are judged too early or too late",
            next: "set the clock (chrony or systemd-timesyncd; in a container the host's)")
    }

    /// Seconds since 1970 of an HTTP date in the form that servers send (RFC 9110, 5.6.7).
    private static func time(_ text: String) -> Int64? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let words = text.split(separator: " ")
        guard text.utf8.count <= 64, words.count == 6, words[5] == "GMT", let day = Int32(words[1]),
            let month = months.firstIndex(of: String(words[2])), let year = Int32(words[3])
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int32($0) }
        guard clock.count == 3, (1...31).contains(day), (1970...9999).contains(year) else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, Int32(month), day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (clock[0], clock[1], clock[2])
        return Int64(timegm(&parts))
    }
}
