internal import CJansson

extension JSONValue {
    /// Parses one document: an object or an array in UTF-8, with nothing but white space around it.
    ///
    /// Refused besides everything that RFC 8259 forbids: more than `limits` allows (checked before anything is built), a member name that
    /// occurs twice (also where one of them is written with escapes), NUL in any form, lone surrogates, a byte order mark, numbers that
    /// overflow. May be called from any number of threads.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in try parse(buffer, limits: limits) }
    }

    /// The same for bytes that are not in an array.
    package static func parse(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.maximumBytes else { throw JSONError(.tooLarge, "longer than \(limits.maximumBytes) bytes") }
        try DocumentScan.check(bytes, limits: limits)
        do { return try JanssonParser.parse(bytes) } catch {
            guard error.isNumericOverflow, limits.bigIntegers == .asReal else { throw error.error }
        }
        // Jansson can read all integers as reals or none. ".0" behind the big ones keeps the others exact.
        let ends = DocumentScan.endsOfBigIntegers(in: bytes)
        var rewritten: [UInt8] = []
        rewritten.reserveCapacity(bytes.count + 2 * ends.count)
        var copied = 0
        for end in ends {
            rewritten.append(contentsOf: bytes[copied..<end])
            rewritten.append(contentsOf: ".0".utf8)
            copied = end
        }
        rewritten.append(contentsOf: bytes[copied...])
        do {
            return try rewritten.withUnsafeBufferPointer { buffer throws(JanssonParser.Failure) in try JanssonParser.parse(buffer) }
        } catch { throw error.shifted(back: ends) }
    }
}

/// The one place where Jansson is called. A tree that it built is copied and released before the function returns.
enum JanssonParser {
    struct Failure: Error {
        var error: JSONError
        var isNumericOverflow: Bool

        /// The error with its position in the document that the caller knows, when two bytes were inserted at each of `ends`.
        func shifted(back ends: [Int]) -> JSONError {
            guard let position = error.position else { return error }
            var original = position
            for (index, end) in ends.enumerated() where position > end + 2 * index { original = position - 2 * (index + 1) }
            return JSONError(error.kind, path: error.path, error.reason, line: error.line, position: original)
        }
    }

    // Member tables are seeded at random against crafted collisions. Jansson wants that done before two threads parse at once; a static is
    // made once.
    private static let isSeeded: Bool = {
        json_object_seed(0)
        return true
    }()

    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) -> JSONValue {
        guard isSeeded, let start = bytes.baseAddress else {
            throw Failure(error: JSONError(.syntax, "the document is empty", line: 1, position: 0), isNumericOverflow: false)
        }
        var details = json_error_t()
        let root = start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { text in
            json_loadb(text, bytes.count, Int(JSON_REJECT_DUPLICATES), &details)
        }
        guard let root else { throw failure(&details) }
        defer { json_decref(root) }
        return value(of: root)
    }

    private static func value(of node: UnsafeMutablePointer<json_t>) -> JSONValue {
        switch node.pointee.type {
        case JSON_OBJECT:
            var members: [(String, JSONValue)] = []
            members.reserveCapacity(json_object_size(node))
            var iterator = json_object_iter(node)
            while let current = iterator {
                if let name = json_object_iter_key(current), let child = json_object_iter_value(current) {
                    members.append((text(name, json_object_iter_key_len(current)), value(of: child)))
                }
                iterator = json_object_iter_next(node, current)
            }
            return .object(JSONObject(members))
        case JSON_ARRAY:
            let count = json_array_size(node)
            var elements: [JSONValue] = []
            elements.reserveCapacity(count)
            for index in 0..<count { if let child = json_array_get(node, index) { elements.append(value(of: child)) } }
            return .array(elements)
        case JSON_STRING: return .string(json_string_value(node).map { text($0, json_string_length(node)) } ?? "")
        case JSON_INTEGER: return .integer(Int64(json_integer_value(node)))
        case JSON_REAL: return .real(json_real_value(node))
        case JSON_TRUE: return .boolean(true)
        case JSON_FALSE: return .boolean(false)
        default: return .null
        }
    }

    // Jansson accepts valid UTF-8 only, so nothing is repaired here.
    private static func text(_ start: UnsafePointer<CChar>, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    // Jansson's own text quotes the input, which may hold a secret; its code does not.
    private static func failure(_ details: inout json_error_t) -> Failure {
        let code = json_error_code(&details)
        let (kind, reason): (JSONError.Kind, String) =
            switch code {
            case json_error_duplicate_key: (.duplicateKey, "a member name occurs twice in one object")
            case json_error_end_of_input_expected: (.trailingData, "something follows the end of the document")
            case json_error_premature_end_of_input: (.syntax, "the document ends too early")
            case json_error_invalid_utf8: (.syntax, "not valid UTF-8")
            case json_error_null_character, json_error_null_byte_in_key: (.syntax, "a NUL character is not allowed")
            case json_error_numeric_overflow: (.syntax, "a number is too large")
            case json_error_stack_overflow: (.tooDeep, "nested too deep")
            case json_error_out_of_memory: (.tooLarge, "not enough memory for the document")
            default: (.syntax, "not valid JSON")
            }
        let error = JSONError(kind, reason, line: max(Int(details.line), 1), position: max(Int(details.position), 0))
        return Failure(error: error, isNumericOverflow: code == json_error_numeric_overflow)
    }
}
