#!/usr/bin/env python3
"""Many hostile connections against one broker, while other callers have keys released. See README.md.

    Tests/Chaos/hostile.py --broker .build/debug/attestation-broker [--seconds 15] [--only slow-loris,long-body,idle,idle-raised,mixed]

For each attack: the other callers' failures, their 99th percentile beside the quiet one of the same run, anonymous memory at most and afterwards, and
descriptors afterwards. Exit status 0: other callers were served throughout and p99 is at most three times the quiet one, memory grew by less than 10 MiB,
descriptors are what they were, and no hostile request was answered with a key or with an untyped error. 1: one of these does not hold. 2: nothing was examined.
"""

import argparse
import json
import multiprocessing
import os
import random
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chaos import Broken, Late, Wire, post, untyped  # noqa: E402
from world import HSM, Key, Unusable, World, anonymous, descriptors, policy, private_jwk, raise_limit, status  # noqa: E402

MEBIBYTE = 1 << 20
FACTOR, GROWTH = 3, 10 * MEBIBYTE


class Victim:
    """Callers in a process of their own, over each of the given addresses, one release after the other."""

    def __init__(self, addresses, keys):
        self.ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self.main, args=(theirs, addresses, keys), daemon=True)
        self.process.start()
        theirs.close()

    def measure(self, seconds):
        """Times of all releases in so many seconds, and what failed."""
        self.begin(seconds)
        return self.end()

    def begin(self, seconds):
        self.ours.send(seconds)

    def end(self):
        return self.ours.recv()

    def close(self):
        self.process.kill()
        self.process.join()

    @staticmethod
    def main(pipe, addresses, keys):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        wires = [None] * len(addresses)
        count = 0
        while True:
            try:
                seconds = pipe.recv()
            except EOFError:
                return
            times, failures, end = [], [], time.monotonic() + seconds
            while time.monotonic() < end:
                index, key = count % len(addresses), keys[count % len(keys)]
                count += 1
                start = time.monotonic()
                try:
                    if wires[index] is None:
                        wires[index] = Wire(addresses[index], 40)
                    wires[index].send(post("/key/release", json.dumps({"kid": key.name, "akv_endpoint": key.store}).encode(), f"victim-{count}"))
                    code, _, body = wires[index].answer()
                    wrong = f"{code} {body[:200]!r}" if code != 200 else key.differs(json.loads(body)["key"])
                except (Broken, Late, OSError) as error:
                    wires[index], wrong = None, f"{type(error).__name__}: {error}"
                times.append(time.monotonic() - start)
                if wrong:
                    failures.append(wrong)
            pipe.send((times, failures))


