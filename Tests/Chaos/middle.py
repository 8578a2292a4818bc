"""What stands between the broker and the simulators: it ends TLS with a certificate of its own, so that it can also lie.

Without a fault each request goes on as it came. A fault is (kind, route, share of the requests, parameters); the kinds are the methods `fault_…`.
"""

import http.client
import json
import random
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

ROUTES = ("maa.attest", "maa.certificates", "keys.release", "keys.get", "imds.token", "other")
HOP = {"connection", "content-length", "transfer-encoding", "keep-alive", "host"}
LONGEST = 8 << 20


def route_of(method, path):
    bare = path.split("?", 1)[0]
    if bare.startswith("/attest/"):
        return "maa.attest"
    if bare == "/certs":
        return "maa.certificates"
    if bare.endswith("/release"):
        return "keys.release"
    if method == "GET" and bare.startswith("/keys/"):
        return "keys.get"
    if bare.startswith("/metadata/identity"):
        return "imds.token"
    return "other"


def make_authority(directory, hosts):
    """An authority of this run and a certificate for these names; returns the paths of authority, certificate and key."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=directory)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "middle-ca.key", "-out", "middle-ca.pem",
            "-days", "30", "-subj", "/CN=chaos authority")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "middle.key", "-out", "middle.csr", "-subj", "/CN=chaos")
    with open(f"{directory}/middle.ext", "w") as file:
        file.write("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=" + ",".join(f"DNS:{host}" for host in hosts) + "\n")
    openssl("x509", "-req", "-in", "middle.csr", "-CA", "middle-ca.pem", "-CAkey", "middle-ca.key", "-CAcreateserial", "-days", "20",
            "-extfile", "middle.ext", "-out", "middle.pem")
    # A key that signs no token: what a wrong list of an authority's keys has in the place of the right ones.
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "foreign.key", "-out", "foreign.pem", "-days", "30", "-subj", "/CN=nobody")
    return f"{directory}/middle-ca.pem", f"{directory}/middle.pem", f"{directory}/middle.key"


class Upstream(http.client.HTTPSConnection):
    """A connection to a simulator under its Azure name."""

    def __init__(self, name, port, context):
        super().__init__(name, port, timeout=30, context=context)
        self.tls = context

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self.tls.wrap_socket(plain, server_hostname=self.host) if self.tls else plain


class Gone(Exception):
    """The peer is gone, or this side left on purpose."""


class Middle:
    def __init__(self, certificate, key, authority, simulators, seed, foreign):
        """`simulators` is (TLS port, metadata port)."""
        self.simulators = simulators
        self.random = random.Random(seed)
        self.foreign = foreign
        self.lock = threading.Lock()
        self.active, self.counts, self.seen = {}, {}, 0
        # Answers of before, by route, to be sent again in the wrong place; for `replay` and `swap`.
        self.earlier = {}
        # For each key that may be released another one that may too.
        self.others = {}
        self.server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_context.load_cert_chain(certificate, key)
        self.client_context = ssl.create_default_context(cafile=authority)
        self.listeners, self.ports, self.open, self.down = [], [], set(), False
        for plain in (False, True):
            listener = self.listen(0)
            self.listeners.append(listener)
            self.ports.append(listener.getsockname()[1])
            self.accept(listener, plain)

    @staticmethod
    def listen(port):
        return socket.create_server(("127.0.0.1", port), backlog=256)

    def listen_again(self, port):
        """The port was free for a while: somebody's outgoing connection may have it for a moment."""
        for attempt in range(100):
            try:
                return self.listen(port)
            except OSError:
                time.sleep(0.05)
        return self.listen(port)

    def accept(self, listener, plain):
        def run():
            while True:
                try:
                    peer = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=self.serve, args=(peer, plain), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()

    # Faults.

    def begin(self, kind, route, share=1.0, **parameters):
        fault = (kind, route, share, parameters)
        with self.lock:
            self.active[id(fault)] = fault
        return fault

    def end(self, fault):
        with self.lock:
            self.active.pop(id(fault), None)

    def pick(self, route):
        with self.lock:
            self.seen += 1
            for kind, wanted, share, parameters in self.active.values():
                if wanted in (route, "*") and self.random.random() < share:
                    self.counts[kind] = self.counts.get(kind, 0) + 1
                    return kind, parameters
        return None, {}

    def refuse(self, down):
        """Nobody listens any more, and open connections are cut; or the same ports again."""
        with self.lock:
            if down == self.down:
                return
            self.down = down
            peers = list(self.open)
        if down:
            for listener in self.listeners:
                # close() alone would leave the thread that accepts asleep, and the port taken.
                listener.shutdown(socket.SHUT_RDWR)
                listener.close()
            for peer in peers:
                self.cut(peer)
        else:
            self.listeners = [self.listen_again(port) for port in self.ports]
            for listener, plain in zip(self.listeners, (False, True)):
                self.accept(listener, plain)

    # Serving.

    @staticmethod
    def cut(peer):
        """Ends a connection with a reset."""
        try:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # The thread that reads it wakes up, and closes it.
            socket.socket.shutdown(peer, socket.SHUT_RD)
        except OSError:
            pass

    def serve(self, peer, plain):
        raw, upstreams, file = peer, {}, None
        try:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.settimeout(120)
            if not plain:
                peer = self.server_context.wrap_socket(peer, server_side=True)
            with self.lock:
                self.open.add(peer)
                if self.down:
                    raise Gone
            file = peer.makefile("rb")
            while True:
                self.exchange(peer, file, plain, upstreams)
        except (OSError, Gone, ValueError, http.client.HTTPException):
            pass
        finally:
            with self.lock:
                self.open.discard(peer)
            for upstream in upstreams.values():
                upstream.close()
            for end in filter(None, (file, peer, raw)):
                try:
                    end.close()
                except OSError:
                    pass

    def exchange(self, peer, file, plain, upstreams):
        line = file.readline(65536)
        if not line:
            raise Gone
        method, path, _ = line.decode("latin-1").split()
        headers = []
        while True:
            text = file.readline(65536).decode("latin-1").rstrip("\r\n")
            if not text:
                break
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        fields = {name.lower(): value for name, value in headers}
        if fields.get("expect", "").lower() == "100-continue":
            peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(fields.get("content-length", 0))
        if length > LONGEST:
            raise Gone
        body = file.read(length) if length else b""
        request = Request(method, path, fields["host"].split(":")[0], [pair for pair in headers if pair[0].lower() not in HOP], body, plain)
        route = route_of(method, path)
        kind, parameters = self.pick(route)
        answer = getattr(self, "fault_" + kind.replace("-", "_"))(peer, request, upstreams, **parameters) if kind else None
        if answer is None:
            answer = self.forward(request, upstreams)
            if route in ("keys.release", "maa.attest") and answer.status == 200:
                self.keep(route, request, answer)
        peer.sendall(answer.bytes())

    def keep(self, route, request, answer):
        with self.lock:
            held = self.earlier.setdefault((route, request.host, request.name()), [])
            held.append(answer)
            if len(held) > 16:
                del held[0]

    def forward(self, request, upstreams):
        port = self.simulators[1 if request.plain else 0]
        for attempt in (0, 1):
            upstream = upstreams.get((request.host, request.plain))
            fresh = upstream is None
            if fresh:
                upstream = Upstream(request.host, port, None if request.plain else self.client_context)
                upstreams[request.host, request.plain] = upstream
            try:
                upstream.request(request.method, request.path, request.body or None, dict(request.headers) | {"Host": request.host})
                answer = upstream.getresponse()
                return Reply(answer.status, answer.getheaders(), answer.read())
            except (OSError, http.client.HTTPException):
                upstream.close()
                upstreams.pop((request.host, request.plain), None)
                if fresh or attempt:
                    raise

    def fault_latency(self, peer, request, upstreams, seconds):
        time.sleep(seconds)

    def fault_hang(self, peer, request, upstreams, seconds):
        time.sleep(seconds)
        raise Gone

    def fault_reset(self, peer, request, upstreams):
        self.cut(peer)
        raise Gone

    def fault_late_reset(self, peer, request, upstreams):
        """The service has done what it was asked for, and half of the answer arrives."""
        content = self.forward(request, upstreams).bytes()
        peer.sendall(content[: len(content) // 2])
        self.cut(peer)
        raise Gone

    def fault_cut_off(self, peer, request, upstreams):
        """Less than the length that was announced, and an orderly end."""
        content = self.forward(request, upstreams).bytes()
        peer.sendall(content[: -max(1, len(content) // 4)])
        raise Gone

    def fault_truncate(self, peer, request, upstreams):
        """Less, with a length to match."""
        answer = self.forward(request, upstreams)
        answer.body = answer.body[: len(answer.body) // 2]
        return answer

    def fault_flip_bit(self, peer, request, upstreams):
        answer = self.forward(request, upstreams)
        if answer.body:
            place = len(answer.body) * 2 // 3
            answer.body = answer.body[:place] + bytes([answer.body[place] ^ 1]) + answer.body[place + 1 :]
        return answer

    def fault_status(self, peer, request, upstreams, status):
        headers = [("Content-Type", "application/json")] + ([("Retry-After", "1")] if status == 429 else [])
        return Reply(status, headers, json.dumps({"error": {"code": "Chaos", "message": "on purpose"}}).encode())

    def fault_garbage(self, peer, request, upstreams):
        with self.lock:
            noise = self.random.randbytes(512)
        return Reply(200, [("Content-Type", "application/json")], noise)

    def fault_other_key(self, peer, request, upstreams):
        """The store's own, rightly signed answer for another key."""
        other = self.others.get((request.host, request.name()))
        if other is None:
            return None
        changed = request.path.replace(f"/keys/{request.name()}", f"/keys/{other}", 1)
        changed = re.sub(rf"(/keys/{re.escape(other)})/[0-9a-f]{{32}}", r"\1", changed)
        return self.forward(Request(request.method, changed, request.host, request.headers, request.body, request.plain), upstreams)

    def fault_replay(self, peer, request, upstreams):
        """An answer of before for the same key or the same authority: another nonce or wrapping key."""
        with self.lock:
            held = self.earlier.get((route_of(request.method, request.path), request.host, request.name()))
            return self.random.choice(held) if held else None

    def fault_wrong_keys(self, peer, request, upstreams):
        """The authority's names of keys, and keys that signed nothing."""
        answer = self.forward(request, upstreams)
        document = json.loads(answer.body)
        for key in document["keys"]:
            key["x5c"] = [self.foreign]
        answer.body = json.dumps(document).encode()
        return answer

    def fault_other_names(self, peer, request, upstreams):
        """Keys under names that no token has."""
        answer = self.forward(request, upstreams)
        document = json.loads(answer.body)
        for key in document["keys"]:
            key["kid"] = "rotated-" + key["kid"][:20]
        answer.body = json.dumps(document).encode()
        return answer

    def fault_no_keys(self, peer, request, upstreams):
        return Reply(200, [("Content-Type", "application/json")], b'{"keys":[]}')


class Request:
    def __init__(self, method, path, host, headers, body, plain):
        self.method, self.path, self.host, self.headers, self.body, self.plain = method, path, host, headers, body, plain

    def name(self):
        """The key that it is about."""
        match = re.match(r"/keys/([^/?]+)", self.path)
        return match.group(1) if match else ""


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def bytes(self):
        lines = [f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() not in HOP]
        return "\r\n".join(lines + [f"Content-Length: {len(self.body)}", "", ""]).encode("latin-1") + self.body
