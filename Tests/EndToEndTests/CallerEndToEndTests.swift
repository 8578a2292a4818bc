import Foundation
import Synchronization
import Testing

/// Rules, audit and signals with the program as it is run.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CallerEndToEndTests {
    private static let canChangeUser = geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")

    /// A broker on a Unix socket with an audit, and the rules in its file.
    // Unchecked because several threads of a test only ask it.
    private final class Served: @unchecked Sendable {
        let azure: LocalAzure
        let broker: Broker
        var socket: String { azure.scratch.path + "/b.sock" }
        var audit: String { azure.scratch.path + "/audit" }

        init(rules: [[String: Any]], settings: [String] = []) throws {
            azure = try LocalAzure()
            for name in ["db-1", "db-2", "web-1"] {
                _ = try azure.importKey(
                    name, at: LocalAzure.managedHSM, ["kty": "oct-HSM", "k": Data((0..<32).map { UInt8($0) }).base64URL],
                    policy: LocalAzure.policy())
            }
            try Self.write(rules, azure)
            var options = ["key-stores.use=mhsm", "server.unix=\(azure.scratch.path)/b.sock", "audit.file=\(azure.scratch.path)/audit"]
            options += ["server.http=127.0.0.1:0"] + settings
            broker = try Broker(
                ["serve", "--config", azure.scratch.path + "/broker.json"] + options.flatMap { ["--set", $0] })
            try broker.program.wait(for: "address=unix:")
        }

        private static func write(_ rules: [[String: Any]], _ azure: LocalAzure) throws {
            var configuration = azure.configuration
            if !rules.isEmpty { configuration["callers"] = ["rules": rules] }
            try azure.scratch.write("broker.json", try JSONSerialization.data(withJSONObject: configuration))
        }

        func replace(_ rules: [[String: Any]]) throws {
            try Self.write(rules, azure)
            kill(broker.program.identifier, SIGHUP)
        }

        /// Asks as another user, where that is possible.
        func release(_ key: String, uid: UInt32? = nil) throws -> (status: Int, object: [String: Any]) {
            let curl = [
                "/usr/bin/curl", "-s", "-S", "--max-time", "60", "-w", "\n%{http_code}", "--unix-socket", socket, "--data-binary",
                #"{"kid":"\#(key)"}"#, "http://localhost/key/release",
            ]
            let user = uid.map { ["/usr/bin/setpriv", "--reuid=\($0)", "--regid=0", "--clear-groups"] } ?? []
            let line = user + curl
            let result = try Program.run(Array(line.dropFirst()), executable: URL(filePath: line[0]))
            let split = result.text.lastIndex(of: "\n") ?? result.text.startIndex
            let object = try? JSONSerialization.jsonObject(with: Data(result.text[..<split].utf8)) as? [String: Any]
            return (Int(result.text[split...].drop { $0 == "\n" }) ?? 0, object ?? [:])
        }

        func lines() throws -> [[String: Any]] {
            try String(contentsOfFile: audit, encoding: .utf8).split(separator: "\n").compactMap {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }

        func stop() {
            broker.program.stop()
            azure.stop()
        }
    }

    @Test("ten callers of five users get exactly their keys", .enabled(if: canChangeUser, "other users need root and setpriv"))
    func users() throws {
        let rules: [[String: Any]] = [
            ["uid": 10001, "keys": ["db-*"]], ["uid": [10002, 10003], "keys": ["web-*"]], ["uid": 10004, "action": "deny"],
        ]
        let served = try Served(rules: rules)
        defer { served.stop() }
        let wanted: [(uid: UInt32, keys: Set<String>)] = [
            (10001, ["db-1", "db-2"]), (10002, ["web-1"]), (10003, ["web-1"]), (10004, []), (10005, []),
        ]
        let failures = Tally<String>()
        // Two of each at the same time.
        DispatchQueue.concurrentPerform(iterations: 10) { index in
            let (uid, keys) = wanted[index % 5]
            for key in ["db-1", "db-2", "web-1"] {
                let answer = try? served.release(key, uid: uid)
                let isRight = answer?.status == (keys.contains(key) ? 200 : 403)
                if !isRight { failures.add("uid \(uid), \(key): \(String(describing: answer))") }
            }
        }
        #expect(failures.all == [])
        let released = try served.lines().filter { $0["outcome"] as? String == "ok" }
        #expect(released.count == 8)
        for line in released {
            let uid = (line["caller"] as? [String: Any])?["uid"] as? Int ?? 0
            #expect(wanted.first { Int($0.uid) == uid }?.keys.contains(line["key"] as? String ?? "") == true)
        }
    }

    @Test("SIGHUP puts new rules into force without dropping a request; a file that cannot be used changes nothing") func reload() throws {
        let served = try Served(rules: [["keys": ["db-1"]]])
        defer { served.stop() }
        #expect(try served.release("db-1").status == 200 && served.release("db-2").status == 403)
        let statuses = Tally<Int>()
        let ends = Tally<Bool>()
        let group = DispatchGroup()
        for _ in 0..<4 {
            DispatchQueue.global().async(group: group) {
                repeat {
                    let status = (try? served.release("db-1").status) ?? 0
                    statuses.add(status)
                } while ends.all.isEmpty
            }
        }
        for round in 0..<5 { try served.replace([["keys": round % 2 == 0 ? ["db-*"] : ["db-1"]]]) }
        while try served.release("db-2").status != 200 {}
        try served.azure.scratch.write("broker.json", "{ not json")
        kill(served.broker.program.identifier, SIGHUP)
        try served.broker.program.wait(for: "the rules about callers stay as they are")
        #expect(try served.release("db-2").status == 200)
        ends.add(true)
        group.wait()
        #expect(statuses.all.count >= 4 && statuses.all.allSatisfy { $0 == 200 })
    }

    @Test("without rules the start-up log says in one line what that means, and every release is in the audit") func open() throws {
        let served = try Served(rules: [])
        defer { served.stop() }
        let warning = "callers.rules is empty: every process that reaches a listener may take every key"
        #expect(served.broker.program.output.split(separator: "\n").count { $0.contains(warning) } == 1)
        let answer = try served.release("db-1")
        #expect(answer.status == 200)
        #expect(try served.release("no-such-key").status == 403)
        #expect(try served.release("no-such-key").status == 403)
        let verified = try Program.run(["audit", "verify", served.audit])
        #expect(verified.status == 0 && verified.text.contains("verified"), "\(verified.text)\(verified.errors)")
        let line = try #require(try served.lines().first { $0["outcome"] as? String == "ok" })
        #expect(line["store"] as? String == "mhsm" && line["key"] as? String == "db-1" && line["code"] as? String == "ok")
        #expect((line["key_id"] as? String)?.contains("/keys/db-1/") == true && (line["token_digest"] as? String)?.count == 64)
        #expect((line["caller"] as? [String: Any])?["uid"] as? Int == Int(geteuid()))
        #expect((line["caller"] as? [String: Any])?["executable"] as? String == "/usr/bin/curl")
        // Neither the key nor the token is in it.
        let text = try String(contentsOfFile: served.audit, encoding: .utf8)
        #expect(!text.contains("eyJ") && !text.contains(Data((0..<32).map { UInt8($0) }).base64URL))
        let shown = try Program.run(["audit", "show", served.audit, "--failed", "--json"])
        #expect((shown.object["lines"] as? [Any])?.count == 2)
        try served.broker.program.wait(for: "release failed")
        served.broker.program.readAvailable()
        let log = served.broker.program.output.split(separator: "\n")
        let released = log.first { $0.hasSuffix("key released") } ?? ""
        for field in ["store=mhsm", "caller=\"uid ", "release_ms=", "authority=", "key=https"] {
            #expect(released.contains(field), "\(released)")
        }
        let failed = log.first { $0.contains("release failed") } ?? ""
        #expect(failed.contains(" warning ") && failed.contains("code=keyNotFound") && failed.contains("next="), "\(failed)")
    }

    @Test("a broker that is killed under load leaves no released key without its line, and a chain that is accepted") func killed() throws {
        let served = try Served(rules: [])
        defer { served.azure.stop() }
        let released = Tally<String>()
        let group = DispatchGroup()
        for worker in 0..<4 {
            DispatchQueue.global().async(group: group) {
                for number in 0..<200 {
                    let id = "kill-\(worker)-\(number)"
                    let answer = try? Curl.run(
                        ["--unix-socket", served.socket, "-H", "X-Request-Id: \(id)", "http://localhost/key/release"],
                        body: ["kid": "db-1"])
                    guard let answer, answer.status != 0 else { return }
                    if answer.status == 200 { released.add(id) }
                }
            }
        }
        while released.all.count < 20 { usleep(1000) }
        kill(served.broker.program.identifier, SIGKILL)
        group.wait()
        let verified = try Program.run(["audit", "verify", served.audit, "--json"])
        #expect(verified.status == 0, "\(verified.text)")
        let written = Set(try served.lines().filter { $0["outcome"] as? String == "ok" }.compactMap { $0["request_id"] as? String })
        #expect(Set(released.all).subtracting(written) == [])
    }

    @Test("callers explain says which rule decides") func explain() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let rules = #"[{"name":"the database","uid":1000,"keys":["db-*"],"stores":["mhsm"],"rate":"10/s"},{"uid":0}]"#
        func explain(_ arguments: [String]) throws -> Program.Result {
            try Program.run(
                ["callers", "explain"] + arguments, environment: ["BROKER_CALLERS_RULES": rules, "BROKER_KEY_STORES_USE": "mhsm"])
        }
        let allowed = try explain(["--uid", "1000", "--key", "DB-1"])
        #expect(allowed.status == 0 && allowed.text.contains("allowed by 'the database', at most 10/s"), "\(allowed.text)\(allowed.errors)")
        #expect(try explain(["--uid", "1000", "--key", "web-1"]).status == 1)
        #expect(try explain(["--uid", "1000", "--operation", "attest-token"]).status == 1)
        let root = try explain(["--uid", "0", "--operation", "attest-token", "--json"])
        #expect(root.status == 0 && root.object["rule"] as? Int == 1)
        #expect(try explain(["--uid", "1000"]).status == 64)
        let wrong = try Program.run(["config", "check", "--set", #"callers.rules=[{"uid":"x","key":["a"]},{"rate":"often"}]"#])
        #expect(wrong.status == 78)
        for words in ["[0].uid: expected an integer", "[0].key: unknown member; did you mean keys?", "[1].rate: expected a rate"] {
            #expect(wrong.errors.contains(words), "\(wrong.errors)")
        }
    }

    @Test(
        "with a client authority only its certificates are served, and rules see their subject; bearer tokens are named",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "no openssl to make certificates with"))
    func certificates() throws {
        let served = try Served(rules: [["subject": "CN=app*", "keys": ["db-1"]], ["bearer": "web", "keys": ["db-2"]]])
        defer { served.stop() }
        let scratch = served.azure.scratch
        func file(_ name: String) -> String { scratch.path + "/" + name }
        func openssl(_ arguments: [String]) throws {
            let result = try Program.run(arguments, executable: URL(filePath: "/usr/bin/openssl"))
            try #require(result.status == 0, "\(result.errors)")
        }
        for (name, subject, issuer) in [("ca", "/CN=authority", nil), ("other", "/CN=other", nil), ("server", "/CN=localhost", "ca")] + [
            ("client", "/CN=app-1", "ca" as String?), ("stranger", "/CN=app-1", "other"),
        ] {
            let from = issuer.map { ["-CA", file($0 + ".pem"), "-CAkey", file($0 + ".key")] } ?? []
            let names = name == "server" ? ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"] : []
            try openssl(
                ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject]
                    + ["-keyout", file(name + ".key"), "-out", file(name + ".pem")] + from + names)
        }
        let token = String(repeating: "t", count: 40)
        try scratch.write("bearers", "web \(token)\n")
        func serve(_ settings: [String]) throws -> Broker {
            let options = ["key-stores.use=mhsm", "server.http=127.0.0.1:0"] + settings
            return try Broker(["serve", "--config", file("broker.json")] + options.flatMap { ["--set", $0] })
        }
        let tls = try serve([
            "server.tls.certificate=\(file("server.pem"))", "server.tls.key=\(file("server.key"))",
            "server.tls.client-ca=\(file("ca.pem"))", "server.metrics=0",
        ])
        func release(_ key: String, _ client: String?) throws -> Int {
            let identity = client.map { ["--cert", file($0 + ".pem"), "--key", file($0 + ".key")] } ?? []
            return try Curl.run(
                ["--cacert", file("ca.pem"), "https://127.0.0.1:\(tls.port)/key/release"] + identity, body: ["kid": key]
            ).status
        }
        #expect(try release("db-1", "client") == 200 && release("db-2", "client") == 403)
        let metrics = try tls.program.wait(for: /url=http:\/\/127\.0\.0\.1:(\d+)\/metrics/)
        let page = try Program.run(
            ["-s", "--noproxy", "*", "http://127.0.0.1:\(metrics)/metrics"], executable: URL(filePath: "/usr/bin/curl")
        ).text
        let expiry = page.firstMatch(of: /broker_listener_certificate_expiry_timestamp_seconds (\d+)/).flatMap { Double($0.1) }
        #expect(try #require(expiry) > Date.now.timeIntervalSince1970 + 86_400)
        #expect(try release("db-1", nil) == 0 && release("db-1", "stranger") == 0)
        #expect(tls.program.stop() == 0)
        let plain = try serve(["callers.bearer-file=\(file("bearers"))"])
        func release(_ key: String, token: String) throws -> Int {
            try Curl.run(
                ["-H", "Authorization: Bearer \(token)", "http://127.0.0.1:\(plain.port)/key/release"], body: ["kid": key]
            ).status
        }
        #expect(try release("db-2", token: token) == 200 && release("db-1", token: token) == 403 && release("db-2", token: "no") == 403)
        #expect(try plain.release("db-2").code == "callerRefused")
        #expect(plain.program.stop() == 0)
    }
}

/// What several threads collect.
private final class Tally<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])
    var all: [Element] { state.withLock { $0 } }
    func add(_ element: Element) { state.withLock { $0.append(element) } }
}
