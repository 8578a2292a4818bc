import Issuing
import OpenSSLCrypto
import PlainText
import SNPReport
import SNPVerification
import StrictJSON
import Testing

/// The four verdicts on reports of every version, and products out of files.
@Suite("Verdicts") struct VerdictTests {
    @Test("a version that nobody knows is unsupported, whatever is in its fields, and rejected where something judged is wrong")
    func unknownVersion() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.version = 7
        hierarchy.report.policy = GuestPolicy(raw: .max)
        hierarchy.report.vmpl = .max
        hierarchy.report.currentETCB = [UInt8](repeating: 7, count: 32)
        let result = try hierarchy.verify()
        #expect(result.verdict == .unsupported && result.failures == ["report-version"] && result.isWorthPassingOn)
        #expect(result.notChecked.contains { $0.code == "measurement" } && result.report == nil)
        #expect(try hierarchy.verify { $0.takesUnknownVersions = true }.verdict == .rejected, "as version 6 it is no good")

        hierarchy.leafPublic = TestHierarchy.otherCurveKey
        let forged = try hierarchy.verify()
        #expect(forged.verdict == .rejected && !forged.isWorthPassingOn)
    }

    @Test("version 6 is known of Venice alone, until a file says otherwise") func versionSix() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.version = 6
        hierarchy.report.committedETCB = (0..<32).map { $0 < 14 ? $0 : 0 }
        let result = try hierarchy.verify()
        #expect(result.verdict == .unsupported && result.failures == ["report-version"])
        let table = try ProductFile.apply(Array(#"{"products":[{"name":"Milan","report-versions":[2,6]}]}"#.utf8))
        let roots = try [PinnedRoot(name: "test", product: .milan, certificate: hierarchy.certificates()[2])]
        let allowed = try hierarchy.verify {
            $0.products = table
            $0.roots = roots
        }
        #expect(allowed.verdict == .verified && allowed.notChecked.contains { $0.code == "etcb" })
        hierarchy.report.currentETCB[20] = 1
        let odd = try hierarchy.verify {
            $0.products = table
            $0.roots = roots
        }
        #expect(odd.verdict == .limited && odd.leftOut.map(\.code) == ["current_etcb"])
    }

    @Test("version 4 with vectors that nobody confirmed is limited") func versionFour() throws {
        var hierarchy = TestHierarchy()
        hierarchy.report.version = 4
        #expect(try hierarchy.verify().verdict == .verified)
        hierarchy.report.launchMitigationVector = 3
        let result = try hierarchy.verify()
        #expect(result.verdict == .limited && result.failures == [] && result.leftOut.map(\.code) == ["launch_mit_vector"])
    }

    @Test("a product without a root is unsupported, never verified") func withoutRoot() throws {
        for product in [ProcessorProduct.venice, .milan] {
            let hierarchy = TestHierarchy(product: product)
            let result = try hierarchy.verify { $0.roots = [] }
            #expect(result.verdict == .unsupported && result.failures == ["product-unsupported"])
            #expect(result.isWorthPassingOn)
        }
        // Without any certificate, too: there is none that anybody would believe.
        let venice = TestHierarchy(product: .venice)
        let bare = EvidenceVerifier().verify(report: try venice.signedReport(), certificates: [], policy: .init(time: TestHierarchy.time))
        #expect(bare.verdict == .unsupported && !bare.isWorthPassingOn)
        // A processor that no product includes.
        var unknown = TestHierarchy()
        unknown.report.cpuid = ProcessorID(family: 0x1B, model: 0, stepping: 0)
        let strange = EvidenceVerifier().verify(
            report: try unknown.signedReport(), certificates: [], policy: .init(time: TestHierarchy.time))
        #expect(strange.verdict == .unsupported)
        #expect(try unknown.verify().failures == ["product-mismatch"], "a Milan's key signed it")
    }

    @Test("a file adds a product with a root of its own") func addedProduct() throws {
        let future = ProcessorProduct(
            rawValue: "Verona", processors: [ProcessorRange(family: 0x1B, models: 0...15)], layout: .withFMC, chipIDByteCount: 8,
            versions: 5...6, isServedByKDS: false)
        var hierarchy = TestHierarchy(product: .turin)
        hierarchy.product = future
        for (path, name) in [(\TestHierarchy.root, "ARK-Verona"), (\.intermediate, "SEV-Verona")] {
            hierarchy[keyPath: path].subject = TestHierarchy.builder(name, issuer: "", serial: 0).subject
            hierarchy[keyPath: path].issuer = TestHierarchy.builder("ARK-Verona", issuer: "", serial: 0).subject
        }
        hierarchy.leaf.issuer = hierarchy.intermediate.subject
        hierarchy.replaceExtension("2", with: TestHierarchy.ia5("Verona-A0"))
        hierarchy.report.cpuid = ProcessorID(family: 0x1B, model: 3, stepping: 0)
        hierarchy.report.version = 5
        func file(_ root: String) -> [UInt8] {
            Array(
                """
                {"products": [{"name": "Verona", "roots": [\(root)], "processors": [{"family": "0x1b", "models": [0, 15]}],
                "tcb": ["fmc", "bl", "tee", "snp", "spl5", "spl6", "spl7", "ucode"], "chip-id-bytes": 8, "report-versions": [5, 6]}]}
                """.utf8)
        }
        #expect(try hierarchy.verify { $0.roots = [] }.verdict != .verified)
        let pem = JSONValue.string(try hierarchy.certificates()[2].pem).serialized()
        let rooted = try ProductFile.apply(file(#"{"pem": \#(String(decoding: pem, as: UTF8.self))}"#))
        let result = try hierarchy.verify {
            $0.products = rooted
            $0.roots = rooted.roots
        }
        #expect(result.verdict == .verified, "\(result.checks.filter { !$0.ok })")
        #expect(result.endorsement?.product.rawValue == "Verona" && result.endorsement?.pinnedRoot == "configured ARK-Verona")
        let rootless = try ProductFile.apply(file(""))
        let without = try hierarchy.verify {
            $0.products = rootless
            $0.roots = rootless.roots
        }
        #expect(without.verdict == .unsupported && without.failures == ["product-unsupported"])
    }

    @Test("a file denies a product, and pins a stepping") func narrowed() throws {
        let hierarchy = TestHierarchy()
        let roots = try [PinnedRoot(name: "test", product: .milan, certificate: hierarchy.certificates()[2])]
        func failures(_ file: String) throws -> [String] {
            let table = try ProductFile.apply(Array(file.utf8))
            return try hierarchy.verify {
                $0.products = table
                $0.roots = roots
            }.failures
        }
        #expect(try failures(#"{"products":[{"name":"Milan","deny":true}]}"#) == ["product-denied"])
        let other = #"{"products":[{"name":"Milan","processors":[{"family":25,"models":1,"steppings":2}]}]}"#
        #expect(try failures(other) == ["product-mismatch"])
        #expect(try failures(other.replacing(#""steppings":2"#, with: #""steppings":[1,2]"#)) == [])
    }

    @Test("a file adds a floor, or replaces one") func ownFloor() throws {
        let table = try ProductFile.apply(
            Array(
                #"""
                {"floors": [{"name": "ours", "source": "us", "date": "2026-11-30",
                "rows": [{"processors": [{"family": "0x19", "models": 1}], "minimum": {"snp": 25}, "platform-bits": "0x20"}]}]}
                """#.utf8))
        let floor = try #require(table.floor(named: "OURS"))
        #expect(floor.rows.first?.requirement == "snp=25, platform bits 0x20" && table.floors.count == FloorPreset.builtIn.count + 1)
        #expect(try TestHierarchy().verify { $0.floors = [floor] }.failures == ["tcb-below-minimum"])
    }

    @Test(
        "what is no file of products is refused with the place",
        arguments: [
            ("[]", ""), (#"{"product":[]}"#, "product"), (#"{"products":[{"name":"Verona"}]}"#, "products[0]"),
            (#"{"products":[{"name":"Ver ona"}]}"#, "products[0].name"),
            (#"{"products":[{"name":"Milan","tcb":["fmc"]}]}"#, "products[0].tcb"),
            (#"{"products":[{"name":"Milan","roots":[{}]}]}"#, "products[0].roots[0]"),
            (#"{"products":[{"name":"Milan","roots":[{"pem":"x"}]}]}"#, "products[0].roots[0].pem"),
            (#"{"products":[{"name":"Milan","report-versions":[2,7]}]}"#, "products[0].report-versions[1]"),
            (#"{"products":[{"name":"Milan","processors":[{"family":256,"models":0}]}]}"#, "products[0].processors[0].family"),
            (#"{"floors":[{"name":"x","rows":[{"processors":[],"minimum":{"psp":1}}]}]}"#, "floors[0].rows[0].minimum.psp"),
        ]) func refusedFiles(text: String, place: String) throws
    {
        let failure = #expect(throws: ProductFile.Failure.self) { try ProductFile.apply(Array(text.utf8)) }
        #expect(failure?.description.contains(place) == true, "\(failure?.description ?? "")")
    }

    @Test("no product has a root by default that fewer than two sources show") func defaultRoots() throws {
        let table = ProductTable.builtIn
        #expect(table.entries.filter { !$0.roots.isEmpty }.map(\.product) == [.milan, .genoa, .turin])
        for entry in table.entries { #expect(!entry.sources.isEmpty && !entry.isDenied) }
        for floor in table.floors { #expect(!floor.source.isEmpty) }
        #expect(Set(table.floors.map(\.name)).count == table.floors.count)
    }
}
