internal import Glibc

/// A way in which Linux lets a guest ask its SNP firmware for a report, most general first.
package enum GuestInterface: String, Sendable, CaseIterable {
    /// Kernel 6.7 and later (Documentation/ABI/testing/configfs-tsm-report).
    case configfsTSM = "configfs-tsm"
    /// Kernel 5.19 and later (Documentation/virt/coco/sev-guest.rst).
    case sevGuest = "sev-guest"
    /// Azure's 5.15 guest kernels. On a host the same name is another device, so that its presence alone does not prove a guest.
    case sevLegacy = "sev-legacy"

    /// What stands at the path when the interface is there.
    var isDirectory: Bool { self == .configfsTSM }
}

/// Where the interfaces are. Only tests have reason to say anything else.
package struct DevicePaths: Sendable {
    package var sevGuest = "/dev/sev-guest"
    package var sevLegacy = "/dev/sev"
    package var configfsTSM = "/sys/kernel/config/tsm/report"

    package init() {}

    package subscript(interface: GuestInterface) -> String {
        switch interface {
        case .configfsTSM: configfsTSM
        case .sevGuest: sevGuest
        case .sevLegacy: sevLegacy
        }
    }
}

/// Looks for guest interfaces in the file system, without asking the firmware.
package struct GuestInterfaceProbe: Sendable {
    package enum Finding: Sendable, Equatable {
        case present
        case absent
        /// Something else has the name: a directory, a plain file, another device.
        case somethingElse(String)
        /// It is there, and this process may not use it.
        case forbidden
        /// It could not be looked at for another reason than absence.
        case failed(String)
    }

    package let paths: DevicePaths

    package init(paths: DevicePaths = DevicePaths()) { self.paths = paths }

    package func find(_ interface: GuestInterface) -> Finding {
        let path = paths[interface]
        var status = stat()
        guard stat(path, &status) == 0 else {
            switch errno {
            case ENOENT, ENOTDIR: return .absent
            case EACCES, EPERM: return .forbidden
            default: return .failed(String(cString: strerror(errno)))
            }
        }
        guard status.st_mode & S_IFMT == (interface.isDirectory ? S_IFDIR : S_IFCHR) else {
            return .somethingElse("is not a \(interface.isDirectory ? "directory" : "character device")")
        }
        guard access(path, R_OK | W_OK) == 0 else { return .forbidden }
        if interface == .sevLegacy, let host = hostDevice(path) { return .somethingElse(host) }
        return .present
    }

    /// On a host `/dev/sev` belongs to the driver of the security processor, `ccp`, and a guest has no such driver. KVM on the same machine
    /// says so too.
    private func hostDevice(_ path: String) -> String? {
        guard path == DevicePaths().sevLegacy else { return nil }
        for sign in ["/sys/module/ccp/parameters/psp_init_on_probe", "/sys/module/kvm_amd/parameters/sev"] where access(sign, F_OK) == 0 {
            return "is the host's device, not a guest's (\(sign) is there)"
        }
        return nil
    }
}

extension GuestInterfaceProbe.Finding {
    /// The finding as the end of a sentence that begins with the path.
    package var words: String {
        switch self {
        case .present: "is there"
        case .absent: "is absent"
        case .somethingElse(let what): what
        case .forbidden: "may not be used by this process; give the container the device, or run as its group or as root"
        case .failed(let reason): reason
        }
    }
}
