internal import BrokerCore
internal import SNPVerification
internal import StrictJSON

/// The body of `/attest/verdict`.
enum VerdictDocument {
    static func members(of judgement: Judgement) -> [(String, JSONValue)] {
        let checks = judgement.checks.json(verdict: judgement.verdict.rawValue)
        return checks.map { ($0.key, $0.value) } + [
            ("left_out", list(judgement.leftOut)), ("not_checked", list(judgement.notChecked)),
            ("product", judgement.product.map { .string($0) } ?? .null), ("next_steps", .array(judgement.nextSteps.map { .string($0) })),
        ]
    }

    private static func list(_ omissions: [Omission]) -> JSONValue {
        .array(omissions.map { ["code": .string($0.code), "detail": .string($0.detail)] })
    }
}
