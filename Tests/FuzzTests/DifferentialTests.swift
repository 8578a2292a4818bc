import FuzzTargets
import Issuing
import JOSE
import OpenSSLCrypto
import SNPReport
import StrictJSON
import Testing
import UVMEndorsements

/// The same inputs in programs of somebody else, and in readers that were written for this from the formats' tables.
@Suite("Second readers")
struct DifferentialTests {
    /// Seeds of a target and changes of them.
    private func inputs(_ name: String, _ count: Int) throws -> [[UInt8]] {
        let target = try #require(FuzzTargets.named(name))
        let seeds = try target.seeds()
        var mutations = Mutations(of: seeds, name: "second \(name)", maximumBytes: target.maximumBytes)
        return seeds + (0..<count).map { _ in mutations.next() }
    }

    /// Without tags, which cbor2 makes values of its own of, and without floating-point numbers, which have several encodings.
    private func isPlain(_ value: CBORValue) -> Bool {
        switch value {
        case .tagged, .float: false
        case .array(let elements): elements.allSatisfy(isPlain)
        case .map(let map): map.allSatisfy { isPlain($0.key) && isPlain($0.value) }
        default: true
        }
    }

    @Test("base64 is decoded as Python does where it is canonical") func base64() throws {
        let inputs = try inputs("base64", 2000)
        let answers = try Peer.script("peers.py", "base64").lines(inputs.map(Hex.encode))
        for (input, answer) in zip(inputs, answers) {
            let parts = answer.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            #expect((Base64.decode(input).map(Hex.encode) ?? "refused") == parts[0], "\(input)")
            #expect((Base64.decodeURL(input[...]).map(Hex.encode) ?? "refused") == parts[1], "\(input)")
        }
    }

    @Test("numbers in JSON are those that Python reads") func numbers() throws {
        let seeds = ["0", "-1", "9223372036854775807", "1.5", "-2.25e10", "1e-7", "123456789.000001", "5E+3", "1e308", "4.9e-324"]
        var mutations = Mutations(of: seeds.map { Array($0.utf8) }, name: "numbers", maximumBytes: 40)
        let texts =
            seeds + (0..<2000).map { _ in String(decoding: mutations.next().filter("0123456789+-.eE,".utf8.contains), as: UTF8.self) }
        let answers = try Peer.script("peers.py", "numbers").lines(texts)
        var taken = 0
        for (text, answer) in zip(texts, answers) {
            guard case .array(let values)? = try? JSONValue.parse(Array("[\(text)]".utf8)) else {
                // Integers beyond 64 bits and numbers beyond a double are refused here.
                #expect(answer == "refused" || answer == "beyond", "\(text)")
                continue
            }
            taken += 1
            let ours = values.map { value -> String in
                switch value {
                case .integer(let number): "\(number)"
                case .real(let number): String(number.bitPattern, radix: 16)
                default: "?"
                }
            }
            #expect(ours.joined(separator: " ") == answer, "\(text)")
        }
        #expect(taken > 300)
    }

