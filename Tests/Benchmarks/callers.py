"""One caller against another (C1), and kills under load. Needs root, to be several users. Reads like release.py, whose servers it uses.

    python3 Tests/Benchmarks/callers.py --broker .build-release/release/attestation-broker [--kills 200] [--seconds 5]

Prints for each attack the victim's 99th percentile beside the quiet one, and exits with 1 where a release of the victim failed, where the ratio is above 3,
or where a key was released without its line in the audit.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from release import Servers

VICTIM, ATTACKER = 20001, 20002
BODY = json.dumps({"kid": "rsa"})


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=40):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(connection, body, headers={}):
    connection.request("POST", "/key/release", body, {"Content-Type": "application/json"} | headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def become(uid):
    os.setgroups([])
    os.setgid(0)
    os.setuid(uid)


def victim(path, seconds, result):
    become(VICTIM)
    connection = UnixConnection(path)
    times, failures, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        if ask(connection, BODY) != 200:
            failures += 1
        times.append(time.monotonic() - start)
    result.send((times, failures))


def bodies(path):
    """32 connections, each one byte short of its declared MiB."""
    held = []
    while True:
        while len(held) < 32:
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(path)
            peer.sendall(b"POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n" + b"a" * 1048575)
            held.append(peer)
        time.sleep(0.2)
        # Whoever was answered comes again.
        for peer in list(held):
            peer.setblocking(False)
            try:
                if peer.recv(1 << 16) is not None:
                    held.remove(peer)
                    peer.close()
            except BlockingIOError:
                pass


def many(path, body, count=340):
    """So many connections that ask again as soon as they are answered."""

    def one():
        while True:
            try:
                connection = UnixConnection(path, timeout=60)
                while True:
                    ask(connection, body())
            except OSError:
                time.sleep(0.01)

    for _ in range(count):
        threading.Thread(target=one, daemon=True).start()
    signal.pause()


def invented(path):
    many(path, lambda: json.dumps({"kid": "no-such-key"}))


def hanging(path):
    many(path, lambda: json.dumps({"kid": "rsa", "akv_endpoint": "slow.vault.azure.net"}))


def attacker(attack, path):
    become(ATTACKER)
    attack(path)


def measure(path, seconds, attack=None):
    process = None
    if attack:
        process = multiprocessing.Process(target=attacker, args=(attack, path), daemon=True)
        process.start()
        time.sleep(2)
    ours, theirs = multiprocessing.Pipe()
    asking = multiprocessing.Process(target=victim, args=(path, seconds, theirs))
    asking.start()
    times, failures = ours.recv()
    asking.join()
    if process:
        process.kill()
        process.join()
        time.sleep(1)
    times.sort()
    return times[min(len(times) - 1, len(times) * 99 // 100)], failures, len(times)


def black_hole():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    held = []

    def accept():
        while True:
            held.append(listener.accept())

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def attacks(servers, work, options):
    hole = black_hole()
    missed = False
    for name, attack, settings in [
        ("bodies one byte short", bodies, {}),
        ("an invented name", invented, {}),
        ("an invented name, without sessions", invented, {"BROKER_RELEASE_SESSION_MAX_AGE": "0s"}),
        ("a slow store", hanging, {}),
    ]:
        path = f"{work}/c1.sock"
        connect = f"slow.vault.azure.net:443:127.0.0.1:{hole},169.254.169.254:80:127.0.0.1:{servers.metadata},::127.0.0.1:{servers.tls}"
        process, _ = servers.serve(BROKER_SERVER_UNIX=path, BROKER_TLS_CONNECT_TO=connect, BROKER_LOG_LEVEL="notice", **settings)
        while not os.path.exists(path):
            time.sleep(0.01)
        measure(path, 1)
        quiet, failed_quiet, _ = measure(path, options.seconds)
        busy, failed, count = measure(path, options.seconds, attack)
        servers.stop(process)
        verdict = "ok" if failed == 0 and failed_quiet == 0 and busy <= 3 * quiet else "MISSED"
        missed |= verdict != "ok"
        print(f"{name}: p99 {quiet * 1e3:.1f} ms quiet, {busy * 1e3:.1f} ms attacked ({busy / quiet:.1f}), {failed} of {count} failed  {verdict}")
    return missed


def loader(path, prefix, released, stop):
    number = 0
    while not stop.is_set():
        try:
            connection = UnixConnection(path)
            while not stop.is_set():
                number += 1
                if ask(connection, BODY, {"X-Request-Id": f"{prefix}-{number}"}) == 200:
                    released.append(f"{prefix}-{number}")
        except (OSError, http.client.HTTPException):
            return


def kills(servers, work, options):
    path, audit, released = f"{work}/kill.sock", f"{work}/audit", []
    torn = 0
    for round in range(options.kills):
        process, _ = servers.serve(BROKER_SERVER_UNIX=path, BROKER_AUDIT_FILE=audit, BROKER_AUDIT_MAX_SIZE="2000000", BROKER_LOG_LEVEL="notice")
        stop = threading.Event()
        threads = [threading.Thread(target=loader, args=(path, f"{round}-{worker}", released, stop)) for worker in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0, 0.4))
        process.kill()
        process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        verified = subprocess.run([servers.broker, "audit", "verify", audit, "--json"], capture_output=True, text=True)
        document = json.loads(verified.stdout)
        torn += sum("torn" in note for note in document["notes"])
        if verified.returncode != 0:
            print(f"kill {round}: {document}")
            return True
    shown = subprocess.run([servers.broker, "audit", "show", audit, "--json"], check=True, capture_output=True, text=True)
    written = {line.get("request_id") for line in json.loads(shown.stdout)["lines"] if line.get("outcome") == "ok"}
    missing = [name for name in released if name not in written]
    print(f"{options.kills} kills: {len(released)} keys released, {len(missing)} without a line; torn last lines named: {torn}; every chain accepted")
    return bool(missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", choices=["attacks", "kills"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        servers = Servers(options.broker, work)
        try:
            missed = options.only != "kills" and attacks(servers, work, options)
            missed |= options.only != "attacks" and kills(servers, work, options)
        finally:
            servers.close()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
