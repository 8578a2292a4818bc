#if Simulators && FixtureEvidence
    internal import AzureSimulators
    internal import StrictJSON
    internal import Synchronization

    /// What the demo tells: steps with what happened, why it may be believed, and how long it took.
    final class DemoStory: Sendable {
        private struct State {
            var number = 0
            var steps: [JSONValue] = []
            var last = ContinuousClock.now
        }

        private let json: Bool
        private let style: Style
        private let start = ContinuousClock.now
        private let state = Mutex(State())

        init(json: Bool, style: Style) {
            self.json = json
            self.style = style
        }

        /// Number of the step that is under way, counted from 1.
        var stepNumber: Int { state.withLock { $0.number + 1 } }

        /// Runs `body` and tells it as a step.
        func step<Result>(_ title: String, _ what: String, _ why: String, _ body: () throws -> Result) rethrows -> Result {
            let result = try body()
            record(title, what, why)
            return result
        }

        /// Tells a step that has just ended; it began when the one before it ended.
        func record(_ title: String, _ what: String, _ why: String) {
            let (number, milliseconds) = state.withLock { state in
                let now = ContinuousClock.now
                let milliseconds = Int64(state.last.duration(to: now) / .milliseconds(1))
                state.last = now
                state.number += 1
                state.steps.append([
                    "step": .integer(Int64(state.number)), "title": .string(title), "what": .string(what), "why": .string(why),
                    "milliseconds": .integer(milliseconds),
                ])
                return (state.number, milliseconds)
            }
            guard !json else { return }
            let heading = "\(number)  \(title)"
            let gap = String(repeating: " ", count: max(2, 58 - heading.count))
            Console.line("\(style.strong(heading))\(gap)\(style.faint("\(milliseconds) ms"))")
            for line in Self.wrapped(what) { Console.line("   \(line)") }
            for line in Self.wrapped(why) { Console.line("   \(style.faint(line))") }
            Console.line()
        }

        /// Ends the story.
        func finish(failure: CommandFailure? = nil) {
            let total = Int64(start.duration(to: .now) / .milliseconds(1))
            guard json else {
                if failure == nil { Console.line(style.good("All steps went as told") + ", in \(total) ms, without leaving this machine.") }
                return
            }
            let steps = state.withLock { $0.steps }
            let result: JSONValue = [
                "ok": .boolean(failure == nil), "milliseconds": .integer(total), "steps": .array(steps),
            ]
            Console.json(result, failure: failure)
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
            json ? Console.note(text) : Console.line(text)
        }

        /// Lines of at most 96 characters.
        private static func wrapped(_ text: String) -> [String] {
            var lines: [String] = [""]
            for word in text.split(separator: " ") {
                if let last = lines.last, !last.isEmpty, last.count + word.count + 1 > 96 { lines.append("") }
                lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
            }
            return lines
        }
    }
#endif