    @Test("a report is what a Python decoder makes of it, field by field") func reports() throws {
        let inputs = try inputs("report", 300).filter { $0.count == AttestationReport.byteCount }
        #expect(inputs.count > 50)
        let answers = try Peer.script("report.py", "--hex").lines(inputs.map(Hex.encode))
        for (input, answer) in zip(inputs, answers) {
            let report = try AttestationReport.inspect(input).report
            let fields = try JSONCursor.parse(Array(answer.utf8), limits: JSONLimits(bigIntegers: .asReal))
            for (name, value) in ReportFields.all(report) { #expect(try fields.string(name) == value, "\(name)") }
        }
    }

    @Test("a certificate's fields are those that openssl prints") func certificates() throws {
        let inputs = try inputs("certificate", 400)
        var compared = 0
        for input in inputs where compared < 12 {
            guard input.first == 0x30, let certificate = try? Certificate(der: input) else { continue }
            compared += 1
            let arguments = [
                "x509", "-inform", "DER", "-noout", "-subject", "-issuer", "-serial", "-fingerprint", "-sha256", "-nameopt", "RFC2253",
            ]
            let lines = String(decoding: try Peer(path: Peer.openssl, arguments: arguments).output(input), as: UTF8.self).split(
                separator: "\n")
            var fields: [String: String] = [:]
            for line in lines {
                let parts = line.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { fields[String(parts[0]).lowercased()] = String(parts[1]) }
            }
            #expect(fields["subject"] ?? "" == certificate.subject)
            #expect(fields["issuer"] ?? "" == certificate.issuer)
            #expect(fields["sha256 fingerprint"]?.filter { $0 != ":" }.lowercased() == Hex.encode(certificate.sha256))
            #expect(fields["serial"].flatMap { UInt64($0, radix: 16) } == UInt64(certificate.serialNumberHex, radix: 16))
        }
        #expect(compared >= 4)
    }

    @Test("a JSON Web Key is the key that openssl prints", arguments: ["RSA", "P-256", "P-384", "P-521"])
    func keys(kind: String) throws {
        let key = try EllipticCurve(rawValue: kind).map { try PrivateKey.generateEC($0) } ?? PrivateKey.generateRSA(bits: 2048)
        var members: JSONObject = ["kty": .string(kind == "RSA" ? "RSA" : "EC")]
        let numbers: [[UInt8]]
        if let rsa = key.publicKey.rsaNumbers {
            members.set("n", .string(Base64.encodeURL(rsa.n)))
            members.set("e", .string(Base64.encodeURL(rsa.e)))
            numbers = [rsa.n]
        } else {
            let point = try #require(key.publicKey.ecPoint)
            for (name, value) in [("crv", kind), ("x", Base64.encodeURL(point.x)), ("y", Base64.encodeURL(point.y))] {
                members.set(name, .string(value))
            }
            numbers = [[4] + point.x + point.y]
        }
        let read = try JWK(JSONCursor(.object(members))).publicKey
        let printed = try Peer(path: Peer.openssl, arguments: ["pkey", "-pubin", "-inform", "DER", "-noout", "-text"]).output(
            read.subjectPublicKeyInfo)
        let digits = String(decoding: printed, as: UTF8.self).filter(\.isHexDigit).lowercased()
        for number in numbers { #expect(digits.contains(Hex.encode(number)), "\(kind)") }
    }

    @Test(
        "CBOR is what cbor2 reads, and written as cbor2 writes it",
        .enabled(if: Peer.pythonWithCBOR != nil, "FUZZ_TEST_PYTHON names no Python with cbor2")) func cbor() throws
    {
        let taken = try inputs("cbor", 2000).compactMap { input in (try? CBORValue.parse(input)).map { (input, $0) } }.filter {
            isPlain($0.1)
        }
        #expect(taken.count > 100)
        let peer = Peer.script("peers.py", "cbor", python: Peer.pythonWithCBOR ?? Peer.python)
        for ((input, value), answer) in zip(taken, try peer.lines(taken.map { Hex.encode($0.0) })) {
            #expect(answer == Hex.encode(value.encoded()), "\(Hex.encode(input))")
        }
    }
}

/// Fields of a report as `report.py` prints them.
private enum ReportFields {
    static func all(_ report: AttestationReport) -> [(String, String)] {
        func hex(_ number: UInt64, _ bytes: Int) -> String {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 2 * bytes - digits.utf8.count) + digits
        }
        var fields: [(String, String)] = [
            ("version", hex(UInt64(report.version), 4)), ("guest_svn", hex(UInt64(report.guestSVN), 4)),
            ("policy", hex(report.policy.raw, 8)), ("family_id", Hex.encode(report.familyID)), ("image_id", Hex.encode(report.imageID)),
            ("vmpl", hex(UInt64(report.vmpl), 4)), ("signature_algo", hex(UInt64(report.signatureAlgorithm), 4)),
            ("current_tcb", report.currentTCB.hex), ("platform_info", hex(report.platformInfo.raw, 8)),
            ("key_info", hex(UInt64(report.keyInfo.raw), 4)), ("report_data", Hex.encode(report.reportData)),
            ("measurement", Hex.encode(report.measurement)), ("host_data", Hex.encode(report.hostData)),
            ("id_key_digest", Hex.encode(report.idKeyDigest)), ("author_key_digest", Hex.encode(report.authorKeyDigest)),
            ("report_id", Hex.encode(report.reportID)), ("report_id_ma", Hex.encode(report.reportIDMA)),
            ("reported_tcb", report.reportedTCB.hex), ("chip_id", Hex.encode(report.chipID)), ("committed_tcb", report.committedTCB.hex),
            ("launch_tcb", report.launchTCB.hex), ("signature_r", Hex.encode(report.signatureR)),
            ("signature_s", Hex.encode(report.signatureS)),
            ("current_version", "\(report.currentVersion.major).\(report.currentVersion.minor).\(report.currentVersion.build)"),
            ("committed_version", "\(report.committedVersion.major).\(report.committedVersion.minor).\(report.committedVersion.build)"),
        ]
        if let cpuid = report.cpuid { fields.append(("cpuid", Hex.encode([cpuid.family, cpuid.model, cpuid.stepping]))) }
        if let vector = report.launchMitigationVector { fields.append(("launch_mit_vector", hex(vector, 8))) }
        if let etcb = report.currentETCB { fields.append(("current_etcb", Hex.encode(etcb.bytes))) }
        return fields
    }
}
