/// What one of OpenSSL's `d2i` functions makes of the beginning of `der`, and whether nothing follows. Where it makes nothing of it, the
/// reason is in the error queue.
func decodeDER(_ der: [UInt8], _ d2i: (inout UnsafePointer<UInt8>?, Int) -> OpaquePointer?) -> (object: OpaquePointer, isWhole: Bool)? {
    OpenSSLErrorQueue.clear()
    return der.withUnsafeBufferPointer { bytes in
        var cursor = bytes.baseAddress
        return d2i(&cursor, bytes.count).map { ($0, cursor == bytes.baseAddress.map { $0 + bytes.count }) }
    }
}
