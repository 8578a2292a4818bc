import StrictJSON
import Testing

@Suite struct ObjectTests {
    @Test(arguments: [3, 9, 200]) func keepsOrderReplacesAndRemoves(count: Int) {
        var object = JSONObject((0..<count).map { ("k\($0)", .integer(Int64($0))) })
        #expect(object.keys == (0..<count).map { "k\($0)" })
        object.set("k1", "new")
        #expect(object["k1"] == "new")
        #expect(object.count == count)
        object.set("added", true)
        #expect(object.keys.last == "added")
        #expect(object.remove("k0") == 0)
        #expect(object.remove("k0") == nil)
        #expect(object["k0"] == nil)
        #expect(object["k2"] == 2)
        #expect(object["added"] == true)
        #expect(object.keys.first == "k1")
    }

    @Test func aRepeatedNameReplacesTheEarlierValueInItsPlace() {
        let object = JSONObject([("a", 1), ("b", 2), ("a", 3)])
        #expect(object.keys == ["a", "b"])
        #expect(object["a"] == 3)
    }

    @Test func equalityIgnoresOrder() {
        #expect((["a": 1, "b": [1, 2]] as JSONValue) == ["b": [1, 2], "a": 1])
        #expect((["a": 1] as JSONValue) != ["a": 1, "b": 2])
        #expect((["a": 1] as JSONValue) != ["a": 1.0])
        #expect((["a": nil] as JSONValue) != ["b": nil])
    }

    @Test func tenThousandMembersAreFoundQuickly() throws {
        let count = 10_000
        let object = JSONObject((0..<count).map { ("member-\($0)", .integer(Int64($0))) })
        let parsed = try JSONCursor.parse(JSONValue.object(object).serialized())
        // A linear search would compare 10^9 names here.
        for round in 0..<10 {
            for index in stride(from: 0, to: count, by: 1) where index % 10 == round {
                #expect(try parsed.integer("member-\(index)") == Int64(index))
            }
        }
    }
}
