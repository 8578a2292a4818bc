#!/usr/bin/env python3
"""Broker, simulators and callers in a hostile world: faults from a seeded schedule, and invariants that hold all the time. See README.md.

    Tests/Chaos/chaos.py --broker .build/debug/attestation-broker --seed 7 --seconds 60
    Tests/Chaos/chaos.py --broker .build/debug/attestation-broker --seeds 1-50 --seconds 60
    Tests/Chaos/chaos.py --broker .build/debug/attestation-broker --selftest

Exit status 0: every invariant held. 1: one was violated, which is said. 2: nothing was examined.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import resource
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
from world import HSM, VAULT, Key, Unusable, World, anonymous, descriptors, policy, private_jwk, raise_limit, status  # noqa: E402

REQUEST_TIMEOUT = 8
# A caller's patience beyond the broker's deadline: other programs use this machine too.
PATIENCE = REQUEST_TIMEOUT + 10
RECOVERY = 10
CODES = {
    "invalidRequest", "noProvider", "evidenceUnavailable", "endorsementMismatch", "verificationRejected", "identityFailed", "releaseDenied",
    "keyNotFound", "upstreamUnavailable", "upstreamThrottled", "overloaded", "callerRefused", "auditUnavailable", "upstreamInvalid",
    "deadlineExceeded", "unwrapFailed",
}
STATUSES = {400, 403, 404, 408, 413, 415, 422, 429, 431, 500, 502, 503, 504}
INVARIANTS = {
    "wrong-key": "no key but the one that was asked for",
    "policy": "no key that its policy does not give",
    "audit": "no key without its line, and a chain that verifies",
    "two-answers": "one answer to each request, and the one that belongs to it",
    "answered": "an answer to each request, in its time, while the process is whole",
    "typed": "every error is a typed one",
    "evidence": "a report is about the data that it was asked for",
    "alive": "the process ends only when it is told to, and then in order",
    "leak": "descriptors, threads, memory and work in hand are what they were",
    "recovery": f"all keys again within {RECOVERY} s of the last fault",
}
# An answer may be missing while the process is not there, and late also while it is held or has nothing left to answer with.
ABSENT = {"restart", "kill", "ended"}
LATE = ABSENT | {"stop", "memory", "descriptors"}


class Schedule:
    """What goes wrong when; the same for the same seed, length and choice of faults."""

    NETWORK = [
        ("latency", "*", {"seconds": (0.05, 1.5)}), ("hang", "*", {"seconds": (2, 5)}), ("reset", "*", {}), ("late-reset", "*", {}),
        ("cut-off", "*", {}), ("truncate", "*", {}), ("flip-bit", "*", {}), ("status", "*", {"status": [500, 502, 503, 504, 401, 403, 404]}),
        ("status", "*", {"status": [429]}), ("garbage", "*", {}), ("other-key", "keys.release", {}), ("replay", "keys.release", {}),
        ("replay", "maa.attest", {}), ("wrong-keys", "maa.certificates", {}), ("other-names", "maa.certificates", {}),
        ("no-keys", "maa.certificates", {}), ("reset", "maa.certificates", {}), ("unreachable", "", {}),
    ]
    PROCESS = [
        "restart", "kill", "hangup", "stop", "descriptors", "memory", "disk", "clock", "tcb", "tcb", "simulators-killed", "simulators-stopped",
    ]
    CALLERS = ["slow-loris", "burst", "torn", "pipelined"]
    ROUTES = ["maa.attest", "maa.certificates", "keys.release", "keys.get", "imds.token", "*"]

    def __init__(self, seed, begin, end, only):
        self.events, self.end = [], end
        for lane, kinds in (("network", self.NETWORK), ("process", self.PROCESS), ("callers", self.CALLERS)):
            pick = random.Random(f"{seed} {lane}")
            chosen = [kind for kind in kinds if not only or self.name(kind) in only]
            # Each kind comes once before one comes again.
            left, at = [], begin + pick.uniform(0, 0.5)
            while chosen:
                if not left:
                    left = pick.sample(chosen, len(chosen))
                kind = left.pop()
                length = pick.uniform(0.4, 3.0)
                if at + length > end:
                    break
                self.events.append((at, length, lane, self.name(kind), self.details(kind, pick)))
                at += length + pick.uniform(0.1, 1.5)
        self.events.sort(key=lambda event: event[0])

    @staticmethod
    def name(kind):
        return kind if isinstance(kind, str) else kind[0]

    def details(self, kind, pick):
        if isinstance(kind, str):
            return {
                "clock": lambda: {"seconds": pick.choice([-86400, -3600, -90, 90, 3600, 86400])},
                "memory": lambda: {"mebibytes": pick.randint(0, 24)},
                "descriptors": lambda: {"spare": pick.randint(0, 4)},
                "slow-loris": lambda: {"connections": pick.randint(20, 120)},
                "burst": lambda: {"connections": pick.randint(20, 80)},
            }.get(kind, dict)()
        _, route, choices = kind
        found = {"route": pick.choice(self.ROUTES) if route == "*" else route, "share": pick.choice([0.2, 0.5, 1.0])}
        for name, values in choices.items():
            found[name] = pick.choice(values) if isinstance(values, list) else round(pick.uniform(*values), 2)
        return found


class Broken(Exception):
    """A connection that ended without an answer."""


class Late(Exception):
    """No answer in time."""


class Wire:
    """One connection of a caller. It notices what comes beside the answer."""

    def __init__(self, address, patience=PATIENCE):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.buffer = b""
        try:
            self.socket.settimeout(patience)
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise

    def close(self):
        self.socket.close()

    def surplus(self):
        """Bytes that nobody asked for; None where the peer has closed."""
        if not readable(self.socket):
            return self.buffer
        try:
            more = self.socket.recv(4096)
        except OSError:
            return None
        self.buffer += more
        return self.buffer if more or self.buffer else None

    def send(self, content):
        try:
            self.socket.sendall(content)
        except TimeoutError as error:
            raise Late("sending") from error
        except OSError as error:
            # What was answered before the peer closed is still to be read.
            if isinstance(error, (BrokenPipeError, ConnectionResetError)):
                return
            raise Broken(str(error)) from error

    def more(self):
        try:
            piece = self.socket.recv(65536)
        except TimeoutError as error:
            raise Late("receiving") from error
        except OSError as error:
            raise Broken(str(error)) from error
        if not piece:
            raise Broken("closed" if not self.buffer else f"closed in the middle of an answer: {self.buffer[:60]!r}")
        self.buffer += piece

    def answer(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(fields.get("content-length", 0))
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(lines[0].split()[1]), fields, body


def readable(peer):
    look = select.poll()
    look.register(peer, select.POLLIN)
    return bool(look.poll(0))


def post(path, body, identifier="", host="localhost"):
    named = f"X-Request-Id: {identifier}\r\n" if identifier else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{named}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )


class Caller(threading.Thread):
    """A program of the guest that asks one thing after the other."""

    def __init__(self, run, number, light=False):
        """A light caller asks only for what costs the broker little, and rests in between."""
        super().__init__(daemon=True)
        self.light = light
        self.run_, self.number, self.random = run, number, random.Random(f"{run.seed} caller {number}")
        self.count, self.wire = 0, None

    def run(self):
        run = self.run_
        while not run.over.is_set():
            if run.paused.is_set():
                self.leave()
                time.sleep(0.02)
                continue
            if self.light:
                time.sleep(self.random.uniform(0, 0.1))
            try:
                self.once()
            except Exception as error:  # noqa: BLE001 - a caller that ends in silence would examine nothing
                run.violated("answered", f"the caller itself failed: {type(error).__name__}: {error}")
                self.leave()
        self.leave()

    def leave(self):
        if self.wire:
            self.wire.close()
            self.wire = None

    def once(self):
        run, chance = self.run_, self.random.uniform(0.87, 0.97) if self.light else self.random.random()
        identifier = f"s{run.seed}-c{self.number}-{self.count}"
        self.count += 1
        key = None
        if chance < 0.72:
            key = self.random.choice(run.given if chance < 0.56 else run.denied if chance < 0.66 else run.by_tcb)
            kid = key.name if key.version is None else f"{key.name}/{key.version}"
            content = post("/key/release", json.dumps({"kid": kid, "akv_endpoint": key.store}).encode(), identifier)
            kind = "release"
        elif chance < 0.75:
            content, kind = post("/key/release", b'{"kid":"no-such-key"}', identifier), "refused"
        elif chance < 0.83:
            data = self.random.randbytes(24)
            content, kind = post("/attest/raw", json.dumps({"runtime_data": base64.b64encode(data).decode()}).encode(), identifier), "raw"
        elif chance < 0.87:
            data = base64.b64encode(b'{"a":1}').decode()
            content, kind = post("/attest/maa", json.dumps({"runtime_data": data}).encode(), identifier), "token"
        elif chance < 0.93:
            bodies = [b"", b"{", b"[]", b'{"kid":5}', b'{"kid":"a","kid":"b"}', b'{"kid":"../x"}', b"\xff\xfe", b'{"kid":"' + b"k" * 5000 + b'"}']
            content, kind = post("/key/release", self.random.choice(bodies), identifier), "refused"
        elif chance < 0.97:
            path = self.random.choice(["/status", "/livez", "/readyz"])
            content, kind = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {identifier}\r\n\r\n".encode(), "probe"
        else:
            kind = "leaving"
            content = post("/key/release", json.dumps({"kid": self.random.choice(run.given).name}).encode(), identifier)
        self.ask(kind, content, identifier, key)

    def ask(self, kind, content, identifier, key):
        run, start = self.run_, time.monotonic()
        try:
            if self.wire and (surplus := self.wire.surplus()) != b"":
                if surplus:
                    run.violated("two-answers", f"more than one answer before {identifier}: {surplus[:120]!r}")
                self.leave()
            if not self.wire:
                self.wire = Wire(run.address(self.number))
            self.wire.send(content if kind != "leaving" else content[: self.random.randint(1, len(content))])
            if kind == "leaving":
                run.count("left")
                self.leave()
                return
            code, fields, body = self.wire.answer()
        except (Broken, Late, OSError) as error:
            self.leave()
            allowed = LATE if isinstance(error, (Late, TimeoutError)) else ABSENT
            if run.disturbed(start, allowed):
                run.count("unanswered")
                # Whoever is refused asks again in a moment, not at once.
                time.sleep(0.05)
            else:
                run.violated("answered", f"{identifier} ({kind}) after {time.monotonic() - start:.2f} s: {type(error).__name__}: {error}")
            return
        run.count(f"{kind} {code}")
        if self.wire.buffer:
            run.violated("two-answers", f"{identifier} has more than one answer: {self.wire.buffer[:120]!r}")
            self.leave()
        if fields.get("x-request-id") != identifier:
            run.violated("two-answers", f"{identifier} has the answer of {fields.get('x-request-id')}")
        if fields.get("connection", "").lower() == "close":
            self.leave()
        if kind == "probe":
            self.probed(identifier, code, body)
        elif code != 200:
            self.refused(identifier, code, body)
        elif kind == "refused":
            run.violated("typed", f"{identifier} is malformed or about no key, and was served: {body[:200]!r}")
        elif kind == "raw":
            data = base64.b64decode(json.loads(content.split(b"\r\n\r\n", 1)[1])["runtime_data"])
            report = bytes.fromhex(json.loads(body)["report"])
            if len(report) != 1184 or report[0x50:0x90] != hashlib.sha256(data).digest() + bytes(32):
                run.violated("evidence", f"{identifier} has a report about something else")
        elif kind == "token":
            if json.loads(body)["token"].count(".") != 2:
                run.violated("evidence", f"{identifier} has no token")
        elif kind == "release":
            self.released(identifier, key, body, start)

    def released(self, identifier, key, body, start):
        run = self.run_
        text = json.loads(body).get("key", "")
        if difference := key.differs(text):
            run.violated("wrong-key", f"{identifier} asked for {key.name} at {key.store}: {difference}")
        if not run.may_leave(key, start):
            run.violated("policy", f"{identifier} has {key.name}, whose policy {key.admits}")
        with run.lock:
            run.released[identifier] = key

    def refused(self, identifier, code, body):
        if fault := untyped(code, body, identifier):
            self.run_.violated("typed", f"{identifier}: {fault}")

    def probed(self, identifier, code, body):
        if code not in (200, 503) or not isinstance(json.loads(body), dict):
            self.run_.violated("typed", f"{identifier}: a probe was answered with {code}: {body[:200]!r}")


def untyped(code, body, identifier=None):
    """What is wrong with an error; None where it is as it should be."""
    try:
        document = json.loads(body)
        found = (
            code in STATUSES and document["code"] in CODES and isinstance(document["error"], str) and isinstance(document["stage"], str)
            and isinstance(document["retryable"], bool) and identifier in (None, document["request_id"])
        )
    except (ValueError, KeyError, TypeError):
        found = False
    return None if found else f"{code} with {body[:300]!r}"


class Relay:
    """For --break: stands before the broker and does what a broken broker would."""

    def __init__(self, port, change):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port, self.target, self.change, self.seen = self.listener.getsockname()[1], port, change, 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer = self.listener.accept()[0]
                onward = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                continue
            threading.Thread(target=self.pump, args=(peer, onward, None), daemon=True).start()
            threading.Thread(target=self.pump, args=(onward, peer, self.change), daemon=True).start()

    def pump(self, source, target, change):
        try:
            while piece := source.recv(1 << 20):
                if change:
                    self.seen += 1
                    # Not from the first: the quiet part of a run looks at its answers too.
                    piece = change(piece) if self.seen > 40 else piece
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def without_code(piece):
    head, _, body = piece.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body.replace(b'"code"', b'"edoc"') if head.startswith(b"HTTP/1.1 4") else piece


def twice(piece):
    return piece * 2 if piece.startswith(b"HTTP/1.1 ") and b"application/json" in piece else piece


class Run:
    def __init__(self, options, seed, fixture):
        self.options, self.seed, self.fixture = options, seed, fixture
        self.begin = time.monotonic()
        self.lock = threading.Lock()
        self.counts, self.violations, self.released, self.windows = {}, {}, {}, []
        self.tcbs, self.over, self.paused = [(0.0, 0)], threading.Event(), threading.Event()
        self.process = threading.RLock()
        self.expected_end, self.died = False, {}
        self.random = random.Random(f"{seed} run")
        # Without sessions each release makes an RSA key, and fewer callers are as much load.
        self.age = "0s" if seed % 5 == 0 else ("30s", "2s")[seed % 2]
        self.relay = None

    # What is said and counted.

    def say(self, text):
        print(f"seed {self.seed} {time.monotonic() - self.begin:+7.2f} s: {text}", flush=True)

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + number

    def violated(self, invariant, text):
        with self.lock:
            found = self.violations.setdefault(invariant, [])
            found.append(text)
            is_new = len(found) <= 5
        if is_new:
            self.say(f"VIOLATED {invariant} ({INVARIANTS[invariant]}): {text}")

    def address(self, number):
        if number % 2 and not self.relay:
            return self.world.unix
        return ("127.0.0.1", self.relay.port if self.relay else self.world.port)

    # Windows in which something is known to be wrong.

    def window(self, kind):
        return Window(self, kind)

    def disturbed(self, start, kinds):
        """Whether one of these faults was there at some time since."""

        def was(wanted):
            with self.lock:
                return any(kind in wanted and (end is None or end + 0.5 > start) for kind, _, end in self.windows)

        if not was(kinds) and was({"memory", "descriptors"}):
            # Whether the process ended is known a moment later.
            time.sleep(0.5)
        return was(kinds)

    def may_leave(self, key, start):
        if key.admits != "admits TCB 0 only":
            return key.admits == "admits"
        # A session's token was true when it began: its evidence may be as old as its life and one request.
        horizon = start - int(self.age[:-1]) - REQUEST_TIMEOUT - 1
        with self.lock:
            history = list(self.tcbs)
        return any(number == 0 and (index + 1 == len(history) or history[index + 1][0] > horizon) for index, (_, number) in enumerate(history))

    # The course of a run.

    def run(self):
        work = tempfile.mkdtemp(prefix="chaos-")
        os.chmod(work, 0o700)
        self.world = None
        try:
            if self.fixture and os.path.exists(self.fixture):
                shutil.copytree(self.fixture, f"{work}/azure/fixture")
                os.chmod(f"{work}/azure", 0o700)
            self.world = world = World(self.options.broker, work, self.seed, say=self.say, simulators=self.options.simulators)
            if self.fixture and not os.path.exists(self.fixture):
                shutil.copytree(f"{work}/azure/fixture", self.fixture)
            if not world.mount():
                self.say("skipped: disk: this user may not mount a small file system")
            self.prepare()
            self.course()
        finally:
            self.over.set()
            if self.world:
                self.world.close()
                if self.violations and self.options.keep:
                    kept = f"{self.options.keep}/seed-{self.seed}"
                    shutil.copytree(work, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock", "keys", "disk"))
                    self.say(f"logs: {kept}")
            shutil.rmtree(work, ignore_errors=True)
        return self.violations

    def prepare(self):
        world, broken = self.world, self.options.breaks
        rule, never = policy(), {"claim": "x-ms-sevsnpvm-vmpl", "equals": "3"}
        self.given, self.denied, self.by_tcb = [], [], []

        def make(name, store, kind, admits, rule, into, version=None):
            key = Key(name, store, private_jwk(kind), admits, rule)
            key.version = version
            into.append(key)
            return key

        for number in range(3):
            make(f"oct-{number}", HSM, "oct", "admits", rule, self.given)
        for number in range(2):
            make(f"ec-{number}", VAULT, "ec", "admits", rule, self.given)
        make("rsa-0", VAULT, "rsa", "admits", rule, self.given)
        make("rsa-1", HSM, "rsa", "admits", rule, self.given)
        make("never-0", HSM, "oct", "denies", policy(never), self.denied)
        make("never-1", VAULT, "ec", "denies", policy(authority="sharedneu.neu.attest.azure.net"), self.denied)
        make("never-2", HSM, "oct", "denies", policy({"claim": "x-ms-sevsnpvm-guestsvn", "greater": 200}), self.denied)
        for store in (HSM, VAULT):
            names = [key.name for key in self.given if key.store == store]
            for name, other in zip(names, names[1:] + names[:1]):
                world.middle.others[store, name] = other
        for key in self.given + self.denied:
            jwk = private_jwk("oct") if broken == "wrong-key" and key.name == "oct-1" else None
            admitting = rule if broken == "policy" and key.name == "never-0" else None
            world.import_key(key, jwk, admitting)
        # Two versions of one key, of which callers ask for the first.
        old = make("versions", HSM, "oct", "admits", rule, self.given)
        old.version = world.import_key(old)
        new = make("versions", HSM, "oct", "admits", rule, self.given)
        world.import_key(new)
        world.middle.others[HSM, "versions"] = "versions"
        microcode = {"claim": "x-ms-sevsnpvm-microcode-svn", "equals": 0xDB}
        bound = make("tcb-0", HSM, "oct", "admits TCB 0 only", policy(microcode), self.by_tcb)
        world.import_key(bound)
        world.extra = {
            "BROKER_AUDIT_FILE": world.audit,
            "BROKER_RELEASE_SESSION_MAX_AGE": self.age,
            "BROKER_SERVER_REQUEST_TIMEOUT": f"{REQUEST_TIMEOUT}s",
            "BROKER_SERVER_HEADER_TIMEOUT": "5s",
            "BROKER_SERVER_DRAIN_TIMEOUT": "5s",
            "BROKER_VERIFIER_MAA_TIMEOUT": "3s",
            "BROKER_VERIFIER_MAA_KEYS_MAX_AGE": self.options.keys_max_age,
            "BROKER_KEY_STORES_AKV_TIMEOUT": "3s",
            "BROKER_KEY_STORES_MHSM_TIMEOUT": "3s",
            "BROKER_IDENTITY_TIMEOUT": "3s",
        }
        if broken == "audit":
            world.extra["BROKER_AUDIT_REQUIRED"] = "false"
        if broken in ("typed", "two-answers"):
            self.relay = Relay(world.port, without_code if broken == "typed" else twice)

    def course(self):
        world, options = self.world, self.options
        warm, end = min(5, options.seconds * 0.2), options.seconds - min(10, options.seconds * 0.2)
        schedule = Schedule(self.seed, warm + 1, end, options.only)
        self.begin = time.monotonic()
        world.serve()
        self.say(f"broker {world.broker.pid} serves, sessions of {self.age}, {len(schedule.events)} faults to come")
        callers = [Caller(self, number) for number in range(options.callers if self.age != "0s" else max(2, options.callers // 4))]
        callers += [Caller(self, 1000 + number, light=True) for number in range(4)]
        for caller in callers:
            caller.start()
        # Warm-up: also as many requests at a time as there ever are, for connections and threads that stay.
        time.sleep(warm)
        self.pause()
        before = self.state()
        self.say(f"after warm-up: {self.words(before)}")
        self.paused.clear()
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()
        lanes = [threading.Thread(target=self.lane, args=(name, schedule), daemon=True) for name in ("network", "process", "callers")]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        last = time.monotonic()
        self.say("the last fault is over")
        self.recover(last)
        rest = self.begin + options.seconds - time.monotonic()
        if rest > 0:
            time.sleep(min(rest, 5))
        self.pause()
        if options.breaks == "leak":
            # Idle connections that nobody closes for a minute: what a broker that forgets to close would have.
            self.held = [Wire(("127.0.0.1", world.port)) for _ in range(80)]
            for wire in self.held:
                wire.send(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
                wire.answer()
        self.settle(before)
        self.over.set()
        for caller in callers:
            caller.join(PATIENCE + 5)
            if caller.is_alive():
                self.violated("answered", f"caller {caller.number} still waits")
        self.check_end()
        self.check_audit()
        self.report()

    def pause(self):
        self.paused.set()
        time.sleep(1)

    # Faults.

    def lane(self, name, schedule):
        for at, length, lane, kind, details in schedule.events:
            if lane != name:
                continue
            # Those before it took longer than they should: a simulator takes seconds to start where others use the machine.
            if time.monotonic() > self.begin + schedule.end:
                self.say(f"fault {kind} is left out: the time is over")
                continue
            wait = self.begin + at - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            if lane == "network" or hasattr(self, "fault_" + kind.replace("-", "_")):
                self.say(f"fault {kind} for {length:.2f} s" + "".join(f" {name}={value}" for name, value in details.items()))
                self.count("faults")
                try:
                    if lane == "network":
                        self.fault_network(kind, length, **details)
                    else:
                        getattr(self, "fault_" + kind.replace("-", "_"))(length, **details)
                except (Unusable, ProcessLookupError) as error:
                    self.violated("alive", f"during {kind}: {error}")

    def fault_network(self, kind, length, route, share, **parameters):
        middle = self.world.middle
        if kind == "unreachable":
            middle.refuse(True)
            time.sleep(length)
            middle.refuse(False)
            return
        fault = middle.begin(kind, route, share, **parameters)
        time.sleep(length)
        if self.options.breaks == "recovery" and kind == "status":
            middle.begin("status", "keys.release", 1.0, status=503)
        middle.end(fault)

    def slowed(self):
        """So that a signal comes in the middle of releases."""
        return self.world.middle.begin("latency", "keys.release", 0.7, seconds=0.25)

    def end_broker(self, how):
        """Ends the broker and starts it again."""
        with self.process, self.window("restart" if how == signal.SIGTERM else "kill"):
            self.expected_end = True
            ended = self.world.stop(how)
            if how == signal.SIGTERM and ended != 0:
                self.violated("alive", f"after SIGTERM: {'no end within 20 s' if ended is None else f'exit status {ended}'}; {self.world.tail(600)}")
            self.world.serve()
            self.expected_end = False

    def fault_restart(self, length):
        slow = self.slowed()
        time.sleep(min(length, 1))
        self.world.middle.end(slow)
        self.end_broker(signal.SIGTERM)

    def fault_kill(self, length):
        slow = self.slowed()
        time.sleep(min(length, 1))
        self.end_broker(signal.SIGKILL)
        self.world.middle.end(slow)

    def fault_hangup(self, length):
        slow = self.slowed()
        for _ in range(5):
            with self.process:
                self.world.broker.send_signal(signal.SIGHUP)
            time.sleep(length / 5)
        self.world.middle.end(slow)

    def fault_stop(self, length):
        slow = self.slowed()
        time.sleep(0.3)
        with self.process, self.window("stop"):
            self.world.broker.send_signal(signal.SIGSTOP)
            time.sleep(length)
            self.world.broker.send_signal(signal.SIGCONT)
        self.world.middle.end(slow)

    def starved(self, kind, which, limit, length):
        """A limit that the live process has reached. Swift ends a process that cannot allocate, and libdispatch one in which it cannot open a file of /proc
        (README.md, "Invariants"): whoever runs it starts it again."""
        with self.process, self.window(kind):
            self.expected_end = True
            broker = self.world.broker
            _, hard = resource.prlimit(broker.pid, which)
            soft, _ = resource.prlimit(broker.pid, which, (limit, hard))
            end = time.monotonic() + length
            while time.monotonic() < end and broker.poll() is None:
                time.sleep(0.05)
            if broker.poll() is None:
                resource.prlimit(broker.pid, which, (soft, hard))
                time.sleep(0.2)
            if broker.poll() is not None:
                if broker.returncode not in (-signal.SIGILL, -signal.SIGTRAP, -signal.SIGABRT, -signal.SIGSEGV):
                    self.violated("alive", f"an end with {broker.returncode} for want of {kind}: {self.world.tail(800)}")
                self.died[kind] = self.died.get(kind, 0) + 1
                self.say(f"the broker ended with {broker.returncode} for want of {kind}")
                with self.window("ended"):
                    self.world.serve()
            self.expected_end = False

    def fault_descriptors(self, length, spare):
        self.starved("descriptors", resource.RLIMIT_NOFILE, descriptors(self.world.broker.pid) + spare, length)

    def fault_memory(self, length, mebibytes):
        self.starved("memory", resource.RLIMIT_AS, status(self.world.broker.pid, "VmSize") + (mebibytes << 20), length)

    def fault_disk(self, length):
        if not self.world.mounted:
            return
        filler = f"{self.world.work}/disk/filler"
        with self.window("disk"):
            try:
                with open(filler, "wb", buffering=0) as file:
                    # To the last byte: a whole page first, then what is left.
                    for size in (1 << 16, 1):
                        try:
                            while file.write(bytes(size)):
                                pass
                        except OSError:
                            pass
                    end = time.monotonic() + length
                    while time.monotonic() < end:
                        time.sleep(0.05)
                        try:
                            file.write(bytes(4096))
                        except OSError:
                            pass
            finally:
                os.unlink(filler)

    def fault_clock(self, length, seconds):
        if not self.world.clock:
            return
        with self.window("clock"):
            self.world.set_clock(seconds)
            time.sleep(length)
            self.world.set_clock(0)

    def set_tcb(self, number):
        # A report may have been made a moment before the change is written down, and never after it.
        with self.lock:
            if number == 0:
                self.tcbs.append((time.monotonic(), 0))
        self.world.set_tcb(number)
        with self.lock:
            if number != 0:
                self.tcbs.append((time.monotonic(), number))

    def fault_tcb(self, length):
        if not self.world.device:
            return
        self.set_tcb(1)
        # Long enough for what a session that began before may still do.
        time.sleep(length + (min(REQUEST_TIMEOUT + 2, self.options.seconds / 6) if self.age != "30s" else 0))
        self.set_tcb(0)

    def fault_simulators_killed(self, length):
        self.world.restart_simulators(length)

    def fault_simulators_stopped(self, length):
        self.world.simulator.send_signal(signal.SIGSTOP)
        time.sleep(length)
        self.world.simulator.send_signal(signal.SIGCONT)

    def fault_slow_loris(self, length, connections):
        """Heads and bodies that come a byte at a time, or not at all."""
        held, end = [], time.monotonic() + length
        for number in range(connections):
            try:
                peer = Wire(self.address(number), 2)
                peer.socket.sendall(b"POST /key/release HTTP/1.1\r\nHost: localhost\r\n" + (b"Content-Length: 900\r\n\r\n{" if number % 3 == 0 else b""))
                held.append(peer)
            except OSError:
                pass
        while time.monotonic() < end:
            for peer in held:
                try:
                    peer.socket.send(b"a", socket.MSG_DONTWAIT)
                except OSError:
                    pass
            time.sleep(0.2)
        for peer in held:
            peer.close()

    def fault_burst(self, length, connections):
        """Many at once for one key, on connections of their own."""

        def one(number):
            start = time.monotonic()
            identifier = f"s{self.seed}-b{start:.6f}-{number}"
            try:
                wire = Wire(self.address(number))
                try:
                    wire.send(post("/key/release", json.dumps({"kid": key.name, "akv_endpoint": key.store}).encode(), identifier))
                    code, _, body = wire.answer()
                finally:
                    wire.close()
            except (Broken, Late, OSError) as error:
                if not self.disturbed(start, LATE if isinstance(error, (Late, TimeoutError)) else ABSENT):
                    self.violated("answered", f"{identifier} (burst) after {time.monotonic() - start:.2f} s: {type(error).__name__}: {error}")
                return
            self.count(f"burst {code}")
            if code == 200:
                asker.released(identifier, key, body, start)
            elif fault := untyped(code, body, identifier):
                self.violated("typed", f"{identifier}: {fault}")

        key, asker = self.random.choice(self.given[:6]), Caller(self, 9999)
        threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def fault_torn(self, length):
        """Bytes that are no request, or break its framing: an error and an end, or an end."""
        pick = random.Random(f"{self.seed} torn {len(self.windows)}")
        heads = [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/9.9\r\n\r\n", b"POST /key/release HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", b"POST /key/release HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 3\r\n\r\n0\r\n\r\n", b"POST /key/release HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /status HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40000 + b"\r\n\r\n", b"GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"POST /key/release HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Length: 2\r\n\r\n{}",
        ]
        end = time.monotonic() + length
        while time.monotonic() < end:
            content = pick.choice(heads) if pick.random() < 0.7 else pick.randbytes(pick.randint(1, 400))
            start = time.monotonic()
            try:
                # The name of a host means something on an address alone.
                wire = Wire(self.address(0 if b"evil" in content else pick.randint(0, 1)))
            except OSError:
                time.sleep(0.05)
                continue
            try:
                wire.send(content)
                wire.socket.shutdown(socket.SHUT_WR)
                code, _, body = wire.answer()
                self.count(f"torn {code}")
                if code == 200 or (code != 404 and untyped(code, body)):
                    self.violated("typed", f"{content[:80]!r} is answered with {code} {body[:200]!r}")
            except Late as error:
                if not self.disturbed(start, LATE):
                    self.violated("answered", f"{content[:80]!r}: {error}")
            except (Broken, OSError, ValueError):
                self.count("torn, closed")
            finally:
                wire.close()
            time.sleep(0.02)

    def fault_pipelined(self, length):
        """Several requests in one piece: as many answers, in their order."""
        pick, end, number = random.Random(f"{self.seed} pipelined"), time.monotonic() + length, 0
        while time.monotonic() < end:
            start, number = time.monotonic(), number + 1
            names = [f"s{self.seed}-p{start:.6f}-{number}-{index}" for index in range(pick.randint(2, 5))]
            try:
                wire = Wire(self.address(number))
            except OSError:
                time.sleep(0.05)
                continue
            try:
                wire.send(b"".join(post("/key/release", b'{"kid":"never-0","akv_endpoint":"%s"}' % HSM.encode(), name) for name in names))
                for name in names:
                    code, fields, body = wire.answer()
                    self.count(f"pipelined {code}")
                    if fields.get("x-request-id") != name:
                        self.violated("two-answers", f"{name} has the answer of {fields.get('x-request-id')}")
                    if code == 200 and self.options.breaks != "policy":
                        self.violated("policy", f"{name} has never-0, whose policy denies")
                    elif code != 200 and (fault := untyped(code, body, name)):
                        self.violated("typed", f"{name}: {fault}")
                    if fields.get("connection", "").lower() == "close":
                        break
                else:
                    if wire.surplus():
                        self.violated("two-answers", f"more answers than requests after {names[-1]}: {wire.buffer[:120]!r}")
            except (Broken, Late, OSError) as error:
                if not self.disturbed(start, LATE):
                    self.violated("answered", f"{names[0]} (pipelined) after {time.monotonic() - start:.2f} s: {type(error).__name__}: {error}")
            finally:
                wire.close()

    def watch(self):
        """Notices an end that nobody asked for."""
        while not self.over.wait(0.1):
            broker = self.world.broker
            if broker.poll() is not None and not self.expected_end:
                with self.process:
                    if self.world.broker is not broker or self.over.is_set() or self.expected_end:
                        continue
                    with self.window("kill"):
                        self.violated("alive", f"the broker ended by itself with {broker.returncode}: {self.world.tail(1500)}")
                        try:
                            self.world.serve()
                        except Unusable as error:
                            self.violated("alive", str(error))
                            return

    # Afterwards.

    def recover(self, last):
        """Until each key has come once since the last fault; the other callers go on."""
        keys = self.given[:-1] + self.by_tcb
        taken, words, limit = {}, {}, self.options.recovery

        def ask(number, key):
            kid = key.name if key.version is None else f"{key.name}/{key.version}"
            content = json.dumps({"kid": kid, "akv_endpoint": key.store}).encode()
            attempt = 0
            while time.monotonic() - last < 3 * limit:
                attempt, start = attempt + 1, time.monotonic()
                identifier = f"s{self.seed}-r{number}-{attempt}"
                try:
                    wire = Wire(self.address(number))
                    try:
                        wire.send(post("/key/release", content, identifier))
                        code, _, body = wire.answer()
                    finally:
                        wire.close()
                except (Broken, Late, OSError) as error:
                    code, body = 0, str(error).encode()
                if code == 200:
                    taken[key] = time.monotonic() - last
                    asker.released(identifier, key, body, start)
                    return
                words[key] = f"{code} {body[:400].decode(errors='replace')}"
                time.sleep(0.1)

        asker = Caller(self, 9998)
        threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in enumerate(keys)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for text in sorted({text.split('"request_id"')[0] for text in words.values()})[:3]:
            self.say(f"refused on the way: {text}")
        missing = [key for key in keys if key not in taken]
        self.recovery = 3.0 * limit if missing else max(taken.values())
        if self.recovery > limit:
            late = missing or [key for key in keys if taken[key] > limit]
            text = "none" if missing else f"late, {self.recovery:.1f} s"
            self.violated("recovery", f"{text}: " + ", ".join(f"{key.name} ({taken.get(key, 0):.1f} s)" for key in late) + f": {words.get(late[0])}")
        else:
            self.say(f"all keys again after {self.recovery:.2f} s")

    def state(self):
        pid = self.world.broker.pid
        figures = self.world.read_metrics()
        work = sum(figures.get(name, 0) for name in ("broker_releases_running", "broker_releases_waiting", "broker_shared_releases_running",
                                                     "broker_shared_releases_waiting", "broker_wrapping_keys_awaited"))
        return {"descriptors": descriptors(pid), "threads": status(pid, "Threads"), "memory": anonymous(pid), "work": int(work)}

    @staticmethod
    def words(state):
        return f"{state['descriptors']} descriptors, {state['threads']} threads, {state['memory'] / 2**20:.1f} MiB, {state['work']} in hand"

    def settle(self, before):
        """Connections to services that stay open, and threads that wait for work, are bounded; what is beyond that was forgotten."""
        allowed = {"descriptors": before["descriptors"] + 40, "threads": before["threads"] + 16, "memory": before["memory"] + (24 << 20), "work": 0}
        end = time.monotonic() + 20
        while True:
            try:
                self.after = self.state()
            except OSError as error:
                self.violated("leak", f"the state cannot be read: {error}")
                return
            if all(self.after[name] <= limit for name, limit in allowed.items()):
                self.say(f"in the end: {self.words(self.after)}")
                return
            if time.monotonic() > end:
                self.violated("leak", f"{self.words(self.after)} where there were {self.words(before)}")
                return
            time.sleep(0.5)

    def check_end(self):
        with self.process:
            self.expected_end = True
            ended = self.world.stop()
            if ended != 0:
                self.violated("alive", f"after SIGTERM at the end: exit status {ended}; {self.world.tail(600)}")

    def check_audit(self):
        if self.options.breaks == "chain":
            with open(self.world.audit, "r+b") as file:
                content = file.read()
                place = content.index(b'"outcome":"ok"', len(content) // 2)
                file.seek(place + 11)
                file.write(b"OK")
        code, words, lines = self.world.verify_audit()
        if code != 0:
            self.violated("audit", f"audit verify ends with {code}: {words[:800]}")
        served = {}
        for line in lines:
            if line.get("operation") == "release" and line.get("outcome") == "ok":
                served.setdefault(line.get("request_id"), []).append(line)
        for identifier, key in self.released.items():
            found = served.get(identifier, [])
            if len(found) != 1:
                self.violated("audit" if not found else "two-answers", f"{identifier} released {key.name} and has {len(found)} lines")
            elif found[0].get("key", "").split("/")[0] != key.name:
                self.violated("audit", f"{identifier} released {key.name}, and its line names {found[0].get('key')}")
        self.count("audit lines", len(lines))

    def report(self):
        answered = sum(number for what, number in self.counts.items() if what.split()[-1].isdigit())
        self.answered = answered
        for what, number in sorted(self.counts.items()):
            print(f"    {what}: {number}")
        print(f"    lies and losses between broker and services: {dict(sorted(self.world.middle.counts.items()))}")
        verdict = "holds" if not self.violations else "VIOLATED " + ", ".join(sorted(self.violations))
        self.say(
            f"{answered} requests answered, {len(self.released)} keys, {self.counts.get('faults', 0)} faults, {self.world.starts} starts"
            f" ({', '.join(f'{number} for want of {kind}' for kind, number in self.died.items()) or 'none for want'}), recovery {self.recovery:.2f} s: {verdict}"
        )


class Window:
    def __init__(self, run, kind):
        self.run, self.kind = run, kind

    def __enter__(self):
        with self.run.lock:
            self.entry = [self.kind, time.monotonic(), None]
            self.run.windows.append(self.entry)

    def __exit__(self, *_):
        with self.run.lock:
            self.entry[2] = time.monotonic()


# What is planted, the invariant that must notice it, and the faults that it needs.
BREAKS = {
    "wrong-key": ("wrong-key", "latency"), "policy": ("policy", "latency"), "audit": ("audit", "disk"), "chain": ("audit", "latency"),
    "two-answers": ("two-answers", "latency"), "typed": ("typed", "latency"), "leak": ("leak", "latency"), "recovery": ("recovery", "status"),
}


def execute(options, seed, fixture):
    run = Run(options, seed, fixture)
    return run, run.run()


def selftest(options, fixture):
    missed = []
    for name, (invariant, faults) in BREAKS.items():
        if options.selftest != "all" and name not in options.selftest.split(","):
            continue
        if name == "audit" and os.geteuid() != 0:
            print("skipped: audit: needs a small file system")
            continue
        options.breaks, options.only, options.seconds = name, {faults}, 8
        _, violations = execute(options, 1, fixture)
        noticed = invariant in violations
        print(f"selftest {name}: {'noticed' if noticed else 'MISSED'} ({', '.join(sorted(violations)) or 'nothing'})", flush=True)
        if not noticed:
            missed.append(name)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True, help="the program; it also runs the simulators")
    parser.add_argument("--simulators", help="another program for the simulators, where the first one is a build for production")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", help="several one after the other, as FIRST-LAST")
    parser.add_argument("--seconds", type=float, default=60, help="of one seed; recovery and what comes after it included where that is quick")
    parser.add_argument("--callers", type=int, default=24, help="at a time; a quarter of them in a run without sessions")
    parser.add_argument("--only", type=lambda text: set(text.split(",")), help="only these faults, by the names that a run prints")
    parser.add_argument("--keys-max-age", default="1m", help="verifier.maa.keys-max-age")
    parser.add_argument("--keep", help="a folder for the logs of a seed that violated an invariant")
    parser.add_argument("--break", dest="breaks", choices=sorted(BREAKS), help="plant a violation; the run must end with 1")
    parser.add_argument("--recovery", type=float, default=RECOVERY, help="seconds after the last fault")
    parser.add_argument("--selftest", nargs="?", const="all", help="plant each violation, or those named, in turn; 0 where each was noticed")
    options = parser.parse_args()
    # Whoever ends this program ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    raise_limit(8192)
    fixture = tempfile.mkdtemp(prefix="chaos-fixture-") + "/fixture"
    try:
        if options.selftest:
            sys.exit(1 if selftest(options, fixture) else 0)
        first, _, last = (options.seeds or str(options.seed)).partition("-")
        seeds = range(int(first), int(last or first) + 1)
        answered, failed, slowest = 0, {}, 0.0
        for seed in seeds:
            run, violations = execute(options, seed, fixture)
            answered += run.answered
            slowest = max(slowest, run.recovery)
            if violations:
                failed[seed] = sorted(violations)
        print(f"{len(seeds)} seeds of {options.seconds:g} s: {answered} requests answered, slowest recovery {slowest:.2f} s, violated: {failed or 'none'}")
        sys.exit(1 if failed else 0)
    except Unusable as error:
        print(f"nothing was examined: {error}", file=sys.stderr)
        sys.exit(2)
    finally:
        shutil.rmtree(os.path.dirname(fixture), ignore_errors=True)


if __name__ == "__main__":
    main()
