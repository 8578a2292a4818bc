import COpenSSL
import CVectorRegisters
import Foundation

/// The writable memory of another process, as root's debugger sees it.
struct ProcessMemory {
    static let isReadable = geteuid() == 0

    struct Region {
        let name: String
        let bytes: Data
        /// Whether a core file would hold it: without MADV_DONTDUMP ("dd").
        let isDumped: Bool
    }

    let regions: [Region]

    init(_ process: Int32) throws {
        let maps = try Self.content(of: "/proc/\(process)/smaps")
        let memory = open("/proc/\(process)/mem", O_RDONLY | O_CLOEXEC)
        guard memory >= 0 else { throw POSIXError(.EACCES) }
        defer { close(memory) }
        var regions: [Region] = []
        var header: [Substring] = []
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            // Each region has a line of addresses and permissions first and one of flags last.
            if words.count >= 5, words[0].contains("-") { header = words }
            guard words.first == "VmFlags:", header.count >= 5, header[1].hasPrefix("rw") else { continue }
            let bounds = header[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard bounds.count == 2 else { continue }
            var bytes = Data(count: Int(bounds[1] - bounds[0]))
            // What was unmapped meanwhile stays zero.
            let count = bytes.withUnsafeMutableBytes { pread(memory, $0.baseAddress, $0.count, off_t(bounds[0])) }
            let name = header.count > 5 ? String(header[5]) : "anonymous"
            guard count > 0 else { continue }
            for range in Self.used(bytes.prefix(count)) {
                let place = "\(name) \(String(bounds[0] + UInt64(range.lowerBound), radix: 16))"
                regions.append(Region(name: place, bytes: bytes.subdata(in: range), isDumped: !words.contains("dd")))
            }
        }
        self.regions = regions
    }

    /// The whole text of a file of the kernel's, which comes in pieces: Foundation takes the first one for all there is.
    private static func content(of path: String) throws -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw POSIXError(.EACCES) }
        defer { close(file) }
        var text = Data()
        var piece = Data(count: 1 << 16)
        while true {
            let count = piece.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            guard count > 0 else { return String(decoding: text, as: UTF8.self) }
            text += piece.prefix(count)
        }
    }

    /// Runs of pages that are not zero: most of what a process maps was never touched.
    private static func used(_ bytes: Data) -> [Range<Int>] {
        let size = 4096
        let zeros = Data(count: size)
        return bytes.withUnsafeBytes { bytes in
            zeros.withUnsafeBytes { zeros in
                var runs: [Range<Int>] = []
                for start in stride(from: 0, to: bytes.count, by: size) {
                    let end = min(start + size, bytes.count)
                    if memcmp(bytes.baseAddress! + start, zeros.baseAddress!, end - start) == 0 { continue }
                    if runs.last?.upperBound == start {
                        runs[runs.count - 1] = runs[runs.count - 1].lowerBound..<end
                    } else {
                        runs.append(start..<end)
                    }
                }
                return runs
            }
        }
    }

    /// Where `needle` lies, one entry for each place.
    func places(of needle: Data, onlyDumped: Bool = false) -> [String] {
        regions.filter { $0.isDumped || !onlyDumped }.flatMap { region -> [String] in
            region.bytes.withUnsafeBytes { bytes in
                needle.withUnsafeBytes { needle in
                    var places: [String] = []
                    var start = 0
                    while true {
                        let found = broker_test_find(bytes.baseAddress! + start, bytes.count - start, needle.baseAddress!, needle.count)
                        guard found >= 0 else { return places }
                        places.append("\(region.name)+\(start + found)")
                        start += found + 1
                    }
                }
            }
        }
    }

    /// The numbers of half the length of `modulus` that divide it: its primes, wherever they lie.
    func primes(of modulus: Data) -> [String] {
        modulus.withUnsafeBytes { modulus in
            let context = BN_CTX_new()
            let n = BN_bin2bn(modulus.bindMemory(to: UInt8.self).baseAddress, Int32(modulus.count), nil)
            let candidate = BN_new()
            let rest = BN_new()
            defer {
                BN_CTX_free(context)
                for number in [n, candidate, rest] { BN_free(number) }
            }
            let size = modulus.count / 2
            return regions.flatMap { region -> [String] in
                region.bytes.withUnsafeBytes { bytes in
                    stride(from: 0, to: bytes.count - size, by: 8).filter { offset in
                        // OpenSSL keeps numbers least significant byte first; a prime of a key is odd and its two highest bits are set.
                        guard bytes[offset] & 1 == 1, bytes[offset + size - 1] >= 0xC0 else { return false }
                        BN_lebin2bn(bytes.baseAddress! + offset, Int32(size), candidate)
                        return BN_div(nil, rest, n, candidate, context) == 1 && BN_is_zero(rest) == 1
                    }.map { "\(region.name)+\($0)" }
                }
            }
        }
    }

    /// Parts of compact tokens (JWT): what begins like a JSON object in Base64.
    func tokenPayloads() -> [[String: Any]] {
        regions.flatMap { region -> [[String: Any]] in
            let pieces = region.bytes.split { byte in
                !(byte >= 0x30 && byte < 0x3A || byte >= 0x41 && byte < 0x5B || byte >= 0x61 && byte < 0x7B || byte == 0x2D || byte == 0x5F)
            }
            return pieces.filter { $0.count > 200 && $0.starts(with: Data("eyJ".utf8)) }.compactMap { piece in
                let text = String(decoding: piece, as: UTF8.self).replacing("-", with: "+").replacing("_", with: "/")
                let data = Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)) ?? Data()
                return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
            }
        }
    }
}
