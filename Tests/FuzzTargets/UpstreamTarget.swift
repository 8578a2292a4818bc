internal import AzureServices
internal import BrokerCore
internal import HTTPTransport
internal import SecureMemory
internal import StrictJSON

extension FuzzTarget {
    /// Answers of services that are no success, and access tokens that somebody gives.
    static let upstream = FuzzTarget("upstream", seeds: UpstreamTarget.seeds, run: UpstreamTarget.run)
}

/// Status, `Retry-After`, `Date`, body, access token.
private enum UpstreamTarget {
    private static let token = "eyJhbGciOiJSUzI1NiJ9canary"
    private static let now: Int64 = 1_750_000_000

    @Sendable static func seeds() -> [[UInt8]] {
        // {"aud":"https://vault.azure.net","exp":1,"tid":"72f988bf-86f1-41af-91ab-2d7cd011db47"}
        let claims = "eyJhdWQiOiJodHRwczovL3ZhdWx0LmF6dXJlLm5ldCIsImV4cCI6MSwidGlkIjoiNzJmOTg4YmYtODZmMS00MWFmLTkxYWItMmQ3Y2QwMTFkYjQ3In0"
        return [
            .records(
                "403", "5", "", #"{"error":{"code":"Forbidden","message":"AKV.SKR.1007: no","innererror":{"code":"ForbiddenByPolicy"}}}"#,
                ""),
            .records(
                "400", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:00 GMT", #"{"error":"invalid_client"}"#, "a.\(claims).b"),
            .records(
                "401", "", "", #"{"error":"x","error_description":"AADSTS7000215: bad\r\nTrace ID: 1"}"#, "a.eyJleHAiOjE3NTAwMDM2MDB9.b"),
            .records("503", "100", "", "<html>busy</html>", ""),
        ]
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let parts = input.records.map(\.text) + ["", "", "", "", ""]
        let status = Int(parts[0]).flatMap { (100...999).contains($0) ? $0 : nil } ?? 500
        let response = HTTPResponse(
            status: status,
            headers: [("retry-after", parts[1]), ("date", parts[2]), ("www-authenticate", parts[1]), ("x-ms-error-code", parts[2])],
            body: Array((parts[3] + token).utf8))
        if let delay = response.retryAfter { try require((.zero ... .seconds(3600)).contains(delay), "a delay of \(delay)") }
        for action in KeyAction.allCases {
            let refusal = UpstreamRefusal(response, of: "service", at: .release, for: action)
            let error = refusal.error
            try require(error.message.isOneLine && error.message.utf8.count < 8000, "the message \(error.message)")
            let said = planted(refusal.said, instead: status % 10 > 5 ? refusal.said + token : refusal.said)
            try require(!said.contains(token) && !error.message.contains(token), "a token is shown")
        }
        let content = AccessTokenContent(Redacted(parts[4]))
        if let content {
            let complaints = [
                content.complaint(wanted: "https://vault.azure.net", now: now),
                content.complaint(storeTenant: "72f988bf-86f1-41af-91ab-2d7cd011db47"),
            ]
            for complaint in complaints.compactMap(\.self) {
                try require(complaint.message.isOneLine && complaint.code == .identityFailed, "the complaint \(complaint.message)")
            }
        }
        return content != nil || !parts[3].isEmpty
    }
}
