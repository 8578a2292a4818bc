internal import StrictJSON

/// Times in tokens (RFC 7519, section 2, NumericDate): seconds since 1970, at times with a fraction, which is dropped here.
extension JSONCursor {
    func numericDate(_ name: String) throws(JSONError) -> Int64 { try member(name).seconds() }

    func optionalNumericDate(_ name: String) throws(JSONError) -> Int64? { try optional(name)?.seconds() }

    private func seconds() throws(JSONError) -> Int64 {
        if case .integer(let seconds) = value { return seconds }
        let seconds = try number().rounded(.down)
        guard let exact = Int64(exactly: seconds) else { throw invalid("expected seconds since 1970") }
        return exact
    }
}
