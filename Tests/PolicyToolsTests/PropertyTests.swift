import PolicyTools
import ReleasePolicy
import StrictJSON
import Testing

/// A generator whose numbers depend on the seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A second evaluator, written for this test from the words of ReleasePolicies.md, "Grammar" and "Evaluation", and from nothing else. It
/// works on a model of its own, knows numbers only as hundredths, and says yes or no without reasons.
enum Naive {
    /// A scalar: how it stands in the JSON text, its text for comparison, its value in hundredths where it is a number.
    struct Scalar {
        let json: String
        let text: String
        let hundredths: Int?
    }

    indirect enum Value {
        case scalar(Scalar)
        case object([(String, Value)])
        case array
        case null
    }

    indirect enum Condition {
        case claim(path: [String], operation: String, operand: Scalar)
        case all([Condition])
        case any([Condition])
    }

    struct Entry {
        let authority: String
        let conditions: Condition
    }

    static func scalar(_ json: String, _ text: String, _ hundredths: Int? = nil) -> Scalar {
        Scalar(json: json, text: text, hundredths: hundredths)
    }

    /// Everything that a claim can hold, and most operands.
    static let scalars: [Scalar] = [
        scalar(#""x""#, "x"), scalar(#""X""#, "X"), scalar(#""x ""#, "x "), scalar(#""""#, ""), scalar(#""true""#, "true"),
        scalar("true", "true"), scalar("false", "false"), scalar(#""false""#, "false"), scalar(#""False""#, "False"), scalar("0", "0", 0),
        scalar(#""0""#, "0", 0), scalar(#""00""#, "00", 0), scalar("-0", "0", 0), scalar("1", "1", 100), scalar("1.0", "1", 100),
        scalar(#""1""#, "1", 100), scalar(#""1.0""#, "1.0", 100), scalar("1.5", "1.5", 150), scalar(#""1.50""#, "1.50", 150),
        scalar("15e-1", "1.5", 150), scalar("2", "2", 200), scalar("-2", "-2", -200), scalar(#""-2""#, "-2", -200),
        scalar("10", "10", 1000), scalar(#""10""#, "10", 1000), scalar("9", "9", 900), scalar("1e2", "100", 10000),
        scalar(#""1e2""#, "1e2", 10000), scalar("9007199254740993", "9007199254740993", 900_719_925_474_099_300),
        scalar(#""9007199254740992""#, "9007199254740992", 900_719_925_474_099_200),
    ]

    static func find(_ path: [String], in members: [(String, Value)]) -> Value? {
        guard let first = path.first, let value = members.first(where: { $0.0 == first })?.1 else { return nil }
        if path.count == 1 {
            if case .null = value { return nil }
            return value
        }
        guard case .object(let inner) = value else { return nil }
        return find(Array(path.dropFirst()), in: inner)
    }

    static func holds(_ condition: Condition, _ claims: [(String, Value)]) -> Bool {
        switch condition {
        case .all(let list): return !list.contains { !holds($0, claims) }
        case .any(let list): return list.contains { holds($0, claims) }
        case .claim(let path, let operation, let operand):
            let value = find(path, in: claims)
            if operation == "exists" { return (value != nil) == (operand.text == "true") }
            guard case .scalar(let actual)? = value else { return false }
            switch operation {
            case "equals": return actual.text == operand.text
            case "notEquals": return actual.text != operand.text
            default: break
            }
            guard let a = actual.hundredths, let b = operand.hundredths else { return false }
            switch operation {
            case "less": return a < b
            case "lessOrEquals": return a <= b
            case "greater": return a > b
            default: return a >= b
            }
        }
    }

    static func admits(_ policy: [Entry], _ claims: [(String, Value)], issuer: String) -> Bool {
        policy.contains { $0.authority == issuer && holds($0.conditions, claims) }
    }

    /// How many conditions would have to change, alternatives counted once.
    static func cost(_ condition: Condition, _ claims: [(String, Value)]) -> Int {
        switch condition {
        case .all(let list): list.map { cost($0, claims) }.reduce(0, +)
        case .any(let list): list.map { cost($0, claims) }.min() ?? 0
        case .claim: holds(condition, claims) ? 0 : 1
        }
    }
}

/// Random policies and tokens.
struct PairGenerator {
    var random: SeededGenerator

    static let authorities = ["https://a.weu.attest.azure.net", "https://a.weu.attest.azure.net/", "https://b.test"]
    static let names = ["a", "b", "c"]
    static let operations = ["equals", "equals", "equals", "notEquals", "less", "lessOrEquals", "greater", "greaterOrEquals", "exists"]

    mutating func pick<Element>(_ list: [Element]) -> Element { list[Int.random(in: 0..<list.count, using: &random)] }

    mutating func condition(depth: Int) -> Naive.Condition {
        if depth > 0, Int.random(in: 0..<4, using: &random) == 0 {
            let list = (0..<Int.random(in: 1...3, using: &random)).map { _ in condition(depth: depth - 1) }
            return Bool.random(using: &random) ? .all(list) : .any(list)
        }
        var path = [pick(Self.names)]
        if Int.random(in: 0..<4, using: &random) == 0 { path.append(pick(Self.names)) }
        let operation = pick(Self.operations)
        let operand: Naive.Scalar
        switch operation {
        case "exists": operand = pick(Naive.scalars.filter { ["true", "false"].contains($0.text) })
        case "equals", "notEquals": operand = pick(Naive.scalars)
        default: operand = pick(Naive.scalars.filter { $0.hundredths != nil })
        }
        return .claim(path: path, operation: operation, operand: operand)
    }

    mutating func policy() -> [Naive.Entry] {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in
            let list = (0..<Int.random(in: 1...2, using: &random)).map { _ in condition(depth: 3) }
            return Naive.Entry(authority: pick(Self.authorities), conditions: Bool.random(using: &random) ? .all(list) : .any(list))
        }
    }

    mutating func value(depth: Int) -> Naive.Value {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: .null
        case 1: .array
        case 2 where depth > 0, 3 where depth > 0: .object(members(depth: depth - 1))
        default: .scalar(pick(Naive.scalars))
        }
    }

    mutating func members(depth: Int) -> [(String, Naive.Value)] {
        var result: [(String, Naive.Value)] = []
        for name in Self.names where Int.random(in: 0..<6, using: &random) > 0 { result.append((name, value(depth: depth))) }
        return result
    }

    static func text(_ policy: [Naive.Entry]) -> String {
        let entries = policy.map { entry -> String in "{\"authority\":\"\(entry.authority)\",\(body(entry.conditions))}" }
        return "{\"version\":\"1.0.0\",\"anyOf\":[\(entries.joined(separator: ","))]}"
    }

    private static func body(_ condition: Naive.Condition) -> String {
        switch condition {
        case .all(let list): "\"allOf\":[\(list.map { "{\(body($0))}" }.joined(separator: ","))]"
        case .any(let list): "\"anyOf\":[\(list.map { "{\(body($0))}" }.joined(separator: ","))]"
        case .claim(let path, let operation, let operand): "\"claim\":\"\(path.joined(separator: "."))\",\"\(operation)\":\(operand.json)"
        }
    }

    static func text(_ members: [(String, Naive.Value)]) -> String {
        "{" + members.map { "\"\($0.0)\":\(text($0.1))" }.joined(separator: ",") + "}"
    }

    private static func text(_ value: Naive.Value) -> String {
        switch value {
        case .scalar(let scalar): scalar.json
        case .object(let members): text(members)
        case .array: "[1]"
        case .null: "null"
        }
    }
}

@Suite("The evaluator against a second one") struct PropertyTests {
    static let seed: UInt64 = 0x5EED_0004
    static let count = 10_000

    @Test("10,000 generated pairs get the same verdict, and the smallest change is the smallest and works") func agreement() throws {
        var generator = PairGenerator(random: SeededGenerator(state: Self.seed))
        var admitted = 0
        var mended = 0
        for index in 0..<Self.count {
            let model = generator.policy()
            let members = generator.members(depth: 2)
            // Mostly an authority of the policy, so that the conditions decide.
            let issuer = generator.pick(model.map(\.authority) + model.map(\.authority) + PairGenerator.authorities)
            let policyText = PairGenerator.text(model)
            let claimsText = PairGenerator.text(members)
            let place = "pair \(index) of seed \(Self.seed): \(policyText) on \(claimsText) by \(issuer)"
            let policy = try ReleasePolicy(text: policyText)
            let claims = try claimsObject(claimsText)
            let outcome = policy.evaluate(claims: claims, issuer: issuer)
            let expected = Naive.admits(model, members, issuer: issuer)
            guard outcome.isSatisfied == expected else {
                Issue.record("the evaluators disagree: expected \(expected) for \(place)")
                return
            }
            if expected { admitted += 1 }
            let explanation = ReleaseExplanation(outcome, claims: claims)
            let cheapest = model.map { ($0.authority == issuer ? 0 : 1) + Naive.cost($0.conditions, members) }.min() ?? 0
            guard (explanation.smallestChange?.steps.count ?? 0) == cheapest else {
                Issue.record("not the smallest change (\(cheapest)) for \(place)")
                return
            }
            guard let change = explanation.smallestChange, change.steps.allSatisfy({ $0.edit != nil }) else { continue }
            var document = try JSONValue.parse(Array(policyText.utf8))
            for edit in change.steps.compactMap(\.edit) { document = document.replacing(edit.pointer.dropFirst(), with: edit.value) }
            guard try ReleasePolicy(document).evaluate(claims: claims, issuer: issuer).isSatisfied else {
                Issue.record("the edits do not make the policy admit the token for \(place)")
                return
            }
            mended += 1
        }
        // Neither verdict is rare, and the edits were really tried.
        #expect((1_500...8_500).contains(admitted), "\(admitted) admitted")
        #expect(mended > 1_000, "\(mended) mended")
    }

    @Test("the second evaluator can disagree: a changed rule is noticed") func sensitivity() throws {
        // The same comparison, but without regard to case, as somebody might think it works.
        let policy = try ReleasePolicy(text: policyText(#"{"claim":"a","equals":"X"}"#))
        let outcome = try policy.evaluate(claims: claimsObject(#"{"a":"x"}"#), issuer: SampleTokens.northEurope)
        let naive = Naive.holds(
            .claim(path: ["a"], operation: "equals", operand: Naive.scalar(#""X""#, "X")), [("a", .scalar(Naive.scalar(#""x""#, "x")))])
        #expect(!outcome.isSatisfied && !naive)
    }
}
