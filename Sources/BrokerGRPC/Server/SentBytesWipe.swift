internal import NIOCore
internal import SecureMemory

/// Overwrites what a connection has sent: among it are layer keys, which the transport has copied into its frames.
final class SentBytesWipe: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(let buffer) = unwrapOutboundIn(data), buffer.readableBytes > 0 else {
            context.write(data, promise: promise)
            return
        }
        let sent = promise ?? context.eventLoop.makePromise()
        // Sent or not, nobody reads it any more: whoever reuses the buffer finds it shared, and takes another.
        sent.futureResult.whenComplete { _ in buffer.overwrite() }
        context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: sent)
    }
}

extension ByteBuffer {
    /// Overwrites the readable bytes in place, also where copies of this buffer share them.
    fileprivate func overwrite() {
        // The storage is heap memory of this process; only the API in front of it is read-only.
        withUnsafeReadableBytes { wipe(UnsafeMutableRawBufferPointer(mutating: $0)) }
    }
}
