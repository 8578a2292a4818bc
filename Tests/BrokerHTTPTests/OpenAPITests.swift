import BrokerConfiguration
import BrokerCore
import HTTPTransport
import OpenSSLCrypto
import StrictJSON
import Testing

@testable import BrokerHTTP

/// `samples/openapi.json` says what the routes do, in both directions.
@Suite struct OpenAPITests {
    private static let document: OpenAPIDocument? = {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        guard let bytes = try? BoundedFile.read("/\(root)/samples/openapi.json", limit: 1 << 20) else { return nil }
        return (try? JSONValue.parse(bytes)).map(OpenAPIDocument.init)
    }()

    private static let bodies: [Route: BodyShape] = [
        .attestRaw: .rawAttest, .attestCombined: .rawAttest, .attestMAA: .maaAttest, .attestVerdict: .rawAttest,
        .keyRelease: .keyRelease,
    ]
    private static let refusals: [Refusal] = [
        .bodyTooLarge(limit: 1), .tooManyBodies, .headTooLarge(limit: 1), .malformedHTTP, .bodyIncomplete, .bodyTimeout, .hostMissing,
        .hostRefused, .browser, .contentType, .emptyBody, .misspelt(""), .wrongTopLevel(.rawAttest, found: .array),
        .wrongType(.rawAttest, .runtimeData, found: .number), .duplicateMember(.kid), .missing(.rawAttest, .runtimeData),
        .base64(offset: 0),
        .invalidValue(.kid, reason: ""),
    ]

    @Test("it has the routes with their methods, and no others") func routes() throws {
        let document = try #require(Self.document)
        let described = document.object("paths").flatMap { path, item in
            document.keys(item).map { "\($0.uppercased()) \(path)" }
        }
        #expect(Set(described) == Set(Route.allCases.map { "\($0.method) \($0.rawValue)" }))
    }

    @Test("it has the members of each request, and those that must be there") func requests() throws {
        let document = try #require(Self.document)
        for route in Route.allCases {
            let operation = document.operation(route)
            guard let shape = Self.bodies[route] else {
                #expect(document.resolve(operation, "requestBody") == nil, "\(route)")
                continue
            }
            let schema = document.resolve(operation, "requestBody", "content", "application/json", "schema")
            #expect(Set(document.keys(document.resolve(schema, "properties"))) == Set(shape.members.map(\.rawValue)), "\(route)")
            let required: BodyMember = route == .keyRelease ? .kid : .runtimeData
            #expect(document.strings(document.resolve(schema, "required")) == [required.rawValue], "\(route)")
        }
    }

    @Test("it has every status that a route can answer with, and no other") func statuses() throws {
        let document = try #require(Self.document)
        let refused = Set(Self.refusals.map(\.status))
        let failed = Set(BrokerError.Code.allCases.flatMap { [$0.compatibleStatus, $0.preciseStatus] })
        for route in Route.allCases {
            var wanted = refused.union([200])
            if route == .ready { wanted.insert(503) }
            if Self.bodies[route] != nil { wanted.formUnion(failed) }
            let described = document.keys(document.resolve(document.operation(route), "responses"))
            #expect(Set(described) == Set(wanted.map(String.init)), "\(route)")
        }
    }

    @Test("it has the codes with their status in each profile, and the stages") func codes() throws {
        let document = try #require(Self.document)
        let error = document.resolve(document.root, "components", "schemas", "Error", "properties")
        #expect(document.strings(document.resolve(error, "code", "enum")) == BrokerError.Code.allCases.map(\.rawValue))
        #expect(document.strings(document.resolve(error, "stage", "enum")) == BrokerError.Stage.allCases.map(\.rawValue))
        let wanted = BrokerError.Code.allCases.map { code -> (String, JSONValue) in
            let (compatible, precise) = (Int64(code.compatibleStatus), Int64(code.preciseStatus))
            return (code.rawValue, ["compatible": .integer(compatible), "precise": .integer(precise)])
        }
        #expect(document.resolve(document.root, "x-statuses") == .object(JSONObject(wanted)))
    }

