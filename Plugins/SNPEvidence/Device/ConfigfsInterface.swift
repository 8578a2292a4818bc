internal import Glibc
internal import PlainText

/// One request over configfs-tsm (Documentation/ABI/testing/configfs-tsm-report; GuestDevice.md, "configfs-tsm").
///
/// Each request has an entry of its own with a random name, so that nobody shares it, and still watches `generation`: a report that
/// somebody else's write caused is not used.
struct ConfigfsInterface {
    let directory: String
    /// Written as `privlevel` where it is given; otherwise the kernel's default applies.
    let vmpl: UInt32?
    /// Makes the entry's name; replaceable for tests.
    var name: () -> String = { "attestation-broker-\(getpid())-" + String(UInt64.random(in: .min ... .max), radix: 16) }

    func report(_ reportData: [UInt8]) throws(DeviceFailure) -> DeviceReport {
        let entry = "\(directory)/\(name())"
        guard mkdir(entry, 0o700) == 0 else { throw failure(entry, errno) }
        defer { rmdir(entry) }

        let provider = String(decoding: try read("\(entry)/provider", limit: 64), as: UTF8.self)
        guard provider == "sev_guest\n" || provider == "sev_guest" else {
            throw DeviceFailure(
                .permanent, "\(directory) speaks for another platform than SEV-SNP (\(VisibleText.line(provider, limit: 40)))")
        }
        let before = try generation(entry)
        var writes: UInt64 = 1
        if let vmpl {
            try write(Array(String(vmpl).utf8), to: "\(entry)/privlevel")
            writes += 1
        }
        // Delivered when the descriptor is closed, and errors of that are lost: `generation` tells whether it arrived.
        try write(reportData, to: "\(entry)/inblob")
        let report = try read("\(entry)/outblob", limit: 32 * 1024)
        let table = try readAuxiliary("\(entry)/auxblob")
        let after = try generation(entry)
        guard after == before &+ writes else {
            throw DeviceFailure(
                .again, "\(entry): somebody else wrote to the request (generation went from \(before) to \(after), by \(writes) were ours)")
        }
        guard report.count == 1184 else { throw DeviceFailure(.malformed, "\(entry)/outblob has \(report.count) bytes instead of 1184") }
        return DeviceReport(report: report, certificateTable: table, interface: .configfsTSM)
    }

    private func generation(_ entry: String) throws(DeviceFailure) -> UInt64 {
        let text = String(decoding: try read("\(entry)/generation", limit: 32), as: UTF8.self)
        guard let number = UInt64(text.prefix { $0.isNumber }) else {
            throw DeviceFailure(.malformed, "\(entry)/generation is not a number")
        }
        return number
    }

    /// The certificate table; kernels and hosts may have none.
    private func readAuxiliary(_ path: String) throws(DeviceFailure) -> [UInt8] {
        guard access(path, F_OK) == 0 else { return [] }
        return try read(path, limit: 32 * 1024)
    }

    private func read(_ path: String, limit: Int) throws(DeviceFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        var content = [UInt8](repeating: 0, count: limit + 1)
        var used = 0
        while used < content.count {
            let count = content.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress?.advanced(by: used), $0.count - used) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path, errno)
            }
            if count == 0 { break }
            used += count
        }
        guard used <= limit else { throw DeviceFailure(.malformed, "\(path) is longer than \(limit) bytes") }
        return Array(content[..<used])
    }

    /// In one call: the attributes take nothing in parts.
    private func write(_ content: [UInt8], to path: String) throws(DeviceFailure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        let count = content.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        let code = errno
        let closed = close(descriptor)
        guard count == content.count else {
            throw count < 0 ? failure(path, code) : DeviceFailure(.malformed, "\(path) took \(count) of \(content.count) bytes")
        }
        guard closed == 0 else { throw failure(path, errno) }
    }

    private func failure(_ path: String, _ code: Int32) -> DeviceFailure {
        let words = "\(path): \(String(cString: strerror(code)))"
        switch code {
        case EINTR, EAGAIN, EBUSY, ETIMEDOUT: return DeviceFailure(.again, "\(words): the request collided or is throttled")
        case EACCES, EPERM: return DeviceFailure(.permission, "\(words): entries of configfs belong to root")
        case ENXIO:
            return DeviceFailure(
                .permanent, "\(words): no provider of reports is loaded; is this an SEV-SNP guest with the module sev-guest?")
        case ENOENT: return DeviceFailure(.permanent, "\(words): configfs is not mounted, or the module tsm is not loaded")
        case EINVAL: return DeviceFailure(.permanent, "\(words): the firmware refuses the parameters; is privlevel below privlevel_floor?")
        default: return DeviceFailure(.permanent, words)
        }
    }
}
