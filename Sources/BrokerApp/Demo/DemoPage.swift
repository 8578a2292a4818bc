#if Simulators && FixtureEvidence && PolicyTools
    internal import OpenSSLCrypto
    internal import PlainText
    internal import PolicyTools
    internal import ReleasePolicy
    internal import StrictJSON

    /// The demo as one page: the sequence of messages, the chain of trust, and how the denied token was judged.
    struct DemoPage {
        let story: DemoStory
        /// What the chain of trust was read from.
        let trust: DemoTrust
        /// Why the release policy does not admit the token of the denied guest.
        let denial: ReleaseExplanation

        /// `policy` is the release policy of the keys, `root` the fixture's.
        init(story: DemoStory, policy: JSONValue, root: Certificate, now: Int64) throws {
            self.story = story
            let messages = story.steps.flatMap(\.messages)
            let releases = messages.filter { $0.line.contains("/release?") }
            guard let released = releases.first(where: { $0.status == 200 }), let denied = releases.first(where: { $0.status == 403 })
            else {
                throw DemoMismatch("no release and denial were seen at the key stores")
            }
            let token = try Self.token(of: released)
            guard
                let attestation = messages.first(where: {
                    $0.line.hasPrefix("POST /attest/") && (try? JSONCursor.parse($0.answer).string("token")) == token
                })
            else { throw DemoMismatch("the released key's token was not seen at the attestation service") }
            trust = try DemoTrust(attestation: attestation, release: released, root: root, now: now)
            let claims = try DemoTrust.parts(of: Self.token(of: denied)).payload.object()
            let issuer = try JSONCursor(.object(claims)).string("iss")
            denial = ReleaseExplanation(try ReleasePolicy(policy).evaluate(claims: claims, issuer: issuer), claims: claims)
        }

        private static func token(of release: DemoMessage) throws -> String { try JSONCursor.parse(release.sent ?? []).string("target") }

        func bytes() -> [UInt8] {
            var html = HTMLPage(title: "attestation-broker demo")
            html.open("header")
            html.element("h1", "attestation-broker demo")
            html.open("div", class: "verdict good")
            html.element("p", "✓ All steps went as told, in \(story.milliseconds) ms")
            html.element("p", "The evidence is a fixture's: real cryptography under a root that nobody else trusts.", class: "remark")
            html.element("p", "What was really sent, with tokens, bearers and private keys cut out.", class: "remark")
            html.close("div")
            html.close("header")
            html.open("section")
            html.element("h2", "The messages")
            for step in story.steps { write(step, into: &html) }
            html.close("section")
            trust.write(into: &html)
            html.open("section")
            html.element("h2", "The denial")
            denial.writeVerdict(into: &html)
            html.close("section")
            denial.writeTree(into: &html)
            return html.finished()
        }

        private func write(_ step: DemoStep, into html: inout HTMLPage) {
            html.open("div", class: "step")
            html.element("h3", "\(step.number)  \(step.title)")
            html.element("p", step.what)
            if !step.clauses.isEmpty { html.preformatted(step.clauses.map(\.line)) }
            html.element("p", "\(step.why) (\(step.milliseconds) ms)", class: "remark")
            for message in step.messages { write(message, into: &html) }
            html.close("div")
        }

        private func write(_ message: DemoMessage, into html: inout HTMLPage) {
            html.open("details", class: "message")
            html.open("summary")
            html.element("span", message.sender, class: "name")
            html.element("span", "→", class: "why")
            html.element("span", message.receiver, class: "name")
            html.element("code", VisibleText.shortened(message.line))
            if let status = message.status {
                html.element("span", message.sent == nil ? "\(status)" : "answered \(status)", class: "answered")
            }
            html.close("summary")
            if let sent = message.sent {
                let headers = message.headers.map { ShownMessage.header($0.name, $0.value) }
                html.element("p", "sent")
                html.preformatted(headers + ShownMessage.body(sent))
            }
            if message.status != nil {
                html.element("p", "answered")
                html.preformatted(ShownMessage.body(message.answer))
            }
            html.close("details")
        }
    }
#endif
