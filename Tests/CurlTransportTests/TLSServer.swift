import Glibc

/// A TLS server on 127.0.0.1 in a child process (Python's ssl module). It answers every request with the number of the connection and the request's
/// head, says in `X-Session` whether the TLS session is `new` or `resumed`, and ends the connection after a request for `/close`.
/// The child ends with its standard input, so that it cannot outlive the test.
final class TLSServer: Sendable {
    let port: Int
    private let process: pid_t
    private let standardInput: Int32

    enum Failure: Error {
        case cannotStart(Int32)
        case saysNothing
    }

    /// Whether there is a Python to run it, and the tool that names files for hashed directories.
    static let isAvailable = system("python3 -c 'import ssl' > /dev/null 2>&1 && openssl version > /dev/null 2>&1") == 0

    /// `maximumVersion` as Python names it: `TLSv1_1`, `TLSv1_3`; `protocols` for ALPN, separated by commas.
    init(certificateFile: String, keyFile: String, maximumVersion: String, protocols: String) throws {
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard pipe(&input) == 0, pipe(&output) == 0 else { throw Failure.cannotStart(errno) }
        for descriptor in input + output { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, input[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let words = ["python3", "-c", Self.script, certificateFile, keyFile, maximumVersion, protocols]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawnp(&process, "python3", &actions, nil, &arguments, environ)
        close(input[0])
        close(output[1])
        guard code == 0 else { throw Failure.cannotStart(code) }
        self.process = process
        standardInput = input[1]
        var line = ""
        var byte: UInt8 = 0
        while read(output[0], &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.unicodeScalars.append(.init(byte)) }
        close(output[0])
        guard let port = Int(line) else { throw Failure.saysNothing }
        self.port = port
    }

    func stop() {
        close(standardInput)
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }

    private static let script = """
        import os, socket, ssl, struct, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion[sys.argv[3]]
        if sys.argv[3] in ('TLSv1', 'TLSv1_1'):
            context.set_ciphers('ALL:@SECLEVEL=0')
        context.set_alpn_protocols(sys.argv[4].split(','))
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        listener = socket.create_server(('127.0.0.1', 0), backlog=256)
        def exactly(connection, count):
            data = b''
            while len(data) < count:
                piece = connection.recv(count - len(data))
                if not piece:
                    raise OSError('end')
                data += piece
            return data
        def frame(kind, flags, stream, payload):
            return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload
        def serve_http2(connection, number):
            # RFC 9113: SETTINGS are 4, HEADERS 1, DATA 0; 0x88 is ':status: 200' in HPACK's static table.
            exactly(connection, 24)
            connection.sendall(frame(4, 0, 0, b''))
            while True:
                head = exactly(connection, 9)
                exactly(connection, int.from_bytes(head[:3], 'big'))
                kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], 'big')
                if kind == 4 and flags & 1 == 0:
                    connection.sendall(frame(4, 1, 0, b''))
                if kind == 1:
                    connection.sendall(frame(1, 4, stream, b'\\x88') + frame(0, 1, stream, b'%d over h2' % number))
        def serve(raw, number):
            try:
                with context.wrap_socket(raw, server_side=True) as connection:
                    if connection.selected_alpn_protocol() == 'h2':
                        return serve_http2(connection, number)
                    data = b''
                    while True:
                        while b'\\r\\n\\r\\n' not in data:
                            piece = connection.recv(65536)
                            if not piece:
                                return
                            data += piece
                        head, data = data.split(b'\\r\\n\\r\\n', 1)
                        body = b'%d\\n' % number + head
                        session = b'resumed' if connection.session_reused else b'new'
                        ends = head.startswith(b'GET /close')
                        connection.sendall(b'HTTP/1.1 200 OK\\r\\nX-Session: ' + session
                            + (b'\\r\\nConnection: close' if ends else b'')
                            + b'\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body) + body)
                        if ends:
                            return
            except OSError:
                pass
        def accept():
            number = 0
            while True:
                raw, _ = listener.accept()
                number += 1
                threading.Thread(target=serve, args=(raw, number), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        print(listener.getsockname()[1], flush=True)
        sys.stdin.read()
        os._exit(0)
        """
}