    @Test("what the routes answer has the described members, and all of them", arguments: Evidence.Provenance.allCasesForTest)
    func answers(_ provenance: Evidence.Provenance) async throws {
        let document = try #require(Self.document)
        var script = ScriptedEngine.Script()
        script.provenance = provenance
        script.evidence = Evidence(
            report: [UInt8](repeating: 1, count: 1184), endorsements: [[1]], endorsedTCB: "00", provenance: provenance)
        try await TestServer.run(ScriptedEngine(script)) { server in
            for route in Route.allCases {
                let answer = try await Self.ask(server, route)
                try Self.check(answer, of: route, status: 200, document)
            }
        }
        script.obstacles = ["no device"]
        script.upstreams = UpstreamState.State.allCases.map { state in
            UpstreamState(
                target: .metadata(host: "169.254.169.254", port: 80), purpose: .identity, state: state, reason: "it answered 500",
                retryAfter: .seconds(1))
        }
        try await TestServer.run(ScriptedEngine(script)) { server in
            try Self.check(try await Self.ask(server, .ready), of: .ready, status: 503, document)
        }
    }

    @Test("so have its errors, with details and without, in both profiles", arguments: BrokerError.Code.allCases)
    func errors(_ code: BrokerError.Code) async throws {
        let document = try #require(Self.document)
        let clause = BrokerError.Details.Clause(
            claim: "c", comparison: "equals", wanted: "a", actual: nil, isSatisfied: false, reason: "missing-claim")
        let group = BrokerError.Details.Group(join: "anyOf", isSatisfied: false, conditions: [.clause(clause)])
        let details = BrokerError.Details(
            cause: "policy-not-satisfied", summary: "one line",
            authorities: [
                .init(
                    authority: "https://a", issuer: "https://b", match: "exact", isSatisfied: false,
                    conditions: .init(join: "allOf", isSatisfied: false, conditions: [.group(group), .clause(clause)]))
            ], nextSteps: ["do this"])
        for profile in ResponseProfile.allCases {
            for details in [nil, details] {
                let error = BrokerError(code, at: .release, "no", retryAfter: .seconds(3), details: details)
                try await TestServer.run(ScriptedEngine(failing: error), options: TestServer.options { $0.profile = profile }) { server in
                    for route in Self.bodies.keys {
                        let status = profile == .compatible ? code.compatibleStatus : code.preciseStatus
                        try Self.check(try await Self.ask(server, route), of: route, status: status, document)
                    }
                }
            }
        }
    }

