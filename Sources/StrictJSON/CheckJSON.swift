internal import PlainText

extension [Check] {
    /// `{"verdict":"verified"|"rejected","failures":[code],"checks":[{"code","ok","detail"}]}`.
    package func json(isVerified: Bool) -> JSONObject {
        [
            "verdict": .string(isVerified ? "verified" : "rejected"), "failures": .array(failures.map { .string($0) }),
            "checks": .array(map { ["code": .string($0.code), "ok": .boolean($0.ok), "detail": .string($0.detail)] }),
        ]
    }
}
