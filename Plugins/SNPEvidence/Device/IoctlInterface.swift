internal import CSNPDevice
internal import Glibc

/// One request over `/dev/sev-guest` or the older `/dev/sev`. The device is open for that long and no longer.
struct IoctlInterface {
    let path: String
    let vmpl: UInt32
    let wantsCertificates: Bool

    func modern(_ reportData: [UInt8]) throws(DeviceFailure) -> DeviceReport {
        let device = try Device(path)
        var response = [UInt8](repeating: 0, count: Int(BROKER_REPORT_RESPONSE_SIZE))
        var exitInfo: UInt64 = 0
        var table: [UInt8] = []
        var code: Int32
        if wantsCertificates {
            // The most that the kernel allows; a host that has more to give says so with INVALID_LEN, and then there are none.
            var size = UInt32(BROKER_CERTIFICATES_MAX_SIZE)
            table = [UInt8](repeating: 0, count: Int(size))
            code = broker_snp_get_extended_report(device.descriptor, reportData, vmpl, &response, &table, &size, &exitInfo)
            let isTooSmall = code == EIO && UInt32(truncatingIfNeeded: exitInfo >> 32) == DeviceFailure.VMMCode.invalidLength
            // Kernels and hosts without the extended request, and tables beyond the kernel's limit, still give the report itself.
            if isTooSmall || code == EINVAL || code == ENOTTY {
                table = []
                code = broker_snp_get_report(device.descriptor, reportData, vmpl, &response, &exitInfo)
            } else if table.allSatisfy({ $0 == 0 }) {
                table = []
            }
        } else {
            code = broker_snp_get_report(device.descriptor, reportData, vmpl, &response, &exitInfo)
        }
        guard code == 0 else { throw DeviceFailure(errno: code, exitInfo: exitInfo, path: path) }
        return DeviceReport(report: try ReportResponse.report(in: response, path: path), certificateTable: table, interface: .sevGuest)
    }

    func legacy(_ reportData: [UInt8]) throws(DeviceFailure) -> DeviceReport {
        let device = try Device(path)
        var response = [UInt8](repeating: 0, count: Int(BROKER_LEGACY_RESPONSE_SIZE))
        var firmware: UInt32 = 0
        let code = broker_snp_legacy_report(device.descriptor, reportData, vmpl, &response, &firmware)
        guard code == 0 else { throw DeviceFailure(errno: code, exitInfo: UInt64(firmware), path: path) }
        return DeviceReport(report: try ReportResponse.report(in: response, path: path), certificateTable: [], interface: .sevLegacy)
    }

    /// An open device, closed when it goes out of scope.
    private struct Device: ~Copyable {
        let descriptor: Int32

        init(_ path: String) throws(DeviceFailure) {
            descriptor = open(path, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else {
                let code = errno
                throw code == ENOENT || code == ENODEV || code == ENXIO
                    ? DeviceFailure(.permanent, "\(path): \(String(cString: strerror(code))); is the kernel module sev-guest loaded?")
                    : DeviceFailure(errno: code, exitInfo: 0, path: path)
            }
        }

        deinit { close(descriptor) }
    }
}
