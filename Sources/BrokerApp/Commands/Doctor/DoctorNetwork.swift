internal import Waiting
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import PlainText

/// Names, connections and certificates of the configured services, and their clocks beside this machine's.
struct DoctorNetwork {
    private let composition: Composition

    init(_ composition: Composition) { self.composition = composition }

    private struct Answer {
        let endpoint: Endpoint
        let link: ReleaseLink
        let result: Result<HTTPResponse, HTTPTransportError>
    }

    func rows() async -> [DoctorRow] {
        var endpoints: [(Endpoint, ReleaseLink)] = []
        for (endpoint, link) in [(composition.authority, ReleaseLink.verifier)]
            + composition.keyStores.map({ ($0.provider.defaultEndpoint, .store) })
        {
            if let endpoint, !endpoints.contains(where: { $0.0 == endpoint }) { endpoints.append((endpoint, link)) }
        }
        let answers = await withTaskGroup(of: (index: Int, answer: Answer).self) { group in
            for (index, (endpoint, link)) in endpoints.enumerated() {
                group.addTask { (index, Answer(endpoint: endpoint, link: link, result: await ask(endpoint))) }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.index < $1.index }.map(\.answer)
        }
        let differences = answers.compactMap { answer in
            (try? answer.result.get())?.header("date").flatMap(HTTPDate.parse).map { SystemClock().now() - $0 }
        }
        return [DoctorRow(.machine, Self.clock(differences))] + (Self.common(answers).map { [$0] } ?? answers.map(Self.row))
    }

    private func ask(_ endpoint: Endpoint) async -> Result<HTTPResponse, HTTPTransportError> {
        let request = HTTPRequest(
            .get, .service(endpoint), path: "/", deadline: composition.engine.makeContext(id: "doctor").deadline.capped(at: .seconds(10)))
        do throws(HTTPTransportError) { return .success(try await composition.host.transport.send(request)) } catch {
            return .failure(error)
        }
    }

    private static func row(_ answer: Answer) -> DoctorRow {
        switch answer.result {
        case .success(let response):
            DoctorRow(
                answer.link, Finding(.ok, "network", "\(answer.endpoint): resolved, TLS verified, answered \(response.status)"))
        case .failure(let error):
            DoctorRow(
                answer.link,
                Finding(
                    .problem, "network", "\(answer.endpoint): \(error)", cause: cause(error), next: advice(error, answer.endpoint)),
                needs: [.machine])
        }
    }

    /// What all services have in common is this machine's fault, and one.
    private static func common(_ answers: [Answer]) -> DoctorRow? {
        let errors = answers.compactMap { answer -> HTTPTransportError? in
            guard case .failure(let error) = answer.result else { return nil }
            return error
        }
        guard let first = errors.first, answers.count > 1, errors.count == answers.count, Set(errors.map(cause)).count == 1 else {
            return nil
        }
        let names = answers.map { "\($0.endpoint)" }.joined(separator: ", ")
        return DoctorRow(
            .machine,
            Finding(
                .problem, "network", "none of \(names): \(first)", cause: cause(first), next: advice(first, answers[0].endpoint)))
    }

    private static func cause(_ error: HTTPTransportError) -> String {
        switch error {
        case .nameNotResolved: "name-not-resolved"
        case .tlsFailed: "tls-failed"
        case .connectionFailed, .deadlineExceeded, .heldBack: "not-reachable"
        case .invalidRequest, .responseTooLarge, .invalidResponse, .cancelled, .stopped: "invalid-answer"
        }
    }

    private static func advice(_ error: HTTPTransportError, _ endpoint: Endpoint) -> String {
        switch error {
        case .nameNotResolved:
            "is the name spelled right and does it exist? A private endpoint needs its DNS zone linked to this network; otherwise look "
                + "at /etc/resolv.conf"
        case .tlsFailed(let reason) where reason.contains("expired") || reason.contains("not yet valid"):
            "compare this machine's clock first ('date -u'): a wrong one makes good certificates expire; then look at the chain with "
                + "'openssl s_client -connect \(endpoint.host):\(endpoint.port)'"
        case .tlsFailed:
            "a proxy that opens TLS needs its authority in tls.ca-file; 'openssl s_client "
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
            cause: "clock", next: "set the clock (chrony or systemd-timesyncd; in a container the host's)")
    }
}
