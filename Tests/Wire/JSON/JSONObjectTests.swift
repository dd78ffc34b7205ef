import JSON
import Testing

@Suite struct `JSON objects and readers` {
    @Test func `setting replaces in place, appends, and removes`() {
        var object: JSONObject = ["a": 1, "b": 2, "c": 3]
        object["b"] = 20
        object["d"] = 4
        object["a"] = nil
        #expect(object.names == ["b", "c", "d"])
        #expect(object["b"] == 20)
        #expect(object["a"] == nil)
    }

    @Test func `an object over the linear limit behaves the same`() {
        var object = JSONObject()
        for index in 0..<40 { object["k\(index)"] = .integer(Int64(index)) }
        object["k5"] = nil
        object["k39"] = "last"
        object["k5"] = "back"
        #expect(object.count == 40)
        #expect(object.names.last == "k5")
        #expect(object["k39"] == "last")
        #expect(object["k6"] == 6)
        for index in 0..<36 { object["k\(index)"] = nil }
        #expect(object.names == ["k36", "k37", "k38", "k39"])
        #expect(object["k36"] == 36)
    }

    @Test func `equality and hash ignore the order`() {
        let one: JSONObject = ["a": 1, "b": ["x": nil]]
        let two: JSONObject = ["b": ["x": nil], "a": 1]
        #expect(one == two)
        #expect(one.hashValue == two.hashValue)
        #expect(one != ["a": 1])
        #expect(one != ["a": 1, "c": ["x": nil]])
    }

    private func failure(_ body: () throws -> Any) -> (JSONError.Code, String, String)? {
        do {
            _ = try body()
            return nil
        } catch let error as JSONError { return (error.code, error.path, error.message) } catch { return nil }
    }

    @Test func `errors name the member by its path`() throws {
        let reader = JSONReader(
            ["size": "x", "spool": ["in": 3], "list": [["key": 1]], "n": nil] as JSONObject, path: "params")
        #expect(
            try #require(failure { try reader.string("key") }) == (
                .missingMember, "params.key", "'params.key' is missing"
            ))
        #expect(
            try #require(failure { try reader.count("size") })
                == (.wrongType, "params.size", "'params.size' must be an integer, not a string"))
        #expect(try #require(failure { try reader.reader("spool").string("in") }).1 == "params.spool.in")
        #expect(try #require(failure { try reader.readers("list")[0].string("key") }).1 == "params.list[0].key")
        #expect(try #require(failure { try reader.string("n") }).0 == .wrongType)
        #expect(try reader.optionalString("n") == nil)
        #expect(try reader.optionalCount("absent") == nil)
    }

    @Test func `integers beyond 2^53 and negative counts are out of range`() throws {
        let reader = JSONReader(
            [
                "edge": 9_007_199_254_740_991, "over": 9_007_199_254_740_992, "negative": -1,
            ] as JSONObject)
        #expect(try reader.count("edge") == 9_007_199_254_740_991)
        #expect(try #require(failure { try reader.integer("over") }).0 == .outOfRange)
        #expect(try #require(failure { try reader.count("negative") }).0 == .outOfRange)
        #expect(try reader.integer("negative") == -1)
    }

    @Test func `unknown members are refused by name`() throws {
        let reader = JSONReader(["path": "/x", "pth": "/y"] as JSONObject, path: "config")
        #expect(
            try #require(failure { try reader.rejectUnknown(allowing: ["path", "create"]) })
                == (.unknownMember, "config.pth", "'config.pth' is not known here; known are: path, create"))
        #expect(throws: Never.self) { try reader.rejectUnknown(allowing: ["path", "pth"]) }
    }
}
