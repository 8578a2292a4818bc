import PlainText
import Testing

@Suite("ASCII sets") struct ASCIISetTests {
    @Test("hold what their grammars say, and nothing beyond ASCII") func members() {
        func members(_ set: ASCIISet) -> String { String(decoding: (0...255).map(UInt8.init).filter(set.contains), as: UTF8.self) }
        #expect(members(.digits) == "0123456789")
        #expect(members(.lowercaseHexDigits) == "0123456789abcdef")
        #expect(members(.hexDigits) == "0123456789ABCDEFabcdef")
        #expect(members(.hostName - .alphanumeric) == "-.")
        #expect(members(.visible) == String((0x21...0x7E).map { Character(Unicode.Scalar($0)) }))
        #expect(members(.printable - .visible) == " ")
        #expect(members(.whiteSpace) == "\t\n\r ")
        #expect(members(.token68 - .alphanumeric) == "+-./=_~")
    }

    @Test("texts are held against a set and a length") func texts() {
        #expect("abc".utf8.consists(of: .lowercase, count: 1...3))
        #expect(!"abcd".utf8.consists(of: .lowercase, count: 1...3))
        #expect(!"".utf8.consists(of: .lowercase, count: 1...3))
        #expect(!"aé".utf8.consists(of: .visible))
        #expect(Array(" \r\na b\t".utf8.trimmed(.whiteSpace)) == Array("a b".utf8))
        #expect("\n".utf8.trimmed(.whiteSpace).isEmpty)
    }

    @Test("hexadecimal digits have values in either case") func digits() {
        #expect("09afAF".utf8.map(\.hexDigitValue) == [0, 9, 10, 15, 10, 15])
        #expect("/:@G`g".utf8.allSatisfy { $0.hexDigitValue == nil })
    }

    @Test("letters are compared without case in ASCII alone") func folding() {
        #expect("Kid".equalsIgnoringASCIICase("kID"))
        #expect(!"\u{212A}id".equalsIgnoringASCIICase("kid"))
        #expect(!"[".equalsIgnoringASCIICase("{"))
    }

    @Test("values of queries are encoded") func encoded() { #expect(percentEncoded("a-Z_0.~ /é") == "a-Z_0.~%20%2F%C3%A9") }
}
