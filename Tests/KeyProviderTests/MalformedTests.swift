import OpenSSLCrypto
import Testing

@testable import KeyProvider

/// Inputs that must be refused; each is one line of the table.
@Suite("Malformed key-provider inputs") struct MalformedTests {
    private static let payload = Base64.encode([1, 2, 3])

    private static func wrap(_ change: (inout String) -> Void) -> String {
        var text = Sample.wrapRequest([1, 2, 3])
        change(&text)
        return text
    }

    private static let wraps: [String] =
        [
            "", " ", "null", "[]", "{}", "\u{FEFF}{}", "{\"op\":", "{\"op\":\"keywrap\"", "{\"op\":\"keywrap", "\"", "\\",
            "{\"op\":\"keywrap\"}",
            #"{"op":"keyunwrap"}"#, #"{"op":null}"#, #"{"op":1}"#, #"{"op":"KEYWRAP","keywrapparams":{}}"#, #"{"op":["keywrap"]}"#,
            #"{"op":"keywrap","keywrapparams":null}"#, #"{"op":"keywrap","keywrapparams":{"ec":null,"optsdata":"AQID"}}"#,
            #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":null},"optsdata":"AQID"}}"#,
            #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":"c2tyOms="}},"optsdata":"AQID"}}"#,
            #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":[]}},"optsdata":"AQID"}}"#,
            #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":[1]}},"optsdata":"AQID"}}"#,
            #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"Attestation-Agent":["c2tyOms="]}},"optsdata":"AQID"}}"#,
            String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 1000),
            "[" + String(repeating: "1,", count: 100_000) + "1]",
        ]
        + [
            wrap { $0.replace(payload, with: "") }, wrap { $0.replace(payload, with: "AQID=") }, wrap { $0.replace(payload, with: "AQI") },
            wrap { $0.replace(payload, with: " AQID") }, wrap { $0.replace(payload, with: "AQ-_") },
            wrap { $0.replace(payload, with: "AQJ=") },
            wrap { $0.replace("\"\(payload)\"", with: "null") }, wrap { $0.replace("\"\(payload)\"", with: "[1,2,3]") },
            wrap { $0.replace("\"\(payload)\"", with: "123") }, wrap { $0.replace(payload, with: #"\ud800"#) },
            wrap { $0.replace(payload, with: #"\u00"#) }, wrap { $0.replace(payload, with: #"AQID\"#) },
            wrap { $0.replace(payload, with: #"AQ\tID"#) }, wrap { $0.replace(payload, with: String(repeating: "AAAA", count: 40_000)) },
            wrap { $0 += "{}" }, wrap { $0 += "x" }, wrap { $0.replace("{\"op\"", with: "{\"op\":\"keywrap\",\"op\"") },
            wrap { $0.replace("\"optsdata\"", with: "\"optsdata\":\"AQID\",\"optsdata\"") },
        ]
        + [
            "c2tyOg==", "c2ty", "a2JzOms=", "L2V0Yy9wYXNzd2Q=", "c2tyOmEgYg==", "c2tyOmEKYg==", "c2tyOsOp", "!!!!",
            Base64.encode(Array("skr:".utf8) + [UInt8](repeating: 65, count: 600)),
        ]
        .map { Sample.wrapRequest([1], parameter: $0) }

    private static let good = #""wrapped_data":"AQID","iv":"AAAAAAAAAAAAAAAA""#

    private static let packets: [String] = [
        "", "null", "[]", "{}", #"{"kid":"k"}"#, #"{"kid":null,"wrapped_data":"AQID"}"#, #"{"kid":"","wrapped_data":"AQID"}"#,
        #"{"kid":"a b","wrapped_data":"AQID"}"#, #"{"kid":"a\nb","wrapped_data":"AQID"}"#, #"{"kid":1,"wrapped_data":"AQID"}"#,
        #"{"kid":"\#(String(repeating: "k", count: 513))","wrapped_data":"AQID"}"#, #"{"kid":"k","wrapped_data":""}"#,
        #"{"kid":"k","wrapped_data":"AQI"}"#, #"{"kid":"k","wrapped_data":[1,2]}"#, #"{"kid":"k","wrapped_data":"AQID","wrap_type":"aes"}"#,
        #"{"kid":"k","wrapped_data":"AQID","wrap_type":"RSA_3072"}"#, #"{"kid":"k","wrapped_data":"AQID","wrap_type":"rsa"}"#,
        #"{"kid":"k","wrapped_data":"AQID","wrap_type":3072}"#, #"{"kid":"k","wrapped_data":"AQID","wrap_type":"rsa_3072","kid":"j"}"#,
        #"{"kid":"k",\#(good),"wrap_type":"A128GCM"}"#, #"{"kid":"k","wrapped_data":"AQID","wrap_type":"A256GCM"}"#,
        #"{"kid":"k","wrapped_data":"AQID","iv":"AAAA","wrap_type":"A256GCM"}"#, #"{"kid":"k",\#(good),"wrap_type":"A256GCM"}"#,
        #"{"kid":"k",\#(good),"wrap_type":"A256CTR"}"#, #"{"version":"0.2.0","kid":"k",\#(good),"wrap_type":"A256GCM"}"#,
        #"{"version":1,"kid":"k",\#(good),"wrap_type":"A256GCM"}"#, #"{"provider":"aliyun","kid":"k",\#(good)}"#,
        #"{"provider":"kbs","kid":"k","wrapped_data":"AQID"}"#, #"{"provider":["kbs"],"kid":"k","wrapped_data":"AQID"}"#,
        #"{"kid":"k","wrapped_data":"AQID","wrap_type":"RSA-OAEP-256+A256GCM"}"#,
        #"{"kid":"k","wrapped_data":"AQID","iv":"AAAA","wrapped_key":"AQID","wrap_type":"RSA-OAEP-256+A256GCM"}"#,
        #"{"kid":"k","wrapped_data":"AQID","kms_endpoint":1}"#, #"{"kid":"k","wrapped_data":"AQID","kms_endpoint":"a b"}"#,
        #"{"kid":"k","wrapped_data":"AQID"}x"#, #"{"kid":"k","wrapped_data":"\#(String(repeating: "AAAA", count: 40_000))"}"#,
        #"{"kid":"k","wrapped_data":"AQID","annotations":\#(String(repeating: "[", count: 50))\#(String(repeating: "]", count: 50))}"#,
    ]

    @Test("there are more than sixty of them") func count() { #expect(Self.wraps.count + Self.packets.count > 80) }

    @Test("every malformed wrap request is refused") func requests() {
        for text in Self.wraps { #expect(throws: KeyProviderRefusal.self, "\(text.prefix(200))") { _ = try Sample.wrap(text) } }
    }

    @Test("every malformed packet is refused, alone and inside a request") func annotations() {
        for text in Self.packets {
            #expect(throws: KeyProviderRefusal.self, "\(text.prefix(200))") { try AnnotationPacket(parsing: Array(text.utf8)) }
        }
    }

    @Test("what is no text at all is refused") func bytes() {
        for bytes in [[0], [0xFF, 0xFE], [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D], [UInt8](repeating: 0x22, count: 3)] as [[UInt8]] {
            #expect(throws: KeyProviderRefusal.self) {
                try KeyProviderRequest.annotation(Sample.secret(bytes))
            }
            #expect(throws: KeyProviderRefusal.self) { try AnnotationPacket(parsing: bytes) }
        }
        let long = [UInt8](repeating: 0x20, count: KeyProviderRequest.maximumBytes + 1)
        #expect(throws: KeyProviderRefusal.self) {
            _ = try KeyProviderRequest.wrap(Sample.secret(long), provider: "attestation-agent")
        }
    }
}
