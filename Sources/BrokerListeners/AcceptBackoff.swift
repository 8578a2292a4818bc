internal import Glibc
package import Logging
package import NIOCore

/// The first handler of a listening socket: rests when the system has no descriptor or memory for another connection.
///
/// SwiftNIO would try again at once, for as long as a connection waits, and the error would end the listener. What waits stays in the
/// system's queue.
package final class AcceptBackoff: ChannelInboundHandler {
    package typealias InboundIn = any Channel

    package static let rest = TimeAmount.milliseconds(100)
    /// Between two lines of the log.
    private static let quiet = TimeAmount.seconds(60)

    private let logger: Logger
    private var isResting = false
    private var nextNotice = NIODeadline.uptimeNanoseconds(0)

    package init(logger: Logger) { self.logger = logger }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (error as? IOError)?.errnoCode {
        case ECONNABORTED: break
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: if !isResting { pause(context, error) }
        default: context.fireErrorCaught(error)
        }
    }

    private func pause(_ context: ChannelHandlerContext, _ error: any Error) {
        isResting = true
        let now = context.eventLoop.now
        if now >= nextNotice {
            nextNotice = now + Self.quiet
            logger.warning("no connection can be accepted for want of descriptors or memory; trying again every 100 ms", error: error)
        }
        // The read that failed stays pending, so that only taking the socket out of the selector stops it.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.rest) {
            self.isResting = false
            try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
