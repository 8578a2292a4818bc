/// What to send, how much of it and for how long.
struct LoadPlan: Sendable {
    /// Where the server listens.
    enum Target: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    var target: Target
    /// `GET` or `POST`.
    var method: String
    /// Path with query, sent as it is.
    var path: String
    /// Value of the `Host` field.
    var authority: String
    /// Sent as `application/json` where it is not empty.
    var body: [UInt8]
    /// Connections, each with at most one request at a time.
    var connections: Int
    /// Requests for each second over all connections; `nil` sends the next one as soon as the last is answered.
    var rate: Double?
    var duration: Duration
    /// Ends earlier, after that many answers.
    var requests: Int?
    /// Answers that come in this time after the start are not counted.
    var warmUp: Duration
    /// An answer that takes longer is an error.
    var timeout: Duration

    init(target: Target, path: String, authority: String) {
        self.target = target
        self.path = path
        self.authority = authority
        method = "GET"
        body = []
        connections = 1
        duration = .seconds(10)
        warmUp = .seconds(1)
        timeout = .seconds(30)
    }
}
