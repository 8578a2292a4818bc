/// Host data that identifies nobody.
enum WellKnownHostData {
    /// No security policy at all: what confidential VMs carry.
    static let none = String(repeating: "0", count: 64)

    /// Values that recur over many unrelated captures, most likely of allow-all policies (SecurityContext.md, "Recurring host data").
    static let recurring = [
        "4f4448c67f3c8dfc8de8a5e37125d807dadcc41f06cf23f615dbd52eec777d10",
        "73973b78d70cc68353426de188db5dfc57e5b766e399935fb73a61127ea26d20",
    ]

    /// Why that host data pins nothing, `nil` where it may.
    static func complaint(about hostData: String) -> String? {
        if hostData == none { return "all zeros are the host data of every guest without a security policy" }
        if recurring.contains(hostData) {
            return "this host data was seen in many unrelated deployments; it is most likely an allow-all security policy"
        }
        return nil
    }
}
