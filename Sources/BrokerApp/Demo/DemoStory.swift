#if Simulators && FixtureEvidence
    internal import AzureSimulators
    internal import StrictJSON
    internal import Synchronization

    /// One step of the demo.
    struct DemoStep: Sendable {
        let number: Int
        let title: String
        var what = ""
        var why = ""
        var milliseconds: Int64 = 0
        /// How the release policy was judged, where that was the step's answer.
        var clauses: [DemoClause] = []
        var messages: [DemoMessage] = []
    }

    /// What the demo tells: steps with what happened, why it may be believed, and how long it took.
    final class DemoStory: Sendable {
        enum Form { case text, json, silent }

        private struct State {
            var done: [DemoStep] = []
            var current: DemoStep?
            var began = ContinuousClock.now
        }

        private let form: Form
        private let style: Style
        private let width: Int?
        private let start = ContinuousClock.now
        private let state = Mutex(State())

        init(_ form: Form, style: Style, width: Int?) {
            self.form = form
            self.style = style
            self.width = width
        }

        /// Number of the step that is under way or has just ended, counted from 1.
        var stepNumber: Int { state.withLock { $0.current?.number ?? max($0.done.count, 1) } }

        /// The steps that have ended.
        var steps: [DemoStep] { state.withLock { $0.done } }

        /// Tells that a step begins.
        func begin(_ title: String) {
            let number = state.withLock { state in
                let step = DemoStep(number: state.done.count + 1, title: title)
                state.current = step
                state.began = .now
                return step.number
            }
            guard form == .text else { return }
            for line in LineWidth.wrapped("\(number)  \(title)", to: width) { Console.line(style.strong(line)) }
        }

        /// Tells what came of the step that is under way.
        func end(_ what: String, _ why: String, clauses: [DemoClause] = []) {
            let ended = state.withLock { state -> DemoStep? in
                guard var step = state.current else { return nil }
                step.what = what
                step.why = why
                step.clauses = clauses
                step.milliseconds = Int64(state.began.duration(to: .now) / .milliseconds(1))
                state.done.append(step)
                state.current = nil
                return step
            }
            guard form == .text, let ended else { return }
            for line in lines(what) { Console.line(line) }
            for clause in clauses {
                for line in lines(clause.line, indent: "     ") { Console.line(clause.isSatisfied ? style.faint(line) : style.bad(line)) }
            }
            for line in lines(why) + ["   \(ended.milliseconds) ms"] { Console.line(style.faint(line)) }
            Console.line()
        }

        private func lines(_ text: String, indent: String = "   ") -> [String] {
            LineWidth.wrapped(text, to: width.map { max($0 - indent.count, 1) }).map { indent + $0 }
        }

        /// Keeps a message for the page; it belongs to the step that is under way.
        func note(_ message: DemoMessage) { state.withLock { $0.current?.messages.append(message) } }

        var milliseconds: Int64 { Int64(start.duration(to: .now) / .milliseconds(1)) }

        /// Ends the story.
        func finish(failure: CommandFailure? = nil) {
            let total = milliseconds
            switch form {
            case .silent: return
            case .text:
                guard failure == nil else { return }
                let words = LineWidth.wrapped("All steps went as told, in \(total) ms, without leaving this machine.", to: width)
                for line in words { Console.line(style.good(line)) }
            case .json:
                Console.json(
                    ["ok": .boolean(failure == nil), "milliseconds": .integer(total), "steps": .array(steps.map(Self.json))],
                    failure: failure)
            }
        }

        private static func json(_ step: DemoStep) -> JSONValue {
            var members: JSONObject = [
                "step": .integer(Int64(step.number)), "title": .string(step.title), "what": .string(step.what), "why": .string(step.why),
                "milliseconds": .integer(step.milliseconds),
            ]
            if !step.clauses.isEmpty { members.set("clauses", .array(step.clauses.map(\.json))) }
            return .object(members)
        }

        func showCurlLines(brokerPort: Int, cloud: LocalCloud, ports: SimulatorPorts) {
            let text = """
                Still running. In another terminal:
                  curl -s http://127.0.0.1:\(brokerPort)/status
                  curl -s http://127.0.0.1:\(brokerPort)/key/release -d '{"kid":"demo-rsa"}'
                  curl -s http://127.0.0.1:\(brokerPort)/key/release -d '{"kid":"demo-oct","akv_endpoint":"\(LocalCloud.managedHSM)"}'
                  curl -s --cacert \(cloud.caFile) --connect-to ::127.0.0.1:\(ports.tls) https://\(LocalCloud.authority)/certs
                End it with Control-C.
                """
            form == .text ? Console.line(text) : Console.note(text)
        }
    }
#endif