def p99(times):
    return sorted(times)[min(len(times) - 1, len(times) * 99 // 100)]


class Attack:
    """Runs in a process of its own until it is killed. What it finds wrong comes through the pipe."""

    def __init__(self, function, *arguments):
        self.ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=function, args=(theirs, *arguments), daemon=True)
        self.process.start()
        theirs.close()

    def wait(self, patience):
        """Until the attack says that it is at its height, or over; what it says."""
        if not self.ours.poll(patience):
            return "the attack is not at its height in time"
        return self.receive()

    def receive(self):
        try:
            return self.ours.recv()
        except EOFError:
            return f"the attack ended with {self.process.exitcode}"

    def close(self):
        self.process.terminate()
        self.process.join(10)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def connect(address):
    """Begins to connect, without waiting for it."""
    peer = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    peer.setblocking(False)
    try:
        peer.connect(address)
    except BlockingIOError:
        pass
    except OSError:
        peer.close()
        return None
    return peer


def slow_loris(pipe, address, count):
    """So many heads and bodies that come one byte at a time; whoever is shut out comes again."""
    raise_limit(count + 200)
    held, number, told = [], 0, False
    while True:
        while len(held) < count:
            peer = connect(address)
            if peer is None:
                break
            held.append([peer, number % 3 == 0, False])
            number += 1
        if not told and len(held) == count:
            told = True
            pipe.send(None)
        for entry in list(held):
            peer, with_body, begun = entry
            try:
                if begun:
                    peer.send(b"a")
                else:
                    peer.send(
                        b"POST /key/release HTTP/1.1\r\nHost: localhost\r\n" + (b"Content-Length: 100000\r\n\r\n" if with_body else b"X-Slow: "))
                    entry[2] = True
            except BlockingIOError:
                pass
            except OSError:
                held.remove(entry)
                peer.close()
        time.sleep(0.5)


def long_body(pipe, address, size):
    """One body of that size after the other, with its length or in chunks. The broker reads and forgets what follows its refusal, so that it arrives."""
    pipe.send(None)
    piece, kind = b"a" * 65536, 0
    while True:
        kind += 1
        head = [f"Content-Length: {size}", "Transfer-Encoding: chunked"][kind % 2]
        sent = 0
        try:
            wire = Wire(address, 10)
        except OSError:
            time.sleep(0.1)
            continue
        try:
            wire.socket.sendall(f"POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{head}\r\n\r\n".encode())
            while sent < size:
                wire.socket.sendall(piece if kind % 2 == 0 else b"10000\r\n" + piece + b"\r\n")
                sent += len(piece)
        except OSError:
            pass
        try:
            code, _, body = wire.answer()
            if code == 200 or untyped(code, body):
                pipe.send(f"a body of {size} bytes is answered with {code} {body[:200]!r}")
        except (Broken, Late):
            pass
        wire.close()
        time.sleep(0.01)


def idle(pipe, address, count, answered):
    """So many connections. With `answered` each asks once for the status, so that it is an ordinary caller that keeps its connection."""
    limit = raise_limit(count + 500)
    if limit < count + 100:
        pipe.send(f"skipped: only {limit} descriptors for {count} connections")
        return
    held, waiting = {}, select.epoll()
    for number in range(count):
        peer = connect(address)
        if peer is None:
            time.sleep(0.01)
            continue
        held[peer.fileno()] = peer
        waiting.register(peer, select.EPOLLOUT if answered else 0)
        if number % 256 == 255:
            ask_once(held, waiting, 0)
    end, last = time.monotonic() + 60, 0
    while answered and time.monotonic() < end:
        done = ask_once(held, waiting, 0.2)
        if done >= len(held):
            break
        last = done
    pipe.send(None if len(held) == count else f"only {len(held)} of {count} connections were begun ({last} answered)")
    while True:
        time.sleep(1)


ANSWERED = set()


def ask_once(held, waiting, patience):
    for number, event in waiting.poll(patience, 1024):
        peer = held[number]
        try:
            if event & select.EPOLLOUT:
                peer.send(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
                waiting.modify(number, select.EPOLLIN)
            elif event & select.EPOLLIN:
                if peer.recv(4096):
                    ANSWERED.add(number)
                waiting.unregister(number)
        except OSError:
            ANSWERED.add(number)
            waiting.unregister(number)
    return len(ANSWERED)


def hostile_request(pick):
    """One of many things that a caller should not send."""

    def release(body, *fields):
        lines = ["POST /key/release HTTP/1.1", "Host: localhost", *fields, f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + body

    name = "".join(pick.choice("abcdefghijklmnop") for _ in range(8))
    return pick.choice([
        lambda: pick.randbytes(pick.randint(1, 3000)),
        lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + pick.randbytes(500),
        lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + pick.randbytes(40),
        lambda: b"GET " + b"/a" * pick.randint(1, 20000) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        lambda: b"GET /status HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(pick.randint(100, 4000))) + b"\r\n",
        lambda: release(b"[" * pick.randint(10, 100000)),
        lambda: release(b'{"kid":"' + name.encode() + b'","kid":"oct-0"}'),
        lambda: release(json.dumps({"kid": name * pick.randint(1, 10000)}).encode()),
        lambda: release(json.dumps({"kid": "../" + name, "akv_endpoint": "127.0.0.1"}).encode()),
        lambda: release(json.dumps({"kid": name, "akv_endpoint": f"{name}.evil.example"}).encode()),
        lambda: release(json.dumps({"kid": "oct-0", "maa_endpoint": f"http://169.254.169.254/{name}"}).encode()),
        lambda: release(json.dumps({"kid": pick.choice([None, 1, True, [], {}, 1e308])}).encode()),
        lambda: release(b'{"kid":"' + pick.randbytes(20).replace(b'"', b"") + b'"}'),
        lambda: release(b'{"kid":"a\\u0000b"}'),
        lambda: release(pick.randbytes(pick.randint(0, 2000)), "Content-Type: application/json"),
        lambda: release(b"{}", "Content-Length: 3"),
        lambda: release(b"{}", "Transfer-Encoding: chunked"),
        lambda: release(b"{}", "Transfer-Encoding: gzip, chunked"),
        lambda: b"POST /key/release HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + pick.choice([b"-1", b"fffffffffffffffff", b"0x5", b"g"]) + b"\r\n",
        lambda: b"POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + pick.choice([b"-1", b"+5", b"99999999999999999999", b"0x10", b"1 2"]) + b"\r\n\r\n{}",
        lambda: release(b'{"kid":"oct-0"}', f"Origin: https://{name}.example"),
        lambda: release(b'{"kid":"oct-0"}', "Sec-Fetch-Site: cross-site"),
        lambda: release(b'{"kid":"oct-0"}', "Expect: 200-maybe"),
        lambda: release(b"{}", f"X-Request-Id: {name}\x01\x7f"),
        lambda: release(b"{}", "traceparent: 00-" + "f" * 500),
        lambda: b"POST /key/release HTTP/1.1\r\nHost: localhost\r\n folded: yes\r\n\r\n",
        lambda: b"POST /key/release HTTP/1.1\r\nHost : localhost\r\nContent-Length: 2\r\n\r\n{}",
        lambda: b"POST /key/release HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        lambda: b"POST /key/release HTTP/0.9\r\n\r\n",
        lambda: b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n",
        lambda: b"GET http://169.254.169.254/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n",
        lambda: pick.choice([b"DELETE", b"PUT", b"TRACE", b"OPTIONS", b"get"]) + b" /key/release HTTP/1.1\r\nHost: localhost\r\n\r\n",
        lambda: b"GET /status HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        lambda: b"".join(release(b"{") for _ in range(pick.randint(2, 200))),
        lambda: b"POST /attest/raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 26\r\n\r\n" + b'{"runtime_data":"!!!====="}'[:26],
        lambda: release(b'{"kid":"oct-0"}')[: pick.randint(1, 80)],
    ])()


def mixed(pipe, address, seed, count):
    """So many hostile requests on connections of their own, some cut off by the caller; and again from the start until it is killed."""
    pick, told = random.Random(seed), False
    while True:
        for _ in range(count):
            content, way = hostile_request(pick), pick.random()
            try:
                wire = Wire(address, 20)
            except OSError:
                time.sleep(0.01)
                continue
            try:
                wire.send(content)
                if way < 0.1:
                    continue
                if way < 0.9:
                    wire.socket.shutdown(socket.SHUT_WR)
                    while True:
                        code, _, body = wire.answer()
                        wrong = b'"key"' in body if code == 200 else code not in (404, 100) and untyped(code, body)
                        if wrong:
                            pipe.send(f"{content[:100]!r} is answered with {code} {body[:200]!r}")
            except Late as error:
                pipe.send(f"{content[:100]!r} is not answered: {error}")
            except (Broken, OSError, ValueError):
                pass
            finally:
                wire.close()
        if not told:
            told = True
            pipe.send(None)


class Trial:
    def __init__(self, options, work):
        self.options, self.missed = options, []
        self.world = World(
            options.broker, work, options.seed, device=bool(options.simulators), middle=False, simulators=options.simulators)
        jwks = [Key(f"oct-{number}", HSM, private_jwk("oct"), "admits", policy()) for number in range(2)]
        for key in jwks:
            self.world.import_key(key)
        self.keys = jwks
        self.say("attack".ljust(34) + "p99 quiet, attacked        failed     memory at most, after    descriptors")

    @staticmethod
    def say(text):
        print(text, flush=True)

    def serve(self, **settings):
        self.world.extra = {
            "BROKER_LOG_LEVEL": "error",
            "BROKER_RELEASE_SESSION_MAX_AGE": "1h",
            "BROKER_RELEASE_SESSION_MAX_USES": "1000000",
            "BROKER_AUDIT_FILE": self.world.audit,
        } | settings
        self.world.serve(files=20000 if self.options.connections > 3000 else 8192)

    def attack(self, name, function, arguments, addresses, attacked, settings, judged=True, patience=120):
        """`judged`: whether memory at its most counts, or only what is left of it."""
        options, pid = self.options, 0
        self.serve(**settings)
        pid = self.world.broker.pid
        victim = Victim(addresses, self.keys)
        peaks, watching = [0], threading.Event()

        def watch():
            while not watching.wait(0.1):
                try:
                    peaks[0] = max(peaks[0], anonymous(pid))
                except OSError:
                    return

        try:
            # Warm-up: connections, threads and buffers that stay, those of refused requests included.
            victim.measure(min(3, options.seconds))
            for number in range(40):
                try:
                    wire = Wire(attacked, 10)
                    wire.send(hostile_request(random.Random(number)))
                    wire.close()
                except (OSError, Late, Broken):
                    pass
            time.sleep(1)
            memory, opened = anonymous(pid), descriptors(pid)
            quiet, failed = victim.measure(options.seconds)
            threading.Thread(target=watch, daemon=True).start()
            attack = Attack(function, attacked, *arguments)
            try:
                # While the attack builds up others are served too.
                words, times, failures, end = None, [], [], time.monotonic() + patience
                while not attack.ours.poll(0) and time.monotonic() < end:
                    some, wrong = victim.measure(1)
                    times += some
                    failures += wrong
                words = attack.wait(1)
                if words and words.startswith("skipped"):
                    self.say(f"{name.ljust(34)}{words}")
                    return
                some, wrong = victim.measure(options.seconds)
                times += some
                failures += wrong
                said = [words] if words else []
                while attack.ours.poll(0):
                    text = attack.receive()
                    if text:
                        said.append(text)
            finally:
                attack.close()
            watching.set()
            # Once what the attack left behind is gone: until then it is not quiet.
            end = time.monotonic() + 20
            while time.monotonic() < end and (descriptors(pid) > opened + 8 or anonymous(pid) >= memory + GROWTH):
                time.sleep(0.25)
            again, failed_again = victim.measure(max(1, options.seconds / 2))
            calm, busy = p99(quiet + again), p99(times)
            growth, rest = peaks[0] - memory, anonymous(pid) - memory
            left = descriptors(pid)
            wrong = []
            if failed or failures or failed_again:
                wrong.append(f"not served: {(failures + failed + failed_again)[0]}")
            if busy > FACTOR * calm and not options.no_times:
                wrong.append(f"p99 {busy / calm:.1f} times the quiet one")
            if (growth if judged else rest) >= GROWTH:
                wrong.append("memory")
            # What victims and services keep open may differ by a few.
            if left > opened + 8:
                wrong.append("descriptors")
            if self.world.broker.poll() is not None:
                wrong.append("the broker ended")
            wrong += said[:3]
            self.missed += wrong
            self.say(
                f"{name.ljust(34)}{calm * 1e3:7.1f} ms {busy * 1e3:7.1f} ms ({busy / calm:.1f})  {len(failures)} of {len(times)}"
                f"   {growth / MEBIBYTE:+6.1f} MiB {rest / MEBIBYTE:+6.1f} MiB   {opened} -> {left}  {'; '.join(wrong) or 'ok'}")
        finally:
            watching.set()
            victim.close()
            if self.world.stop() != 0:
                self.missed.append("no orderly end")
                self.say(f"{name}: no orderly end")

    def run(self):
        options, world = self.options, self.world
        tcp, unix = ("127.0.0.1", world.port), world.unix
        chosen = lambda name: not options.only or name in options.only  # noqa: E731
        if chosen("slow-loris"):
            # The limit of connections is one listener's, so callers of the same listener need room beside the attack.
            self.attack(f"{options.loris} slow-loris", slow_loris, (options.loris,), [tcp, unix], tcp,
                        {"BROKER_SERVER_CONNECTION_LIMIT": str(options.loris + 100)})
        if chosen("long-body"):
            self.attack(f"bodies of {options.body} MiB", long_body, (options.body * MEBIBYTE,), [tcp, unix], tcp, {})
        if chosen("mixed"):
            self.attack(f"{options.requests} mixed hostile requests", mixed, (options.seed, options.requests), [tcp, unix], tcp, {}, patience=600)
        if chosen("idle"):
            self.attack(f"{options.connections} idle, default limit", idle, (options.connections, False), [unix], tcp, {})
        if chosen("idle-raised"):
            limit = {"BROKER_SERVER_CONNECTION_LIMIT": str(options.connections + 200), "BROKER_SERVER_IDLE_TIMEOUT": "10m"}
            self.attack(f"{options.connections} idle, raised limit", idle, (options.connections, True), [tcp, unix], tcp, limit, judged=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True, help="the program; it also runs the simulators")
    parser.add_argument("--simulators", help="another program for the simulators, where the first one is a build for production")
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-times", action="store_true", help="percentiles are printed and not judged: for a machine that has other things to do")
    parser.add_argument("--only", type=lambda text: set(text.split(",")), help="slow-loris, long-body, mixed, idle, idle-raised")
    parser.add_argument("--loris", type=int, default=500)
    parser.add_argument("--body", type=int, default=300, help="MiB")
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()
    # Whoever ends this program ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    raise_limit(options.connections + 5000)
    work = tempfile.mkdtemp(prefix="hostile-")
    trial = None
    try:
        trial = Trial(options, work)
        trial.run()
    except Unusable as error:
        print(f"nothing was examined: {error}", file=sys.stderr)
        sys.exit(2)
    finally:
        if trial:
            trial.world.close()
        shutil.rmtree(work, ignore_errors=True)
    for text in trial.missed:
        print(f"MISSED: {text}")
    sys.exit(1 if trial.missed else 0)


if __name__ == "__main__":
    main()
