internal import Glibc
internal import NIOCore
internal import PlainText

/// Addresses as the event loop has them, which knows another `SocketAddress` than the transport.
enum NetworkAddress {
    /// The first address of a host, in figures.
    static func resolve(_ tcp: HostAndPort) -> String? {
        (try? SocketAddress.makeAddressResolvingHost(tcp.host, port: tcp.port))?.ipAddress
    }

    /// Why a socket could not be opened.
    static func reason(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }
}
