"""Benchmarks of the broker over sockets; see release.sh. Prints one table and, with --json, the figures behind it."""

import argparse
import base64
import errno
import json
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def private_operation():
    """Seconds of one RSA-2048 private operation on one core."""
    text = subprocess.run(
        ["openssl", "speed", "-seconds", "1", "rsa2048"], check=True, capture_output=True, text=True
    ).stdout
    return float(re.search(r"^rsa 2048 bits ([0-9.]+)s", text, re.M).group(1))


def cpu(process):
    """User and system time of all threads, those that ended included, in seconds. The resolution is a clock tick, so what is measured must be long."""
    fields = open(f"/proc/{process}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def reference_generation(count):
    """CPU seconds of one EVP_RSA_gen(2048): the openssl command makes keys with it. What the command itself costs is taken off."""

    def children(arguments):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(count):
            subprocess.run(["openssl"] + arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / count

    generate = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    return children(generate) - children(["genpkey", "-algorithm", "X25519"])


def children():
    """The same of the load generators that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def anonymous(process):
    """Bytes of memory that belong to the process: neither the program's nor a library's pages."""
    return int(re.search(r"^Anonymous: +(\d+) kB", open(f"/proc/{process}/smaps_rollup").read(), re.M).group(1)) << 10


class Servers:
    """Simulators with keys in them, and brokers against them."""

    def __init__(self, broker, work, more=()):
        self.broker, self.work, self.processes = broker, work, []
        self.simulators, ports = self.start(
            ["simulate", "--directory", f"{work}/azure", "--port", "0", "--metadata-port", "0", "--json", *more], "tls_port"
        )
        self.ports = ports
        self.tls = int(re.search(r'"tls_port": ?(\d+)', ports).group(1))
        self.metadata = int(re.search(r'"metadata_port": ?(\d+)', ports).group(1))
        policy = self.encode(open("policies/release/fixture-guest.json", "rb").read())
        for store in ("contoso.vault.azure.net", "contoso.managedhsm.azure.net"):
            for name, kind in (("rsa", "RSA-HSM"), ("ec", "EC-HSM"), ("oct", "oct-HSM")):
                if name == "oct" and "vault" in store:
                    continue
                body = {"kty": kind, "attributes": {"exportable": True}, "release_policy": {"data": policy}}
                body |= {"rsa": {"key_size": 2048}, "ec": {"crv": "P-256"}, "oct": {"key_size": 256}}[name]
                self.vault(store, f"/keys/{name}/create", body)

    @staticmethod
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def vault(self, store, path, body):
        audience = "https://" + store.split(".", 1)[1]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.metadata}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={audience}",
            headers={"Metadata": "true"},
        )
        token = json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request))["access_token"]
        subprocess.run(
            ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--cacert", f"{self.work}/azure/ca.pem"]
            + ["--connect-to", f"::127.0.0.1:{self.tls}", f"https://{store}{path}?api-version=7.4"]
            + ["-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json", "-d", json.dumps(body)],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self, arguments, ready, environment=None, timeout=60):
        """Starts the program and reads its output up to the line that says it is ready."""
        log = open(f"{self.work}/{len(self.processes)}.log", "w+")
        process = subprocess.Popen(
            [self.broker] + arguments, stdout=log, stderr=log, env=os.environ | (environment or {}), cwd=os.getcwd()
        )
        self.processes.append(process)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            text = open(log.name).read()
            if ready in text:
                return process, text
            if process.poll() is not None:
                break
            time.sleep(0.002)
        sys.exit(f"{' '.join(arguments)} did not start:\n{open(log.name).read()}")

    def serve(self, **settings):
        environment = {
            "BROKER_SERVER_HTTP": "127.0.0.1:0",
            "BROKER_TLS_CA_FILE": f"{self.work}/azure/ca.pem",
            "BROKER_EVIDENCE_FIXTURE_DIRECTORY": f"{self.work}/azure/fixture",
            "BROKER_TLS_CONNECT_TO": f"169.254.169.254:80:127.0.0.1:{self.metadata},::127.0.0.1:{self.tls}",
            "BROKER_KEY_STORES_USE": "akv,mhsm",
        } | settings
        process, text = self.start(
            ["serve", "--config", "samples/config/key-vault.json"], "address=127", environment
        )
        return process, int(re.search(r"address=127\.0\.0\.1:(\d+)", text).group(1))

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


class Bench:
    LONG_SESSION = {"BROKER_RELEASE_SESSION_MAX_AGE": "1h", "BROKER_RELEASE_SESSION_MAX_USES": "1000000"}

    def __init__(self, options):
        self.options = options
        self.rows, self.figures = [], {}
        self.measured = [private_operation()]
        self.operation = self.measured[0]

    def calibrate(self):
        """The private operation beside what was measured last: a shared machine is faster at one time than at another."""
        self.measured.append(private_operation())
        self.operation = statistics.mean(self.measured[-2:])

    def load(self, port, path="/key/release", allow_failures=False, **options):
        arguments = [self.options.load, "--json", "--url", f"http://127.0.0.1:{port}{path}"]
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        done = subprocess.run(arguments, check=not allow_failures, capture_output=True, text=True)
        return json.loads(done.stdout)

    def add(self, name, seconds, bound=None, unit="op"):
        """A time, as the median over runs, in milliseconds and private operations, beside what is asked for."""
        value = statistics.median(seconds)
        ratio = value / self.operation
        self.figures[name] = {"seconds": seconds, "operations": ratio, "bound": bound}
        verdict = "" if bound is None else f"<= {bound:g}" + ("" if ratio <= bound else "  MISSED")
        self.rows.append((name, f"{value * 1e3:.3f} ms", f"{ratio:.1f}", verdict))

    def note(self, name, text, verdict=""):
        self.rows.append((name, text, "", verdict))
        self.figures[name] = text

    def wait_for_pool(self, process):
        """Until the background threads have nothing more to make: the process is idle for a quarter of a second."""
        last = cpu(process.pid)
        while True:
            time.sleep(0.25)
            now = cpu(process.pid)
            if now == last:
                return
            last = now

    def wrapping_key(self, servers, count):
        """CPU seconds of one wrapping key: what a broker uses more with a full pool than without one, over as many starts as that takes."""

        def idle(pool):
            process, _ = servers.serve(BROKER_WRAPPING_KEYS_POOL=str(pool))
            self.wait_for_pool(process)
            used = cpu(process.pid)
            servers.stop(process)
            return used

        starts = max(1, count // 16)
        return sum(idle(16) - idle(0) for _ in range(starts)) / (16 * starts)

    def releases(self, servers, key, store, runs, session):
        """Latency and CPU of warm releases over one connection, one run after the other.

        Without a session the CPU has one wrapping key for each."""
        settings = self.LONG_SESSION if session else {"BROKER_RELEASE_SESSION_MAX_AGE": "0s"}
        process, port = servers.serve(BROKER_WRAPPING_KEYS_POOL="16", **settings)
        request = {"kid": key, "akv_endpoint": store}
        self.load(port, requests=2, warm_up=0, **request)
        p50, p99, costs = [], [], []
        # Without a session each release takes a key of the pool, so a run is as long as the pool; several are one measurement.
        count, repetitions = (1000, 1) if session else (12, 10)
        for _ in range(runs):
            used, halves, tails = 0, [], []
            for _ in range(repetitions):
                self.wait_for_pool(process)
                before = cpu(process.pid)
                report = self.load(port, requests=count, warm_up=0, **request)
                # The keys that take the place of the used ones count too.
                self.wait_for_pool(process)
                used += cpu(process.pid) - before
                halves.append(report["latency_us"]["p50"] / 1e6)
                tails.append(report["latency_us"]["p99"] / 1e6)
            costs.append(used / (count * repetitions))
            p50.append(statistics.median(halves))
            p99.append(statistics.median(tails))
        servers.stop(process)
        self.calibrate()
        return p50, p99, costs

    def run(self):
        runs = 1 if self.options.quick else self.options.runs
        keys = 32 if self.options.quick else 208
        reference = reference_generation(keys)
        with tempfile.TemporaryDirectory() as work:
            servers = Servers(self.options.broker, work)
            try:
                self.calibrate()
                ours = self.wrapping_key(servers, keys)
                self.calibrate()
                self.add("one wrapping key, CPU", [ours])
                verdict = "<= 0.45" + ("" if ours <= 0.45 * reference else "  MISSED")
                self.note("  of EVP_RSA_gen(2048)", f"{ours / reference:.3f}", verdict)
                self.measure(servers, runs, ours / self.operation)
            finally:
                servers.close()
        low, high = (f"{limit(self.measured) * 1e3:.3f}" for limit in (min, max))
        self.note("one RSA-2048 private operation, before and after each", f"{low} to {high} ms")

    def measure(self, servers, runs, generation):
        """`generation` is one key's, in private operations."""
        vault, hsm = "contoso.vault.azure.net", "contoso.managedhsm.azure.net"
        for key, store in (("rsa", vault), ("oct", hsm)):
            for name, session, bound in (("session", True, 6), ("single-use", False, 12 + generation)):
                p50, p99, costs = self.releases(servers, key, store, runs, session)
                self.add(f"{name} release of {key}, CPU", costs, bound)
                self.add(f"{name} release of {key}, p50", p50)
                self.add(f"{name} release of {key}, p99", p99)
        process, port = servers.serve(BROKER_WRAPPING_KEYS_POOL="0", BROKER_RELEASE_SESSION_MAX_AGE="0s")
        p50 = [
            self.load(port, requests=20, warm_up=0, kid="rsa")["latency_us"]["p50"] / 1e6 for _ in range(runs)
        ]
        servers.stop(process)
        self.calibrate()
        self.add("pool drained, p50", p50)
        self.concurrency(servers)
        self.overload(servers, 6 if self.options.quick else 30)
        self.cold(servers, runs, generation)
        self.small_requests(servers)
        self.memory(servers)

    def concurrency(self, servers):
        """64 callers that want one key, so that they share exchanges. Where all cores are busy, they wait at least 64 times what one release costs all processes,
        shared by the cores: the floor below."""
        process, port = servers.serve(**self.LONG_SESSION)
        before = cpu(process.pid) + cpu(servers.simulators.pid) + children()
        many = self.load(port, kid="rsa", duration=5, warm_up=0, connections=64)
        used = cpu(process.pid) + cpu(servers.simulators.pid) + children() - before
        servers.stop(process)
        self.calibrate()
        self.add("session, 64 connections, p99", [many["latency_us"]["p99"] / 1e6])
        self.add("  floor: CPU of all processes, 64 at a time", [64 * used / many["succeeded"] / os.cpu_count()])
        self.note("  releases per second", f"{many['per_second']:.0f}")

    def overload(self, servers, seconds):
        """Requests twice as fast as they can be served, whether or not earlier ones were answered."""
        process, port = servers.serve(
            **self.LONG_SESSION,
            BROKER_SERVER_RELEASE_LIMIT="16", BROKER_SERVER_RELEASE_QUEUE="32",
        )
        before = self.load(port, kid="rsa", requests=300)["latency_us"]["p50"]
        peak = self.load(port, kid="rsa", duration=seconds, connections=40)["per_second"]
        report = self.load(port, kid="rsa", duration=seconds, connections=256, rate=2 * peak, allow_failures=True)
        after = self.load(port, kid="rsa", requests=300, warm_up=0)["latency_us"]["p50"]
        servers.stop(process)
        self.calibrate()
        answers = report["statuses"]
        released, refused = answers.get("200", 0) / report["seconds"], answers.get("429", 0) / report["seconds"]
        self.note("overload: peak before, per second", f"{peak:.0f}")
        self.note("  answered, of the peak", f"{(released + refused) / peak:.2f}")
        share = released / peak
        self.note("  released, of the peak", f"{share:.2f}")
        if refused:
            self.add("  429, p50", [report["other_latency_us"]["p50"] / 1e6])
            self.add("  429, p99", [report["other_latency_us"]["p99"] / 1e6])
        others = sum(answers.values()) - answers.get("200", 0) - answers.get("429", 0) + sum(report["failures"].values())
        self.note("  other answers and failures", f"{others}")
        self.note("  one connection afterwards, of before", f"{after / before:.2f}")

    def cold(self, servers, runs, generation):
        """From the start of the process to the answer of its first request, of which each start has one: whether it is ready, or a key."""
        body = b'{"kid":"rsa"}'
        ready = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        release = b"POST /key/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        times = {ready: [], release: []}
        # Many: how long two primes take is chance.
        for _ in range(12 * runs):
            for text, found in times.items():
                found.append(self.first_answer(servers, text))
        self.calibrate()
        self.add("cold start to readyz", times[ready])
        self.add("cold start to the first key", times[release], 1.6 * generation + 30)

    def first_answer(self, servers, text):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        # Without what this shell says about authorities: a long list costs the start a millisecond or two.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
        environment |= {
            "BROKER_SERVER_HTTP": f"127.0.0.1:{port}",
            "BROKER_TLS_CA_FILE": f"{servers.work}/azure/ca.pem",
            "BROKER_EVIDENCE_FIXTURE_DIRECTORY": f"{servers.work}/azure/fixture",
            "BROKER_TLS_CONNECT_TO": f"169.254.169.254:80:127.0.0.1:{servers.metadata},::127.0.0.1:{servers.tls}",
        }
        began = time.perf_counter()
        process = subprocess.Popen(
            [self.options.broker, "serve", "--config", "samples/config/key-vault.json"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
        )
        servers.processes.append(process)
        answer = request(port, text)
        taken = time.perf_counter() - began
        if b" 200 " not in answer[:20]:
            sys.exit(f"the first request after a start failed: {answer!r}")
        servers.stop(process)
        return taken

    def small_requests(self, servers):
        process, port = servers.serve()
        for name, path, options in (
            ("/status", "/status", {}),
            ("/attest/raw", "/attest/raw", {"body": '{"runtime_data":"AAAA"}'}),
        ):
            before = cpu(process.pid)
            report = self.load(port, path=path, connections=32, duration=3, warm_up=0, **options)
            used = cpu(process.pid) - before
            self.note(f"{name}, per busy core and second", f"{report['succeeded'] / used:.0f}")
        servers.stop(process)

    def memory(self, servers):
        process, port = servers.serve(**self.LONG_SESSION)
        self.load(port, requests=1, warm_up=0, kid="rsa")
        self.wait_for_pool(process)
        first = anonymous(process.pid)
        sizes = []
        for _ in range(2):
            self.load(port, requests=10_000, warm_up=0, connections=32, duration=600, kid="rsa")
            self.wait_for_pool(process)
            sizes.append(anonymous(process.pid))
        servers.stop(process)
        mib = 1 << 20
        self.note("anonymous memory after the first release", f"{first / mib:.1f} MiB")
        self.note("  after 10,000 releases", f"{sizes[0] / mib:.1f} MiB", "<= 8 MiB" + ("" if sizes[0] <= 8 * mib else "  MISSED"))
        self.note("  growth from 10,000 to 20,000", f"{(sizes[1] - sizes[0]) / mib:.1f} MiB", "none")
        self.note("program's file", f"{os.path.getsize(self.options.broker) / mib:.1f} MiB")

    def print(self):
        widths = [max(len(row[column]) for row in self.rows) for column in range(4)]
        print("  ".join(title.ljust(width) for title, width in zip(("", "time", "in private ops", "asked for"), widths)))
        for row in self.rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def request(port, text, timeout=60):
    """One request over a new connection, tried again until somebody listens. One socket for all trials: they take time from the program that starts."""
    end = time.monotonic() + timeout
    with socket.socket() as connection:
        while error := connection.connect_ex(("127.0.0.1", port)):
            if error != errno.ECONNREFUSED or time.monotonic() > end:
                raise OSError(error, os.strerror(error))
            time.sleep(0.0005)
        connection.settimeout(timeout)
        connection.sendall(text)
        return connection.recv(65536)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    bench = Bench(parser.parse_args())
    bench.run()
    bench.print()
    if bench.options.json:
        print(json.dumps(bench.figures))
