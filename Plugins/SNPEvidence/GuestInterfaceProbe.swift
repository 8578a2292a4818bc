internal import Glibc

/// A way in which Linux lets a guest ask its SNP firmware for a report, most general first.
enum GuestInterface: String, Sendable, CaseIterable {
    /// Kernel 6.7 and later (Documentation/ABI/testing/configfs-tsm-report).
    case configfsTSM = "configfs-tsm"
    /// Kernel 5.19 and later (Documentation/virt/coco/sev-guest.rst).
    case sevGuest = "sev-guest"
    /// Azure's 5.15 guest kernels. On a host the same name is another device, so that its presence alone does not prove a guest.
    case sevLegacy = "sev-legacy"

    var path: String {
        switch self {
        case .configfsTSM: "/sys/kernel/config/tsm/report"
        case .sevGuest: "/dev/sev-guest"
        case .sevLegacy: "/dev/sev"
        }
    }

    /// What stands at `path` when the interface is there.
    var isDirectory: Bool { self == .configfsTSM }
}

/// Looks for guest interfaces in the file system, without opening any.
struct GuestInterfaceProbe: Sendable {
    enum Finding: Sendable, Equatable {
        case present
        case absent
        /// Something else has the name: a directory, a plain file.
        case somethingElse
        /// `stat` failed for another reason than absence.
        case failed(errno: Int32)
    }

    /// In front of every path; empty but for tests.
    var root = ""

    func find(_ interface: GuestInterface) -> Finding {
        var status = stat()
        guard stat(root + interface.path, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? .absent : .failed(errno: errno)
        }
        return status.st_mode & S_IFMT == (interface.isDirectory ? S_IFDIR : S_IFCHR) ? .present : .somethingElse
    }
}
