"""What an UnWrapKey costs; see keyprovider.sh. With --address it measures any key provider, of whatever program."""

import argparse
import base64
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import grpc
import release

METHOD = "/keyprovider.KeyProviderService/"
ORIGINAL = "/key_provider.KeyProviderService/"


def field(data):
    """A protobuf message with one field: bytes, number 1."""
    count, length = len(data), bytearray()
    while count > 127:
        length.append(count & 127 | 128)
        count >>= 7
    length.append(count)
    return b"\x0a" + bytes(length) + data


def content(message):
    index = 1
    while message[index] & 128:
        index += 1
    return message[index + 1 :]


def call(channel, method, document):
    return json.loads(content(channel.unary_unary(method)(field(json.dumps(document).encode()), timeout=60, wait_for_ready=True)))


def wrap(channel, kid, size):
    parameter = base64.b64encode(f"skr:{kid}".encode()).decode()
    parameters = {"ec": {"Parameters": {"attestation-agent": [parameter]}}, "optsdata": base64.b64encode(os.urandom(size)).decode()}
    return bytes(call(channel, METHOD + "WrapKey", {"op": "keywrap", "keywrapparams": parameters})["keywrapresults"]["annotation"])


def measure(target, method, packet, process, count):
    """Seconds of CPU of the process for each call, and the median of the times that one client sees."""
    document = {
        "op": "keyunwrap",
        "keywrapparams": {"ec": None, "optsdata": None},
        "keyunwrapparams": {
            "dc": {"Parameters": {"attestation-agent": [base64.b64encode(b"skr").decode()]}},
            "annotation": base64.b64encode(packet).decode(),
        },
    }
    with grpc.insecure_channel(target) as channel:
        for _ in range(3):
            call(channel, method + "UnWrapKey", document)
        times = []
        before = release.cpu(process) if process else 0
        for _ in range(count):
            began = time.perf_counter()
            call(channel, method + "UnWrapKey", document)
            times.append(time.perf_counter() - began)
        used = (release.cpu(process) - before) / count if process else None
    return used, statistics.median(times)


def other(servers, command, address, packet, count):
    """The same of another key provider, by the original's name, that a command starts in front of the same simulators as `storm` does."""
    ports = {name: re.search(rf'"{name}_port": ?(\d+)', servers.ports).group(1) for name in ("tls", "metadata", "proxy")}
    environment = {f"STORM_{name.upper()}_PORT": port for name, port in ports.items()} | {"STORM_DIRECTORY": f"{servers.work}/azure"}
    environment["STORM_BROKER"] = os.path.abspath(servers.broker)
    process = subprocess.Popen(["/bin/sh", "-c", "exec " + command], env=os.environ | environment, start_new_session=True)
    try:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
        return measure(address, ORIGINAL, packet, process.pid, count)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def memory(servers, bench, count):
    """What belongs to a process that serves gRPC too and has answered as many calls, beside one that serves REST alone."""
    sizes = []
    path = f"{servers.work}/memory.sock"
    for place in ({}, {"BROKER_SERVER_GRPC_UNIX": path}):
        process, port = servers.serve(**bench.LONG_SESSION, **place)
        if place:
            target = f"unix:{path}"
            with grpc.insecure_channel(target) as channel:
                packet = wrap(channel, "rsa", 193)
            measure(target, METHOD, packet, None, count)
        bench.load(port, requests=count, warm_up=0, kid="rsa")
        bench.wait_for_pool(process)
        sizes.append(release.anonymous(process.pid))
        servers.stop(process)
    grown = (sizes[1] - sizes[0]) / (1 << 20)
    verdict = "" if grown <= 4 else "  MISSED"
    print(f"anonymous memory, REST alone     {sizes[0] / (1 << 20):.1f} MiB")
    print(f"  with gRPC                      {grown:+.1f} MiB  <= 4{verdict}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", help="the program to measure against the simulators")
    parser.add_argument("--load", help="the load generator, for a REST release beside it")
    parser.add_argument("--address", help="gRPC target of a key provider that runs already")
    parser.add_argument("--process", type=int, help="its process, for its CPU")
    parser.add_argument("--packet", help="a file with the annotation packet that it opens, as JSON or in base64")
    parser.add_argument("--original", action="store_true", help="call it by the original sidecar's name")
    parser.add_argument("--start", help="command that starts another key provider in front of the simulators, as storm has it")
    parser.add_argument("--listens", help="its gRPC target")
    parser.add_argument("--other-count", type=int, default=50, help="calls of that one")
    parser.add_argument("--count", type=int, default=500)
    options = parser.parse_args()
    operation = release.private_operation()

    def show(name, used, median, bounds=(None, None)):
        for what, value, bound in (("CPU", used, bounds[0]), ("p50", median, bounds[1])):
            if value is not None:
                verdict = "" if bound is None else f"  <= {bound}" + ("" if value / operation <= bound else "  MISSED")
                print(f"{name:32} {what}  {value * 1e3:8.3f} ms  {value / operation:6.1f} private operations{verdict}")

    method = ORIGINAL if options.original else METHOD
    if options.address:
        data = open(options.packet, "rb").read()
        packet = data if data.lstrip().startswith(b"{") else base64.b64decode(data)
        show(options.address, *measure(options.address, method, packet, options.process, options.count))
    if not options.broker:
        return
    with tempfile.TemporaryDirectory() as work:
        servers = release.Servers(options.broker, work, ["--proxy-port", "0"] if options.start else [])
        try:
            settings = {
                "BROKER_SERVER_GRPC_UNIX": f"{work}/grpc.sock",
                "BROKER_RELEASE_SESSION_MAX_AGE": "1h",
                "BROKER_RELEASE_SESSION_MAX_USES": "1000000",
            }
            process, port = servers.serve(**settings)
            target = f"unix:{work}/grpc.sock"
            with grpc.insecure_channel(target) as channel:
                packet = wrap(channel, "rsa", 193)
                # Fits into one block, so it is a packet as the original has it.
                block = wrap(channel, "rsa", 128)
            bench = release.Bench(options)
            for arguments in ([], [1]):
                before = release.cpu(process.pid)
                bench.load(port, requests=options.count, warm_up=0 if arguments else 3, kid="rsa")
                rest = (release.cpu(process.pid) - before) / options.count
            show("REST release, same session", rest, None)
            show("UnWrapKey, 2048 bits, 193 bytes", *measure(target, METHOD, packet, process.pid, options.count), (7, 12))
            ours = measure(target, METHOD, block, process.pid, options.count)
            show("UnWrapKey, the original's packet", *ours)
            servers.stop(process)
            if options.start:
                used, median = other(servers, options.start, options.listens, block, options.other_count)
                show("  the other key provider", used, median)
                share = ours[0] / used
                print(f"  the broker's share of its CPU  {share:.3f}  <= 0.1" + ("" if share <= 0.1 else "  MISSED"))
            memory(servers, bench, options.count)
        finally:
            servers.close()


if __name__ == "__main__":
    sys.exit(main())
