internal import StrictJSON

extension FuzzTarget {
    /// StrictJSON: a second parser takes the same documents and reads the same values in them.
    static let json = FuzzTarget("json", maximumBytes: 2048, seeds: JSONTarget.seeds, run: JSONTarget.run)
}

private enum JSONTarget {
    @Sendable static func seeds() -> [[UInt8]] {
        [
            #"{"a":1,"b":[true,false,null,-0,1.5e-3,9223372036854775807],"c":{"":"x"}}"#, "[]", " {\n} ",
            #"["\u00e9\ud83d\ude00\\\/\b\f"]"#,
            "[[[[[[]]]]]]", #"{"kß":"ü€𝄞","list":[1,2,3,4,5,6,7,8,9]}"#, #"{"a":{"b":{"c":{"d":"e"}}}}"#, "[1e5,-2E+1,0.1]",
            #"{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"10":10}"#,
        ].map { Array($0.utf8) }
    }

    @Sendable static func run(_ input: [UInt8]) throws -> Bool {
        let value = try? read(input)
        let second = PlainJSON.parse(input)
        try require((value == nil) == (second == nil), "taken: \(value != nil), by the second parser: \(second != nil)")
        try require(value == second?.value, "another value")
        try require((try? JSONValue.parse(written: input)) == value, "the reader for people gives something else")
        let lenient = JSONLimits(bigIntegers: .asReal)
        let big = try? JSONValue.parse(input, limits: lenient)
        try require(big == PlainJSON.parse(input, bigIntegers: true)?.value, "another value with large integers")
        if let big { try require(try JSONValue.parse(big.serialized(), limits: lenient) == big, "written again it is something else") }
        guard let value, let second else { return false }
        try require(
            try JSONValue.parse(value.serialized(pretty: true), limits: lenient) == value, "written for people it is something else")
        try require(try JSONValue.parse(value.serialized(sortedKeys: true), limits: lenient) == value, "sorted it is something else")
        let narrow = JSONLimits(maximumBytes: 200, maximumDepth: 4, maximumValues: 12)
        let fits = input.count <= 200 && second.deepest <= 4 && second.marks <= 12
        try require(((try? JSONValue.parse(input, limits: narrow)) != nil) == fits, "within limits: \(fits)")
        return true
    }

    private static func read(_ input: [UInt8]) throws -> JSONValue {
        let value = Result { try JSONValue.parse(input) }
        return try planted(value, instead: Result { try (try? value.get()) ?? JSONValue.parse(Array(input.dropLast())) }).get()
    }
}
