import BrokerCore
import Glibc
import HTTPTransport
import Testing

@testable import BrokerEngine

@Suite("Rules about callers") struct AccessRuleTests {
    private func caller(uid: UInt32? = nil, _ change: (inout Caller) -> Void = { _ in }) -> Caller {
        var caller = Caller(uid == nil ? .tcp : .unix)
        caller.uid = uid
        change(&caller)
        return caller
    }

    private func rule(_ change: (inout AccessRule) -> Void) -> AccessRule {
        var rule = AccessRule()
        change(&rule)
        return rule
    }

    private func release(_ caller: Caller, _ key: String, store: String = "mhsm") -> AccessQuestion {
        AccessQuestion(caller: caller, operation: .release, key: KeyName(key), store: store, endpoint: "contoso.managedhsm.azure.net")
    }

    @Test("without rules everybody may ask for everything; with one, only who it lets") func defaults() {
        #expect(AccessRules().verdict(release(caller(uid: 1), "k")) == .open)
        let rules = AccessRules([rule { $0.uids = [1] }])
        #expect(rules.verdict(release(caller(uid: 1), "k")) == .decided(0, .allow))
        #expect(rules.verdict(release(caller(uid: 2), "k")) == .unmentioned)
        #expect(rules.verdict(release(caller(), "k")) == .unmentioned)
    }

    @Test("the first rule that is about a question decides") func first() {
        let rules = AccessRules([
            rule {
                $0.keys = [Glob("secret-*", ignoringCase: true)]
                $0.action = .deny
            }, rule { $0.uids = [1, 2] },
        ])
        #expect(rules.verdict(release(caller(uid: 1), "SECRET-1")) == .decided(0, .deny))
        #expect(rules.verdict(release(caller(uid: 1), "k")) == .decided(1, .allow))
        #expect(rules.verdict(release(caller(uid: 3), "k")) == .unmentioned)
    }

    @Test("keys and stores: names in any case, versions where the pattern has one, stores by name or host") func keys() {
        func holds(_ pattern: String, _ key: String) -> Bool {
            AccessRules([rule { $0.keys = [Glob(pattern, ignoringCase: true)] }]).verdict(release(caller(uid: 1), key)).isAllowed
        }
        let version = "0123456789abcdef0123456789abcdef"
        #expect(holds("db-*", "DB-7") && holds("DB-?", "db-7") && !holds("db-?", "db-77") && !holds("db-*", "adb-1"))
        #expect(holds("k", "k/\(version)") && holds("k/*", "k/\(version)") && !holds("k/*", "k") && holds("*a*b", "xaxxb"))
        for (store, isAllowed) in [("mhsm", true), ("contoso.*", true), ("akv", false)] {
            let rules = AccessRules([rule { $0.stores = [Glob(store, ignoringCase: true)] }])
            #expect(rules.verdict(release(caller(uid: 1), "k")).isAllowed == isAllowed)
        }
    }

    @Test("what is not known about a caller satisfies no condition") func unknown() {
        let full = caller(uid: 7) {
            ($0.gid, $0.executable, $0.cgroup, $0.bearer) = (8, "/usr/bin/app", "/kubepods/pod1", "app")
            ($0.address, $0.subject) = ("10.1.2.3", "CN=app,O=contoso")
        }
        let conditions: [AccessRule] = [
            rule { $0.uids = [7] }, rule { $0.gids = [8] }, rule { $0.executables = [Glob("/usr/bin/*", ignoringCase: false)] },
            rule { $0.cgroups = [Glob("/kubepods/*", ignoringCase: false)] }, rule { $0.bearers = ["app"] },
            rule { $0.addresses = [AddressRange("10.0.0.0/8")].compactMap(\.self) },
            rule { $0.subjects = [Glob("CN=app,*", ignoringCase: false)] },
        ]
        for condition in conditions {
            #expect(AccessRules([condition]).verdict(release(full, "k")).isAllowed)
            #expect(!AccessRules([condition]).verdict(release(caller(), "k")).isAllowed)
        }
    }

    @Test("a rule about keys says nothing of attestations, of which each could open a key") func attestations() {
        let rules = AccessRules([rule { ($0.uids, $0.keys) = ([1], [Glob("*", ignoringCase: true)]) }])
        for operation in RequestRecord.Operation.allCases {
            let question = AccessQuestion(caller: caller(uid: 1), operation: operation, key: operation.namesKey ? KeyName("k") : nil)
            #expect(rules.verdict(question).isAllowed == operation.namesKey, "\(operation)")
            #expect(rules.mayAsk(caller(uid: 1), operation) == operation.namesKey)
            #expect(!rules.mayAsk(caller(uid: 2), operation))
        }
        #expect(AccessRules([rule { $0.uids = [1] }]).mayAsk(caller(uid: 1), .attestToken))
    }

    @Test("before the key is known, whoever could be allowed some key may ask") func early() {
        let rules = AccessRules([
            rule { ($0.uids, $0.action) = ([5], .deny) },
            rule { ($0.uids, $0.keys, $0.action) = ([6], [Glob("a", ignoringCase: true)], .deny) },
            rule { $0.uids = [5, 6] },
        ])
        #expect(!rules.mayAsk(caller(uid: 5), .release) && rules.mayAsk(caller(uid: 6), .release))
    }

