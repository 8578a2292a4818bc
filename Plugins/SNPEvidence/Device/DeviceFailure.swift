internal import BrokerCore
internal import Glibc

/// Why an interface gave no report, sorted by what helps.
struct DeviceFailure: Error {
    enum Kind: Equatable {
        /// The same request may succeed after a while.
        case again
        /// This process may not use the device.
        case permission
        /// Nothing but another machine state helps: a restart, another kernel.
        case permanent
        /// The interface answered something that is no answer to the request.
        case malformed
    }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// What an ioctl's errno means (GuestDevice.md, "Errors"). `exitInfo` is exitinfo2 and counts on EIO only: some kernels leave it
    /// uninitialised otherwise.
    init(errno code: Int32, exitInfo: UInt64, path: String) {
        let words = "\(path): \(String(cString: strerror(code)))"
        switch code {
        case EINTR, EAGAIN, EBUSY, ETIMEDOUT: self.init(.again, "\(words): the host throttles requests to the firmware")
        case EACCES, EPERM:
            self.init(.permission, "\(words): give the container the device with read and write access, or run as its group or as root")
        case ENOTTY:
            self.init(
                .permanent,
                "\(words): the kernel has wiped the guest's key to the firmware after an error, and only a restart of the machine brings "
                    + "it back; or this device speaks another interface"
            )
        case EIO where UInt32(truncatingIfNeeded: exitInfo >> 32) == VMMCode.busy:
            self.init(.again, "\(words): the host is busy (VMM code 2)")
        case EIO: self.init(.permanent, "\(words): \(Self.words(exitInfo))")
        case EBADMSG, ENOSR:
            self.init(.permanent, "\(words): the answer of the firmware did not decrypt, and the kernel wipes the guest's key after that")
        case EINVAL:
            self.init(.permanent, "\(words): the kernel refuses the request; is the VMPL that was asked for below the guest's own?")
        default: self.init(.permanent, words)
        }
    }

    enum VMMCode {
        static let invalidLength: UInt32 = 1
        static let busy: UInt32 = 2
    }

    private static func words(_ exitInfo: UInt64) -> String {
        let firmware = UInt32(truncatingIfNeeded: exitInfo)
        let vmm = UInt32(truncatingIfNeeded: exitInfo >> 32)
        if vmm != 0 {
            let name = vmm == VMMCode.invalidLength ? "the certificate buffer is too small" : "unknown"
            return "the host refuses: VMM code \(vmm), \(name)"
        }
        return FirmwareCode.words(firmware)
    }

    /// The failure for the broker's caller.
    func brokerError(after attempts: Int) -> BrokerError {
        let tries = attempts > 1 ? " (tried \(attempts) times)" : ""
        return BrokerError(
            .evidenceUnavailable, at: .evidence, "no report from the firmware: \(message)\(tries)",
            retryAfter: kind == .again ? .seconds(2) : nil)
    }
}

/// Status codes of the SEV-SNP firmware ABI (AMD 56860, "Status Codes").
enum FirmwareCode {
    static func words(_ code: UInt32) -> String {
        // Newer kernels preset this where the firmware was not asked.
        if code == .max { return "the firmware was not called" }
        guard let name = names[code] else { return "firmware status \(code)" }
        return "firmware status \(code), \(name)"
    }

    private static let names: [UInt32: String] = [
        0: "success", 1: "invalid platform state", 2: "invalid guest state", 3: "invalid configuration", 4: "invalid length",
        5: "already owned", 6: "invalid certificate", 7: "policy failure", 8: "inactive", 9: "invalid address", 10: "bad signature",
        11: "bad measurement", 12: "ASID owned", 13: "invalid ASID", 14: "WBINVD required", 15: "DF_FLUSH required", 16: "invalid guest",
        17: "invalid command", 18: "active", 19: "hardware error, platform", 20: "hardware error, unsafe", 21: "unsupported",
        22: "invalid parameter", 23: "resource limit", 24: "secure data invalid", 25: "invalid page size", 26: "invalid page state",
        27: "invalid metadata entry", 28: "invalid page owner", 29: "AEAD overflow", 31: "exit ring buffer",
        32: "RMP initialisation required", 33: "bad SVN", 34: "bad version", 35: "shutdown required", 36: "update failed",
        37: "restore required", 38: "RMP initialisation failed", 39: "invalid key", 40: "shutdown incomplete",
        48: "incorrect buffer length", 49: "expand buffer", 50: "SPDM request", 51: "SPDM error",
    ]
}
