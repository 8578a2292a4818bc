/// Who asks the broker, as far as the kernel or a checked credential says; never what a request says about itself.
///
/// Whatever front end took the request makes one, once for each connection, and everything that depends on the caller reads it here: rules,
/// limits, log, audit.
package struct Caller: Sendable, Hashable, CustomStringConvertible {
    /// The way on which the request came.
    package enum Way: String, Sendable, CaseIterable {
        /// Nobody asked from outside: start-up, a diagnosis, a command.
        case broker
        /// A Unix socket, whose peer the kernel names.
        case unix
        case tcp
    }

    package var way: Way
    /// User and group of the process that connected, when it did (unix(7), SO_PEERCRED).
    package var uid: UInt32?
    package var gid: UInt32?
    package var pid: Int32?
    /// Path of the program that this process ran when it connected, and its control group; `nil` where they could not be read.
    package var executable: String?
    package var cgroup: String?
    /// The peer's IP address.
    package var address: String?
    /// Subject of the client certificate, which was verified (RFC 4514).
    package var subject: String?
    /// Name of the bearer token that the request carried, which was compared.
    package var bearer: String?

    package init(_ way: Way) { self.way = way }

    package static let broker = Caller(.broker)

    /// What is shared out among callers is shared out by this: processes of one user are one caller, and so are connections from one
    /// address.
    package var share: String {
        if let bearer { return "bearer:\(bearer)" }
        if let subject { return "subject:\(subject)" }
        if let uid { return "uid:\(uid)" }
        return address.map { "address:\($0)" } ?? way.rawValue
    }

    /// For people: `uid 1000, pid 4242, /usr/bin/app`.
    package var description: String {
        let parts = [
            bearer.map { "bearer \($0)" }, subject.map { "subject \($0)" }, uid.map { "uid \($0)" }, gid.map { "gid \($0)" },
            pid.map { "pid \($0)" }, executable, address,
        ]
        let known = parts.compactMap(\.self)
        return known.isEmpty ? way.rawValue : known.joined(separator: ", ")
    }
}