    @Test(
        "addresses and ranges",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "::ffff:127.0.0.1", true), ("::1", "::1", true), ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false),
            ("0.0.0.0/0", "::1", false), ("10.1.2.128/25", "10.1.2.127", false), ("10.1.2.128/25", "10.1.2.200", true),
        ]) func ranges(_ range: String, _ address: String, _ isIn: Bool) throws
    {
        #expect(try #require(AddressRange(range)).contains(address) == isIn)
    }

    @Test("what is no range", arguments: ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "host", "10.0.0.0/08", "1.2.3.4/-1"])
    func noRanges(_ text: String) { #expect(AddressRange(text) == nil) }

    @Test("a rate lets so many through at once and then one after each interval") func rates() throws {
        let rate = try #require(Rate("2/s"))
        let limiter = RateLimiter()
        let start = ContinuousClock.now
        let one = RateLimiter.Holder(limit: 0, share: "uid:1")
        #expect(limiter.take(rate, of: one, now: start) == nil)
        #expect(limiter.take(rate, of: one, now: start) == nil)
        #expect(limiter.take(rate, of: one, now: start) == .milliseconds(500))
        #expect(limiter.take(rate, of: .init(limit: 0, share: "uid:2"), now: start) == nil)
        #expect(limiter.take(rate, of: one, now: start.advanced(by: .milliseconds(500))) == nil)
        #expect(limiter.take(rate, of: one, now: start.advanced(by: .milliseconds(600))) == .milliseconds(400))
        for text in ["", "0/s", "10", "10/d", "-1/s", "+1/s", "1.5/s", "1000001/s", "10/s/s"] { #expect(Rate(text) == nil, "\(text)") }
    }

    @Test("the gate refuses, limits and can be replaced; commands of the operator pass") func gate() throws {
        let gate = CallerGate(rules: AccessRules([rule { ($0.uids, $0.rate) = ([1], Rate(1, per: .seconds(3600))) }]))
        var record = RequestRecord(requestID: "r", caller: caller(uid: 1))
        record.key = KeyName("k")
        try gate.admit(record)
        #expect(throws: BrokerError.self) { try gate.admit(record) }
        do throws(BrokerError) { try gate.admit(record) } catch {
            #expect(error.outcome == "overloaded at caller" && error.retryAfter.map { $0 > .seconds(3000) } == true)
        }
        record.caller = caller(uid: 2)
        do throws(BrokerError) { try gate.admit(record) } catch {
            #expect(error.outcome == "callerRefused at caller" && error.message.contains("uid 2") && error.message.contains("k"))
        }
        #expect(gate.refusal(of: caller(uid: 2), .release)?.code == .callerRefused)
        #expect(gate.refusal(of: caller(uid: 1), .release) == nil && gate.refusal(of: .broker, .release) == nil)
        record.caller = .broker
        try gate.admit(record)
        gate.replace(rules: AccessRules(), limits: .init(total: Rate(1, per: .seconds(60))))
        record.caller = caller(uid: 2)
        try gate.admit(record)
        #expect(throws: BrokerError.self) { try gate.admit(record) }
    }

    @Test("whoever is refused too often waits for it, a bounded time; others do not") func pace() {
        let gate = CallerGate()
        let start = ContinuousClock.now
        func pauses(_ caller: Caller, _ count: Int, after delay: Duration = .zero) -> [Duration] {
            (0..<count).map { _ in gate.pause(beforeRefusing: caller, now: start.advanced(by: delay)) }
        }
        #expect(pauses(caller(uid: 1), 200) == Array(repeating: .zero, count: 200))
        #expect(pauses(caller(uid: 1), 3) == [.milliseconds(5), .milliseconds(10), .milliseconds(15)])
        #expect(pauses(caller(uid: 1), 1000).last == CallerGate.longestPause)
        #expect(pauses(caller(uid: 2), 1) == [.zero] && pauses(.broker, 1000).allSatisfy { $0 == .zero })
        // After the flood it is over soon, however long that was.
        #expect(pauses(caller(uid: 1), 1, after: .seconds(2)) == [.milliseconds(5)])
        #expect(pauses(caller(uid: 1), 1, after: .seconds(3)) == [.zero])
    }

    @Test("bearer tokens name a caller; on TCP nobody comes without one or a certificate") func bearers() throws {
        let path = "/tmp/broker-bearers-\(getpid())"
        func write(_ text: String) throws {
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            defer { close(file) }
            try #require(file >= 0 && Glibc.write(file, text, text.utf8.count) == text.utf8.count)
        }
        defer { unlink(path) }
        let (one, two) = (String(repeating: "a", count: 32), String(repeating: "b", count: 64))
        try write("# who\n\nweb \(one)\nbatch \(two)\n")
        let gate = CallerGate(bearers: try BearerTokens(file: path))
        #expect(try gate.identify(caller(), authorization: ["Bearer \(one)"]).bearer == "web")
        #expect(try gate.identify(caller(uid: 1), authorization: ["bearer \(two)"]).bearer == "batch")
        #expect(try gate.identify(caller(uid: 1), authorization: []).bearer == nil)
        #expect(try gate.identify(caller { $0.subject = "CN=x" }, authorization: []).bearer == nil)
        for fields in [[], ["Bearer \(one)x"], ["Basic \(one)"], ["Bearer \(one)", "Bearer \(one)"], ["Bearer "]] {
            #expect(throws: BrokerError.self) { try gate.identify(caller(), authorization: fields) }
        }
        for text in ["web short\n", "web\n", "we/b \(one)\n", "a \(one)\na \(two)\n", "a \(one) c\n"] {
            try write(text)
            #expect(throws: BoundedFile.Failure.self, "\(text)") { try BearerTokens(file: path) }
        }
        // Without tokens nobody is asked for one.
        #expect(try CallerGate().identify(caller(), authorization: []) == caller())
    }
}
