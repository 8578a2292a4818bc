internal import PlainText

extension [Check] {
    /// The same as `json(verdict:)` where there are two: verified and rejected.
    package func json(isVerified: Bool) -> JSONObject { json(verdict: isVerified ? "verified" : "rejected") }

    /// `{"verdict":…,"failures":[code],"checks":[{"code","ok","detail"}]}`.
    package func json(verdict: String) -> JSONObject {
        [
            "verdict": .string(verdict), "failures": .array(failures.map { .string($0) }),
            "checks": .array(map { ["code": .string($0.code), "ok": .boolean($0.ok), "detail": .string($0.detail)] }),
        ]
    }
}
