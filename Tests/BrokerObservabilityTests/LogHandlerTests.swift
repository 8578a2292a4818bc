import Glibc
import Logging
import Testing

@testable import BrokerObservability

@Suite("Log lines") struct LogHandlerTests {
    /// A logger on `pipe` whose clock stands still at 2023-11-14T22:13:20.045Z.
    private func logger(_ pipe: Pipe, label: String = "broker", level: Logger.Level = .trace) -> Logger {
        Logger(label: label) { label in
            BrokerLogHandler(label: label, sink: pipe.sink, level: level, metadataProvider: nil) {
                timespec(tv_sec: 1_700_000_000, tv_nsec: 45_999_999)
            }
        }
    }

    @Test("text: time, level, label, fields sorted by name, message") func text() throws {
        let pipe = try Pipe()
        var logger = logger(pipe)
        logger[metadataKey: "request_id"] = "ab12"
        logger.warning("two words", metadata: ["code": "releaseDenied", "detail": "a b", "empty": ""])
        #expect(
            pipe.text()
                == "2023-11-14T22:13:20.045Z warning broker [code=releaseDenied detail=\"a b\" empty=\"\" request_id=ab12] two words\n")
        logger = self.logger(pipe)
        logger.info("listening")
        #expect(pipe.text() == "2023-11-14T22:13:20.045Z info broker listening\n")
    }

    @Test("JSON: one object a line") func json() throws {
        let pipe = try Pipe(.json)
        logger(pipe).error("say \"no\"", metadata: ["b": "2", "a": ["x", "y"], "c": ["k": "v"]])
        #expect(
            pipe.text() == #"{"time":"2023-11-14T22:13:20.045Z","level":"error","logger":"broker","message":"say \"no\"","#
                + #""fields":{"a":"[x, y]","b":"2","c":"{k: v}"}}"# + "\n")
        logger(pipe).info("plain")
        #expect(pipe.text() == #"{"time":"2023-11-14T22:13:20.045Z","level":"info","logger":"broker","message":"plain"}"# + "\n")
    }

    @Test("fields of the event win over the provider's, and these over the logger's") func mergedFields() throws {
        let pipe = try Pipe()
        var logger = Logger(label: "l") { label in
            BrokerLogHandler(
                label: label, sink: pipe.sink, metadataProvider: Logger.MetadataProvider { ["a": "provider", "b": "provider"] })
        }
        logger[metadataKey: "a"] = "logger"
        logger[metadataKey: "c"] = "logger"
        logger.info("m", metadata: ["b": "event"])
        #expect(pipe.text().hasSuffix("[a=provider b=event c=logger] m\n"))
    }

    @Test("an error becomes two fields") func errors() throws {
        struct Failure: Error, CustomStringConvertible { let description = "it\nbroke" }
        let pipe = try Pipe()
        logger(pipe).error("failed", error: Failure())
        let line = pipe.text()
        #expect(line.contains(#"error="it\nbroke""#))
        #expect(line.contains("error_type="))
        #expect(line.filter { $0 == "\n" }.count == 1)
    }

    @Test("the level is the handler's own") func levels() throws {
        let pipe = try Pipe()
        var logger = logger(pipe, level: .warning)
        logger.info("quiet")
        #expect(pipe.text() == "")
        logger.logLevel = .debug
        logger.debug("loud")
        #expect(pipe.text().hasSuffix(" loud\n"))
    }

    @Test(
        "nothing in a message, a name or a value can end the line, steer a terminal or forge a field",
        arguments: [LogLineFormat.text, .json],
        [
            "a\nb", "a\r\nb", "a\u{1B}[2Jb", "a\u{0}b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\u{202E}b", "a\u{200B}b", "a\u{7F}b",
            "a\u{E0041}b", "a\u{9B}31mb", "a\u{FEFF}b", "\"} {\"forged\":\"", "] forged=1 [",
        ]) func injection(format: LogLineFormat, text: String) throws
    {
        let pipe = try Pipe(format)
        logger(pipe, label: "l" + text).info("m\(text)", metadata: ["v": "x\(text)", "n\(text)": "1"])
        let line = pipe.text()
        #expect(line.last == "\n")
        for scalar in line.dropLast().unicodeScalars {
            #expect(scalar.value >= 0x20 && scalar.value != 0x7F)
            #expect(![.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory))
        }
        #expect(!line.contains(#"{"forged""#))
        #expect(!line.contains(#"" forged=1"#))
    }

    @Test("characters beyond the basic plane are escaped as a pair, harmless ones are kept") func escapes() {
        var line: [UInt8] = []
        LogText.escape("é漢😀\u{E0041}\u{7}", into: &line)
        #expect(String(decoding: line, as: UTF8.self) == #"é漢😀\udb40\udc41\u0007"#)
    }

    @Test(
        "what looks like a token is replaced wherever it stands",
        arguments: [
            ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", "<redacted>"),
            ("token=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln&x=1", "token=<redacted>&x=1"),
            (#"{"access_token":"eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}"#, #"{"access_token":"<redacted>"}"#),
            ("Authorization: Bearer abcdef123456", "Authorization: Bearer <redacted>"),
            ("bearer:  opaque-value/0 rest", "bearer:  <redacted> rest"), ("22eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "22<redacted>"),
            ("é BEARER abcdef123456", "é BEARER <redacted>"), ("bBeArEr abcdef123456", "bBeArEr <redacted>"),
            ("eeyJhbGciOiJSUzI1NiJ9.e30.c2ln", "e<redacted>"), ("eyJ is short", "eyJ is short"),
            ("the bearer of news", "the bearer of news"), ("", ""),
        ]) func tokens(text: String, expected: String) throws
    { #expect(LogText.redacted(text) == expected) }

    @Test("values under names of secrets, and tokens in messages and values, are not written", arguments: [LogLineFormat.text, .json])
    func canaries(format: LogLineFormat) throws {
        let canary = "canary-4be1d2"
        let token = "eyJhbGciOiJSUzI1NiJ9.\(canary).c2ln"
        let pipe = try Pipe(format)
        logger(pipe).info(
            "got \(token)",
            metadata: [
                "Authorization": "\(canary)", "access-token": "\(canary)", "plain": "\(token)", "list": ["\(token)"],
                "nested": ["password": "\(canary)"],
            ])
        let line = pipe.text()
        #expect(!line.contains(canary))
        #expect(line.contains("<redacted>"))
    }

    @Test(
        "names of secrets are known in every spelling",
        arguments: [
            ("token", true), ("TOKEN", true), ("Access-Token", true), ("access_token", true), ("API-key", true), ("tokens", false),
            ("toke", false), ("access token", false), ("", false), ("tok\u{301}en", false),
        ]) func names(name: String, isSecret: Bool)
    { #expect(LogText.isSecret(name: name) == isSecret) }

    @Test("a time that no calendar has does not end the program") func timeOutOfRange() {
        for seconds in [Int.min, Int.max, -62_200_000_000, 253_402_300_800] {
            let text = LogLine.timestamp(timespec(tv_sec: seconds, tv_nsec: 0))
            #expect(!text.isEmpty)
        }
    }

    @Test("a very long text is cut") func longText() throws {
        let pipe = try Pipe()
        logger(pipe).info("\(String(repeating: "x", count: 20_000))")
        let line = pipe.text()
        #expect(line.hasSuffix("…\n"))
        #expect(line.utf8.count < LogText.limit + 100)
    }

    @Test(
        "times are RFC 3339 in UTC",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_400, 999_999_999, "2000-02-29T00:00:00.999Z"),
            (4_102_444_799, 1_000_000, "2099-12-31T23:59:59.001Z"), (-1, 0, "1969-12-31T23:59:59.000Z"),
        ]) func times(seconds: Int, nanoseconds: Int, text: String)
    { #expect(LogLine.timestamp(timespec(tv_sec: seconds, tv_nsec: nanoseconds)) == text) }

    @Test(
        "levels have swift-log's names and the original's",
        arguments: [
            ("trace", Logger.Level.trace), ("INFO", .info), ("notice", .notice), ("warn", .warning), ("warning", .warning),
            ("fatal", .critical), ("panic", .critical), ("critical", .critical),
        ]) func levelNames(name: String, level: Logger.Level)
    { #expect(Logger.Level(named: name) == level) }

    @Test("other names are no level", arguments: ["", "verbose", " info", "5"]) func badLevelNames(name: String) {
        #expect(Logger.Level(named: name) == nil)
    }
}
