"""What audit, metrics and rules cost a release, and what a slow reader of the log costs.

    python3 Tests/Benchmarks/overhead.py --broker NEW --load LOAD [--baseline OLD] [--runs 5] [--audit-directory DIRECTORY]

With all three on, beside another program (--baseline, for example one built from the commit before them) that has none, or beside the same program with all
three off. Both run at the same time, and runs alternate, so that a machine that is faster at one time than at another is so for both. Exit status 1 where a
bound is missed: CPU at most 1.10, p50 at most 1.05, and with a reader of 4 KiB every 150 ms at least 0.95 of the releases per second of /dev/null.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from release import Bench, Servers, cpu, request  # noqa: E402

RULES = '[{"address": ["10.0.0.0/8"], "keys": ["none"]}, {"address": ["127.0.0.0/8"], "keys": ["rsa"], "operations": ["release"]}]'


def overhead(bench, servers, options, audit):
    on = {
        "BROKER_AUDIT_FILE": f"{audit}/audit",
        "BROKER_AUDIT_FSYNC": "batch",
        "BROKER_SERVER_METRICS": "0",
        "BROKER_CALLERS_RULES": RULES,
    }
    brokers = {}
    ours = servers.broker
    for name, program, settings in (("without", options.baseline or ours, {}), ("with", ours, on)):
        servers.broker = os.path.abspath(program)
        brokers[name] = servers.serve(BROKER_WRAPPING_KEYS_POOL="2", **Bench.LONG_SESSION, **settings)
    servers.broker = ours
    figures = {name: ([], []) for name in brokers}
    for name, (process, port) in brokers.items():
        bench.load(port, requests=200, warm_up=0, kid="rsa")
        bench.wait_for_pool(process)
    for _ in range(options.runs):
        for name, (process, port) in brokers.items():
            before = cpu(process.pid)
            report = bench.load(port, requests=2000, warm_up=0, kid="rsa")
            figures[name][0].append((cpu(process.pid) - before) / 2000)
            figures[name][1].append(report["latency_us"]["p50"] / 1e6)
    for process, _ in brokers.values():
        servers.stop(process)
    missed = False
    for index, (what, bound) in enumerate((("CPU of a session release", 1.10), ("p50 of a session release", 1.05))):
        without, with_all = (statistics.median(figures[name][index]) for name in ("without", "with"))
        verdict = "ok" if with_all <= bound * without else "MISSED"
        missed |= verdict != "ok"
        print(f"{what}: {without * 1e3:.3f} ms without, {with_all * 1e3:.3f} ms with audit, metrics and rules: {with_all / without:.3f} <= {bound}  {verdict}")
    return missed


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def serve_with_output(servers, output):
    """A broker whose log goes to a descriptor of ours."""
    port = free_port()
    environment = os.environ | {
        "BROKER_SERVER_HTTP": f"127.0.0.1:{port}",
        "BROKER_TLS_CA_FILE": f"{servers.work}/azure/ca.pem",
        "BROKER_EVIDENCE_FIXTURE_DIRECTORY": f"{servers.work}/azure/fixture",
        "BROKER_TLS_CONNECT_TO": f"169.254.169.254:80:127.0.0.1:{servers.metadata},::127.0.0.1:{servers.tls}",
    }
    process = subprocess.Popen(
        [servers.broker, "serve", "--config", "samples/config/key-vault.json"], stdout=output, stderr=output, env=environment | Bench.LONG_SESSION
    )
    servers.processes.append(process)
    request(port, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return process, port


def slow_reader(bench, servers, options):
    ended = threading.Event()

    def read(descriptor):
        while not ended.is_set() and os.read(descriptor, 4096):
            time.sleep(0.15)

    reading, writing = os.pipe()
    reader = threading.Thread(target=read, args=(reading,), daemon=True)
    reader.start()
    brokers = {}
    with open(os.devnull, "w") as nothing:
        brokers["/dev/null"] = serve_with_output(servers, nothing)
    brokers["slow"] = serve_with_output(servers, writing)
    os.close(writing)
    rates = {name: [] for name in brokers}
    for _, port in brokers.values():
        bench.load(port, requests=500, warm_up=0, kid="rsa", connections=16, duration=60)
    for _ in range(options.runs):
        for name, (_, port) in brokers.items():
            rates[name].append(bench.load(port, duration=4, warm_up=0, kid="rsa", connections=16)["per_second"])
    ended.set()
    for process, _ in brokers.values():
        process.kill()
        process.wait()
    ratio = statistics.median(slow / fast for slow, fast in zip(rates["slow"], rates["/dev/null"]))
    verdict = "ok" if ratio >= 0.95 else "MISSED"
    print(f"releases per second with the slowest reader of the log, of those with /dev/null: {ratio:.3f} >= 0.95  {verdict}")
    return verdict != "ok"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--baseline")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--audit-directory", help="where the audit file lies; what its flushes take is what that disk takes")
    options = parser.parse_args()
    options.broker = os.path.abspath(options.broker)
    bench = Bench(options)
    with tempfile.TemporaryDirectory() as work:
        servers = Servers(options.broker, work)
        try:
            missed = overhead(bench, servers, options, options.audit_directory or work)
            missed |= slow_reader(bench, servers, options)
        finally:
            servers.close()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
