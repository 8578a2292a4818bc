import AzureSimulators
import HTTPTransport
import OpenSSLCrypto
import SNPFixture
import SNPReport
import StrictJSON
import Testing

struct EndorsementTests {
    private static func serve(_ configuration: inout SimulatorConfiguration) {
        guard let chip = Guest.chip else { return }
        configuration.endorsements = EndorsementChain(
            leaf: chip.chain[0], intermediate: chip.chain[1], root: chip.chain[2], tcb: chip.tcb.hex, chipID: Hex.encode(chip.chipID))
    }

    @Test("THIM serves the chain with its TCB") func thim() async throws {
        let chip = try #require(Guest.chip)
        try await Cloud.run(Self.serve) { cloud in
            let answer = try await cloud.metadata("/metadata/THIM/amd/certification")
            #expect(answer.status == 200)
            let json = try answer.json
            #expect(try json.string("tcbm") == chip.tcb.hex)
            #expect(try json.string("cacheControl") == "86400")
            let pem = try json.string("vcekCert") + json.string("certificateChain")
            #expect(try Certificate.parse(pemOrDER: Array(pem.utf8), maximumCount: 3) == chip.chain)
            #expect(pem.hasSuffix("\n"))
            #expect(try await cloud.metadata("/metadata/THIM/amd/certification", headers: []).status == 400)
        }
    }

    @Test("AMD's service knows the chip at its TCB and nothing else") func keyDistribution() async throws {
        let chip = try #require(Guest.chip)
        let tcb = chip.tcb.components(for: .milan)
        let levels =
            "blSPL=\(try #require(tcb.bootloader))&teeSPL=\(try #require(tcb.tee))&snpSPL=0\(try #require(tcb.snp))"
            + "&ucodeSPL=\(try #require(tcb.microcode))"
        let chipID = Hex.encode(chip.chipID)
        try await Cloud.run(Self.serve) { cloud in
            let leaf = try await cloud.send(.get, "kdsintf.amd.com", "/vcek/v1/Milan/\(chipID)?\(levels)")
            #expect(leaf.status == 200)
            #expect(try Certificate(der: leaf.response.body) == chip.chain[0])
            let chain = try await cloud.send(.get, "kdsintf.amd.com", "/vcek/v1/Milan/cert_chain")
            #expect(try Certificate.parse(pemOrDER: chain.response.body, maximumCount: 3) == Array(chip.chain.dropFirst()))
            for path in [
                "/vcek/v1/Genoa/cert_chain", "/vlek/v1/Milan/cert_chain", "/vcek/v1/Milan/\(chipID)",
                "/vcek/v1/Milan/\(chipID)?blSPL=0&teeSPL=0&snpSPL=0&ucodeSPL=0",
                "/vcek/v1/Milan/\(String(repeating: "0", count: 128))?\(levels)", "/vcek/v1/Milan/x?\(levels)", "/",
            ] { #expect(try await cloud.send(.get, "kdsintf.amd.com", path).status == 404, "\(path)") }
        }
    }

    @Test("the certificate cache answers with the whole chain") func certificateCache() async throws {
        let chip = try #require(Guest.chip)
        let tcb = String(chip.tcb.raw, radix: 16)
        let path = "/SevSnpVM/certificates/\(Hex.encode(chip.chipID))/\(tcb)"
        try await Cloud.run(Self.serve) { cloud in
            let host = "global.acccache.azure.net"
            let version = "?api-version=2020-10-15-preview&clientId=ConfidentialACI"
            let answer = try await cloud.send(.get, host, path + version)
            #expect(answer.status == 200)
            #expect(try Certificate.parse(pemOrDER: answer.response.body, maximumCount: 3) == chip.chain)
            #expect(try await cloud.send(.get, host, path).status == 400)
            #expect(try await cloud.send(.get, host, path + "0" + version).status == 404)
        }
    }

    @Test("without a chain there is nothing to serve") func none() async throws {
        try await Cloud.run { cloud in
            let thim = try await cloud.metadata("/metadata/THIM/amd/certification")
            #expect(thim.status == 404)
            #expect(try await cloud.send(.get, "kdsintf.amd.com", "/vcek/v1/Milan/cert_chain").status == 404)
            #expect(try await cloud.send(.get, "global.acccache.azure.net", "/SevSnpVM/certificates/00/00").status == 404)
        }
    }
}
