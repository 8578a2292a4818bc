internal import StrictJSON

/// A request as the services see it, from a socket or from inside the process.
struct SimulatorRequest: Sendable {
    /// Upper case.
    var method: String
    /// Host and port as the client named them, lower case, without ":443".
    var authority: String
    /// Raw path without the query, starting with "/".
    var path: String
    /// Decoded query items in order.
    var query: [FormItem] = []
    /// Names in lower case.
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []

    /// The host alone.
    var host: String {
        guard let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") else { return authority }
        return String(authority[..<colon])
    }

    /// `https://` and the authority: what tokens and key identifiers begin with.
    var origin: String { "https://" + authority }

    /// The path's segments; a doubled slash gives an empty one, a leading or trailing slash does not count.
    var segments: [String] {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.first == "" { parts.removeFirst() }
        if parts.last == "" { parts.removeLast() }
        return parts
    }

    /// The first query item of that name.
    func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// The first field of that name, given in lower case.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The credentials of an `Authorization: Bearer` field; `nil` without one, also for another scheme.
    var bearer: String? {
        guard let field = header("authorization") else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}

/// One name and value of a query or form.
struct FormItem: Sendable, Equatable {
    var name: String
    var value: String
}

/// An answer of a service.
struct SimulatorResponse: Sendable {
    var status: Int
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []

    init(_ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON answer.
    init(_ status: Int = 200, json: JSONValue, headers: [(name: String, value: String)] = []) {
        self.init(status, headers: headers + [("Content-Type", "application/json; charset=utf-8")], body: json.serialized())
    }

    /// `{"error":{"code":…,"message":…}}`, the envelope of MAA and the key stores.
    init(error status: Int, code: String, message: String, inner: String? = nil) {
        var error: JSONObject = ["code": .string(code), "message": .string(message)]
        if let inner { error.set("innererror", ["code": .string(inner)]) }
        self.init(status, json: ["error": .object(error)])
    }
}