    private static func ask(_ server: TestServer, _ route: Route) async throws -> RawAnswer {
        switch route {
        case .status, .live, .ready: try await server.ask(request("GET", route.rawValue))
        case .attestRaw, .attestCombined, .attestVerdict: try await server.post(route.rawValue, #"{"runtime_data":"aGVsbG8="}"#)
        case .attestMAA: try await server.post(route.rawValue, #"{"maa_endpoint":"a.attest.azure.net","runtime_data":"e30="}"#)
        case .keyRelease: try await server.post(route.rawValue, #"{"kid":"k"}"#)
        }
    }

    private static func check(_ answer: RawAnswer, of route: Route, status: Int, _ document: OpenAPIDocument) throws {
        #expect(answer.status == status, "\(route)")
        let response = document.resolve(document.operation(route), "responses", String(status))
        let schema = try #require(document.resolve(response, "content", "application/json", "schema"), "\(route) \(status)")
        let faults = document.faults(in: try JSONValue.parse(answer.body), schema: schema, at: "")
        #expect(faults.isEmpty, "\(route) \(status): \(faults)")
        let fields = ["x-request-id", "retry-after", "x-evidence-provenance"].filter { answer.header($0) != nil }
        let described = document.keys(document.resolve(response, "headers")).map { $0.lowercased() }
        #expect(Set(fields).isSubset(of: described), "\(route) \(status)")
    }
}

extension Evidence.Provenance {
    fileprivate static var allCasesForTest: [Evidence.Provenance] { [.hardware, .fixture] }
}

/// An OpenAPI document with as much of JSON Schema as it uses. A keyword that is not known here is a fault, so that none is overlooked.
private struct OpenAPIDocument: Sendable {
    let root: JSONValue

    init(_ root: JSONValue) { self.root = root }

    /// The value below `value`; references are followed on the way and at the end.
    func resolve(_ value: JSONValue?, _ path: String...) -> JSONValue? {
        var found = value.flatMap(target)
        for name in path {
            guard case .object(let object)? = found else { return nil }
            found = object[name].flatMap(target)
        }
        return found
    }

    private func target(_ value: JSONValue) -> JSONValue? {
        guard case .object(let object) = value, case .string(let reference)? = object["$ref"] else { return value }
        var found: JSONValue? = root
        for name in reference.split(separator: "/").dropFirst() {
            guard case .object(let object)? = found else { return nil }
            found = object[String(name)]
        }
        return found
    }

    func object(_ name: String) -> [(String, JSONValue)] {
        guard case .object(let object)? = resolve(root, name) else { return [] }
        return object.map { ($0.key, $0.value) }
    }

    func keys(_ value: JSONValue?) -> [String] {
        guard case .object(let object)? = value else { return [] }
        return Array(object.keys)
    }

    func strings(_ value: JSONValue?) -> [String] {
        guard case .array(let items)? = value else { return [] }
        return items.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    func operation(_ route: Route) -> JSONValue? { resolve(root, "paths", route.rawValue, route.method.lowercased()) }

    private static let annotations: Set<String> = [
        "description", "examples", "format", "contentMediaType", "pattern", "minLength", "minimum",
    ]

    /// What in `value` is not as `schema` says; a member that the schema does not name is a fault, whatever the schema says of others.
    func faults(in value: JSONValue, schema: JSONValue, at place: String) -> [String] {
        guard case .object(let schema)? = resolve(schema) else { return ["\(place): no schema"] }
        var faults: [String] = []
        for (keyword, wanted) in schema.map({ ($0.key, $0.value) }) where !Self.annotations.contains(keyword) {
            switch keyword {
            case "type":
                let allowed = strings(wanted) + (strings(.array([wanted])))
                if !allowed.contains(Self.type(of: value)) { faults.append("\(place): not \(allowed)") }
            case "const": if value != wanted { faults.append("\(place): not the one value") }
            case "enum":
                guard case .array(let allowed) = wanted, allowed.contains(value) else {
                    faults.append("\(place): not one of the values")
                    continue
                }
            case "properties":
                guard case .object(let members) = value, case .object(let properties) = wanted else { continue }
                for (name, member) in members.map({ ($0.key, $0.value) }) {
                    if let property = properties[name] {
                        faults += self.faults(in: member, schema: property, at: "\(place)/\(name)")
                    } else {
                        faults.append("\(place)/\(name): not described")
                    }
                }
            case "required":
                guard case .object(let members) = value else { continue }
                faults += strings(wanted).filter { members[$0] == nil }.map { "\(place)/\($0): missing" }
            case "additionalProperties": if wanted != false { faults.append("\(place): other members are not refused") }
            case "items":
                guard case .array(let items) = value else { continue }
                faults += items.flatMap { self.faults(in: $0, schema: wanted, at: "\(place)/[]") }
            case "oneOf":
                guard case .array(let choices) = wanted else { continue }
                let tried = choices.map { self.faults(in: value, schema: $0, at: place) }
                if tried.count(where: { $0.isEmpty }) != 1 { faults += tried.flatMap(\.self) }
            default: faults.append("\(place): the keyword \(keyword) is unknown")
            }
        }
        return faults
    }

    private static func type(of value: JSONValue) -> String {
        switch value {
        case .string: "string"
        case .integer: "integer"
        case .real: "number"
        case .boolean: "boolean"
        case .array: "array"
        case .object: "object"
        case .null: "null"
        }
    }
}
