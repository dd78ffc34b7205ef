import RepositoryFormat
import TestSupport
import Testing

@Suite struct ObjectIDTests {
    @Test func `an id has 64 lowercase digits`() throws {
        let digits = "0123456789abcdef" + "00" + "ff" + String(repeating: "5a", count: 22)
        let id = try #require(ObjectID(hexadecimal: digits))
        #expect(id.hexadecimal == digits)
        #expect("\(id)" == digits)
        #expect(id.short == "01234567")
        #expect(id.bytes == [UInt8](hex: digits))
        #expect(ObjectID(id.bytes) == id)
        var appended: [UInt8] = [0x21]
        id.appendHexadecimal(to: &appended)
        #expect(appended == Array(("!" + digits).utf8))
    }

    @Test func `every byte at every place is a digit or not`() {
        let digits = Array(String(repeating: "7c", count: 32).utf8)
        for position in 0..<64 {
            for byte in UInt8.min ... .max {
                var text = digits
                text[position] = byte
                let id = text.withUnsafeBytes { ObjectID(digits: $0) }
                let isDigit = Array("0123456789abcdef".utf8).contains(byte)
                #expect((id != nil) == isDigit)
                if let id { #expect(id.hexadecimal == String(decoding: text, as: UTF8.self)) }
            }
        }
    }

    @Test func `other texts and lengths are no ids`() {
        let digits = String(repeating: "ab", count: 32)
        for text in ["", "ab", digits + "a", String(digits.dropLast()), digits.uppercased(), "g" + digits.dropFirst()] {
            #expect(ObjectID(hexadecimal: text) == nil, "\(text)")
        }
        #expect(ObjectID([UInt8](repeating: 0, count: 31)) == nil)
        #expect(ObjectID([UInt8](repeating: 0, count: 33)) == nil)
    }

    @Test func `ids sort as their file names do`() throws {
        var random = PseudoRandom(seed: 10)
        var ids: [ObjectID] = []
        for _ in 0..<300 { ids.append(try #require(ObjectID(random.bytes(32)))) }
        // Ids that differ in one late byte only.
        for position in [0, 7, 8, 15, 16, 31] {
            var bytes = [UInt8](repeating: 0x80, count: 32)
            bytes[position] = 0x7F
            ids.append(try #require(ObjectID(bytes)))
            bytes[position] = 0x81
            ids.append(try #require(ObjectID(bytes)))
        }
        #expect(ids.sorted().map(\.hexadecimal) == ids.map(\.hexadecimal).sorted())
        #expect(!(ids[0] < ids[0]))
    }
}
