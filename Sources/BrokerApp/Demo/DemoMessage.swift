#if Simulators && FixtureEvidence
    internal import AzureSimulators
    internal import PlainText
    internal import StrictJSON

    /// What one party of the demo sent to another, and what it was answered, with the secrets in it.
    struct DemoMessage: Sendable {
        let sender: String
        let receiver: String
        /// `POST /key/release`.
        let line: String
        var headers: [(name: String, value: String)] = []
        /// `nil` where an answer is told without its request.
        var sent: [UInt8]?
        /// `nil` where the answer comes later, as a message of its own.
        var status: Int?
        var answer: [UInt8] = []

        /// A request of a client outside the broker, before it is answered.
        static func request(_ line: String, _ body: [UInt8]) -> DemoMessage {
            DemoMessage(sender: "workload", receiver: "broker", line: line, sent: body)
        }

        static func answer(to line: String, _ status: Int, _ body: [UInt8]) -> DemoMessage {
            DemoMessage(sender: "broker", receiver: "workload", line: "answer to \(line)", status: status, answer: body)
        }

        init(
            sender: String, receiver: String, line: String, headers: [(name: String, value: String)] = [], sent: [UInt8]? = nil,
            status: Int? = nil, answer: [UInt8] = []
        ) {
            (self.sender, self.receiver, self.line, self.headers) = (sender, receiver, line, headers)
            (self.sent, self.status, self.answer) = (sent, status, answer)
        }

        /// What a simulated service was asked.
        init(_ exchange: SimulatedExchange) {
            let isOwner = exchange.headers.contains { $0.name == "user-agent" && $0.value == DemoClient.userAgent }
            let query = exchange.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
            self.init(
                sender: isOwner ? "owner of the keys" : "broker", receiver: Self.service(exchange.host),
                line: "\(exchange.method) \(exchange.path)" + (query.isEmpty ? "" : "?\(query)"), headers: exchange.headers,
                sent: exchange.body, status: exchange.status, answer: exchange.answer)
        }

        private static func service(_ host: String) -> String {
            switch host {
            case LocalCloud.authority: "attestation service, \(host)"
            case LocalCloud.vault: "Key Vault, \(host)"
            case LocalCloud.managedHSM: "Managed HSM, \(host)"
            case _ where host.hasPrefix("127.0.0.1") || host.hasPrefix("169.254."): "metadata service, \(host)"
            default: host
            }
        }
    }

    /// A clause of a release policy as the broker's denial names it.
    struct DemoClause: Sendable {
        let claim: String
        let comparison: String
        let wanted: String
        let actual: String?
        let isSatisfied: Bool
        let reason: String

        /// The clauses in `details` of an error answer, in the order of the policy (RESTInterface.md, "Details").
        static func all(in answer: [UInt8]) -> [DemoClause] {
            guard let authorities = try? JSONCursor.parse(answer).member("details").array("authorities") else { return [] }
            return authorities.flatMap { (try? $0.member("conditions")).map(clauses) ?? [] }
        }

        private static func clauses(_ condition: JSONCursor) -> [DemoClause] {
            if let inner = try? condition.array("conditions") { return inner.flatMap(clauses) }
            guard let claim = try? condition.string("claim"), let comparison = try? condition.string("operator"),
                let wanted = try? condition.string("wanted"), let isSatisfied = try? condition.boolean("satisfied")
            else { return [] }
            let actual = try? condition.optionalString("actual")
            let reason = (try? condition.string("reason")) ?? ""
            return [
                DemoClause(
                    claim: claim, comparison: comparison, wanted: wanted, actual: actual, isSatisfied: isSatisfied, reason: reason)
            ]
        }

        var line: String {
            let statement = VisibleText.escaped("\(claim) \(comparison) \(wanted)")
            guard !isSatisfied else { return "[ok]   \(statement)" }
            return "[FAIL] \(statement): found \(VisibleText.escaped(actual ?? "nothing")) (\(reason))"
        }

        var json: JSONValue {
            [
                "claim": .string(claim), "operator": .string(comparison), "wanted": .string(wanted),
                "actual": actual.map { .string($0) } ?? .null, "satisfied": .boolean(isSatisfied), "reason": .string(reason),
            ]
        }
    }
#endif
