"""A gRPC client made of the broker's own .proto files. Prints one JSON line for what it saw.

Usage: grpc_client.py PROTOCOL-DIRECTORY TARGET KID [--tls CA [CERTIFICATE KEY]] [--do MODE]
every: each method. ask: a few, and what they are told. packets: what is in packets of each kind, by both names.
malformed: what must be refused. load: many clients, over REST too.
vanish: clients that go away in the middle of a call.
"""

import argparse
import base64
import importlib
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
import urllib.request

import grpc
from grpc_tools import protoc

PAYLOAD = bytes(range(193))


def modules(directory):
    """What protoc makes of the files."""
    out = tempfile.mkdtemp()
    names = [name for name in os.listdir(directory) if name.endswith(".proto")]
    assert protoc.main(["protoc", f"-I{directory}", f"--python_out={out}", f"--grpc_python_out={out}"] + names) == 0
    sys.path.insert(0, out)
    result = {}
    for name in ["keyprovider", "key_provider", "health", "reflection"]:
        result[name] = (importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc"))
    return result


def wrap_request(kid):
    parameter = base64.b64encode(b"skr:" + kid.encode()).decode()
    return json.dumps(
        {
            "op": "keywrap",
            "keywrapparams": {
                "ec": {"Parameters": {"attestation-agent": [parameter]}, "DecryptConfig": {"Parameters": {}}},
                "optsdata": base64.b64encode(PAYLOAD).decode(),
            },
            "keyunwrapparams": {"dc": None, "annotation": None},
        }
    ).encode()


def unwrap_request(annotation):
    return json.dumps(
        {
            "op": "keyunwrap",
            "keywrapparams": {"ec": None, "optsdata": None},
            "keyunwrapparams": {
                "dc": {"Parameters": {"attestation-agent": ["c2ty"]}},
                "annotation": base64.b64encode(annotation).decode(),
            },
        }
    ).encode()


def go_bytes(value):
    """A byte string as Go's encoding/json reads one: base64 or an array of numbers."""
    return base64.b64decode(value) if isinstance(value, str) else bytes(value)


def rust_bytes(value):
    """A byte string as serde reads a Vec<u8>: an array of numbers and nothing else."""
    assert isinstance(value, list) and all(isinstance(number, int) and 0 <= number < 256 for number in value)
    return bytes(value)


def connects(channel):
    """Whether the first attempt succeeds."""
    ended, states = threading.Event(), []

    def note(state):
        states.append(state)
        if state in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
            ended.set()

    channel.subscribe(note, try_to_connect=True)
    ended.wait()
    channel.unsubscribe(note)
    return grpc.ChannelConnectivity.READY in states


def raw_methods(channel):
    """Methods that send bytes as they are, and give bytes."""
    names = {"current": "keyprovider", "original": "key_provider"}
    return {
        (service, method): channel.unary_unary(f"/{package}.KeyProviderService/{method}")
        for service, package in names.items()
        for method in ["WrapKey", "UnWrapKey", "GetReport", "GetAttestationData", "SayHello"]
    }


def field(content):
    """A protobuf message with one byte string, number 1."""
    length, size = b"", len(content)
    while True:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if not size:
            return b"\x0a" + length + content


def unfield(message):
    """The byte string of such a message."""
    size, shift, index = 0, 0, 1
    while True:
        size |= (message[index] & 127) << shift
        shift, index = shift + 7, index + 1
        if message[index - 1] < 128:
            return message[index : index + size]


def wrapped(wrap, kid):
    """A packet, of a method that wraps."""
    answer = unfield(wrap(field(wrap_request(kid)), timeout=60))
    return bytes(json.loads(answer)["keywrapresults"]["annotation"])


def malformed_inputs(kid, packet):
    """Name, service, method and message of what must be refused. `packet` is a good one."""
    good = json.loads(packet)

    def changed(**members):
        return unwrap_request(json.dumps({name: value for name, value in {**good, **members}.items() if value is not None}).encode())

    def wrap(**members):
        request = json.loads(wrap_request(kid))
        request["keywrapparams"].update(members)
        return json.dumps(request).encode()

    def parameters(value):
        return wrap(ec={"Parameters": value, "DecryptConfig": {}})

    def encoded(text):
        return base64.b64encode(text.encode()).decode()

    block = {"wrapped_key": None, "iv": None, "wrap_type": "rsa_3072"}
    guest = {"wrapped_key": None, "kid": "kbs:///default/image-kek/1", "wrapped_data": "AQID", "wrap_type": "A256GCM"}
    unwraps = {
        "empty": b"", "null": b"null", "no JSON": b"\xff\x00{", "array": b"[]", "text": b'"keyunwrap"', "number": b"1",
        "cut": unwrap_request(packet)[:-1], "trailing": unwrap_request(packet) + b"{}", "mark": b"\xef\xbb\xbf" + unwrap_request(packet),
        "deep lists": b"[" * 100000, "deep objects": b'{"a":' * 20000, "no op": b"{}", "op null": b'{"op":null}', "op number": b'{"op":1}',
        "other op": b'{"op":"keydelete","keyunwrapparams":{"annotation":"e30="}}', "op of the other method": wrap_request(kid),
        "op twice": b'{"op":"keyunwrap","op":"keywrap","keyunwrapparams":{"annotation":"e30="}}',
        "no parameters": b'{"op":"keyunwrap"}', "parameters null": b'{"op":"keyunwrap","keyunwrapparams":null}',
        "annotation null": b'{"op":"keyunwrap","keyunwrapparams":{"annotation":null}}',
        "annotation array": b'{"op":"keyunwrap","keyunwrapparams":{"annotation":[123,125]}}',
        "annotation no base64": b'{"op":"keyunwrap","keyunwrapparams":{"annotation":"!"}}',
        "annotation empty": unwrap_request(b""), "annotation text": unwrap_request(b"packet"), "annotation list": unwrap_request(b"[]"),
        "annotation not UTF-8": unwrap_request(b'{"kid":"\xff"}'), "annotation deep": unwrap_request(b"[" * 50000),
        "lone surrogate": unwrap_request(b'{"kid":"\\ud800","wrapped_data":"AQID"}'),
        "no kid": changed(kid=None), "kid null": unwrap_request(b'{"kid":null,"wrapped_data":"AQID"}'), "kid number": changed(kid=1),
        "kid empty": changed(kid=""), "kid of a file": changed(kid="/etc/passwd"), "kid up": changed(kid="../image-key"),
        "kid with NUL": changed(kid="image\0key"), "kid with a line": changed(kid="image\nkey"), "kid huge": changed(kid="k" * 10000),
        "kid of nobody": changed(kid="nobody-has-it"), "kid of no table": changed(kid="kbs:///nobody/has/it"),
        "type that is none": changed(wrap_type="aes"),
        "type in capitals": changed(wrap_type="RSA_3072"),
        "type number": changed(wrap_type=1),
        "type of another size": changed(wrap_type="A128GCM"), "provider aliyun": changed(provider="aliyun", wrap_type=None),
        "version 0.2.0": changed(**{**guest, "version": "0.2.0", "iv": "AAAAAAAAAAAAAAAA"}),
        "no data": changed(wrapped_data=None), "data empty": changed(wrapped_data=""), "data no base64": changed(wrapped_data="*"),
        "data cut": changed(wrapped_data=good["wrapped_data"][:8]), "data of a byte": changed(wrapped_data="AA==", **block),
        "data of 255 bytes": changed(wrapped_data=base64.b64encode(b"x" * 255).decode(), **block),
        "data of 257 bytes": changed(wrapped_data=base64.b64encode(b"x" * 257).decode(), **block),
        "data huge": changed(wrapped_data=base64.b64encode(bytes(90000)).decode()), "no iv": changed(iv=None),
        "iv short": changed(iv="AAAA"),
        "iv long": changed(iv=base64.b64encode(bytes(1000)).decode()),
        "iv another": changed(iv="AAAAAAAAAAAAAAAA"),
        "key wrapped anew": changed(wrapped_key=base64.b64encode(bytes(256)).decode()), "no wrapped key": changed(wrapped_key=None),
        "guest's without iv": changed(**{**guest, "iv": None}),
        "guest's for an RSA key": changed(**{**guest, "kid": kid, "iv": "AAAAAAAAAAAAAAAA"}),
        "RSA for nobody's symmetric key": changed(kid="kbs:///default/image-kek/1", **block),
        "store of somebody else": changed(kms_endpoint="vault.example.com"), "store by address": changed(kms_endpoint="169.254.169.254"),
        "store with a path": changed(kms_endpoint="contoso.vault.azure.net/x"),
        "store with a user": changed(kms_endpoint="a@contoso.vault.azure.net"),
        "store that looks alike": changed(kms_endpoint="contoso.vault.azure.net.example.com"),
        "authority of somebody else": changed(attester_endpoint="attest.example.com"), "authority number": changed(attester_endpoint=1),
    }
    wraps = {
        "wrap: empty": b"", "wrap: op of the other method": unwrap_request(packet), "wrap: no ec": wrap(ec=None),
        "wrap: no parameters": parameters(None),
        "wrap: parameters list": parameters([]),
        "wrap: other provider": parameters({"other": ["c2ty"]}),
        "wrap: another case": parameters({"Attestation-Agent": [encoded(f"skr:{kid}")]}),
        "wrap: no element": parameters({"attestation-agent": []}),
        "wrap: number": parameters({"attestation-agent": [1]}), "wrap: no base64": parameters({"attestation-agent": ["skr:x"]}),
        "wrap: two keys": parameters({"attestation-agent": [encoded("skr:a"), encoded("skr:b")]}),
        "wrap: many keys": parameters({"attestation-agent": [encoded(f"skr:{kid}")] * 5000}),
        "wrap: no name": parameters({"attestation-agent": [encoded("skr:")]}),
        "wrap: a file": parameters({"attestation-agent": [encoded("skr:/etc/passwd")]}),
        "wrap: key of nobody": parameters({"attestation-agent": [encoded("skr:nobody-has-it")]}),
        "wrap: not UTF-8": parameters({"attestation-agent": [base64.b64encode(b"skr:\xff").decode()]}),
        "wrap: no payload": wrap(optsdata=None), "wrap: payload empty": wrap(optsdata=""), "wrap: payload no base64": wrap(optsdata="*"),
        "wrap: payload huge": wrap(optsdata=base64.b64encode(bytes(150000)).decode()),
    }
    found = [(name, "current", "UnWrapKey", field(message)) for name, message in unwraps.items()]
    found += [(name, "original", "WrapKey", field(message)) for name, message in wraps.items()]
    found += [
        ("field cut", "current", "UnWrapKey", b"\x0a\x7f{}"), ("length of ten bytes", "current", "UnWrapKey", b"\x0a" + b"\xff" * 10),
        ("field of another type", "current", "UnWrapKey", b"\x08\x01"), ("no protobuf", "original", "UnWrapKey", b"\xff" * 64),
        ("group that does not end", "current", "WrapKey", b"\x0b" * 200),
        ("report data that is none", "original", "GetReport", field(b"xyz")),
        ("report data too long", "original", "GetReport", field(b"00" * 65)),
        ("report data not UTF-8", "original", "GetReport", field(b"\xff\xfe")),
        ("runtime data that is none", "original", "GetAttestationData", field(b"*")),
        ("no runtime data", "original", "GetAttestationData", b""),
        ("name not UTF-8", "original", "SayHello", field(b"\xc3\x28")), ("method of the other service", "current", "GetReport", b""),
        ("too long", "current", "UnWrapKey", field(b" " * (300 << 10))), ("far too long", "original", "WrapKey", field(b" " * (4 << 20))),
    ]
    return found


def frames(target):
    """What is no gRPC at all, or only the beginning of it, on connections that are closed then."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    def frame(kind, flags, stream, content=b""):
        return struct.pack(">I", len(content))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + content

    settings = frame(4, 0, 0)
    for data in [
        b"\0",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\0",
        preface[:10],
        preface,
        preface + frame(1, 4, 1, b"\xff" * 100),
        preface + settings + frame(0, 0, 1, b"data of no call"),
        preface + settings + frame(9, 0, 1, b"x"),
        preface + settings + frame(1, 0, 1, b"\x82"),
        preface + settings + b"".join(frame(3, 0, 2 * number + 1, b"\0\0\0\x08") for number in range(500)),
        preface + settings + struct.pack(">I", 0xFFFFFF)[1:] + b"\0\0" + struct.pack(">I", 1),
    ]:
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(data)


def malformed(options, found, channel):
    methods = raw_methods(channel)
    packet = wrapped(methods["current", "WrapKey"], options.kid)
    seen = {}
    for name, service, method, message in malformed_inputs(options.kid, packet):
        seen[name] = code(lambda: methods[service, method](message, timeout=60))
    seen["deadline of zero"] = code(lambda: methods["current", "UnWrapKey"](field(unwrap_request(packet)), timeout=0))
    frames(options.target)
    opened = json.loads(unfield(methods["current", "UnWrapKey"](field(unwrap_request(packet)), timeout=60)))
    return {"codes": seen, "lives": bytes(opened["keyunwrapresults"]["optsdata"]) == PAYLOAD}


def ask(options, found, channel):
    methods = raw_methods(channel)
    wrap = lambda: methods["current", "WrapKey"](field(wrap_request(options.kid)), timeout=60)
    codes = {"wrap": code(wrap), "report": code(lambda: methods["original", "GetReport"](field(b"00"), timeout=60))}
    packet = json.dumps({"kid": options.kid, "wrapped_data": base64.b64encode(bytes(256)).decode(), "wrap_type": "rsa_3072"}).encode()
    if codes["wrap"] == "OK":
        packet = bytes(json.loads(unfield(wrap()))["keywrapresults"]["annotation"])
    codes["unwrap"] = code(lambda: methods["current", "UnWrapKey"](field(unwrap_request(packet)), timeout=60))
    return {"codes": codes}


def packets(options, found, channel):
    """What is in packets, of both services: those of files, and one that each makes of the recorded 193 bytes."""
    methods, seen = raw_methods(channel), {}
    for service in ["current", "original"]:
        given = {os.path.basename(path): open(path, "rb").read() for path in options.packets}
        for kid in options.kid.split(","):
            given[kid] = wrapped(methods[service, "WrapKey"], kid)
        for name, packet in given.items():
            packet = packet if packet.lstrip().startswith(b"{") else base64.b64decode(packet)
            opened = json.loads(unfield(methods[service, "UnWrapKey"](field(unwrap_request(packet)), timeout=60)))
            data = opened["keyunwrapresults"]["optsdata"]
            assert go_bytes(data) == rust_bytes(data)
            seen[f"{service} {name}"] = [json.loads(packet).get("wrap_type"), bytes(data) == PAYLOAD]
    return seen


def load(options, found, channel):
    """Half of the clients over REST, half over gRPC with a connection each, all at once."""
    wrap = channel.unary_unary("/keyprovider.KeyProviderService/WrapKey")
    packet = wrapped(wrap, options.kid)
    request, errors, counts = field(unwrap_request(packet)), [], {"rest": 0, "grpc": 0}
    lock, ready, start = threading.Lock(), threading.Barrier(options.clients), []

    def rounds():
        ready.wait()
        if options.seconds:
            end = time.monotonic() + options.seconds
            while time.monotonic() < end:
                yield
        else:
            yield from range(options.calls)

    def count(kind, work):
        done = 0
        try:
            for _ in rounds():
                work()
                done += 1
        except Exception as error:  # whatever it is, it is what the test looks for
            errors.append(f"{kind}: {error}")
        with lock:
            counts[kind] += done

    def over_rest():
        body = json.dumps({"kid": options.kid}).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        url = f"http://{options.rest}/key/release"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        count("rest", lambda: json.load(opener.open(request, timeout=60))["key"])

    def over_grpc():
        # A connection of its own: channels to one address would share theirs.
        with grpc.insecure_channel(options.target, [("grpc.use_local_subchannel_pool", 1)]) as own:
            unwrap = own.unary_unary("/keyprovider.KeyProviderService/UnWrapKey")
            count("grpc", lambda: unwrap(request, timeout=60))

    threads = [threading.Thread(target=over_rest if number % 2 else over_grpc) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"errors": errors[:5], **counts}


def vanish(options, found, channel):
    """Clients that send a request and close, and others that end their call and keep the connection."""
    wrap = channel.unary_unary("/keyprovider.KeyProviderService/WrapKey")
    packet = wrapped(wrap, options.kid)

    def sockets():
        count, directory = 0, f"/proc/{options.process}/fd"
        for name in os.listdir(directory):
            try:
                count += os.readlink(f"{directory}/{name}").startswith("socket:")
            except FileNotFoundError:
                pass  # closed since
        return count

    def idle():
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(options.metrics, timeout=60) as page:
            figures = page.read().decode()
        return all(f"\nbroker_releases_{name} 0\n" in figures for name in ("running", "waiting"))

    assert idle()
    before = sockets()
    for number in range(options.clients):
        own = grpc.insecure_channel(options.target, [("grpc.use_local_subchannel_pool", 1)])
        grpc.channel_ready_future(own).result(timeout=60)
        call = own.unary_unary("/keyprovider.KeyProviderService/UnWrapKey").future(field(unwrap_request(packet)), timeout=60)
        if number % 2:
            call.cancel()
        own.close()
    # Some connections to services may be new.
    while sockets() > before + 8 or not idle():
        time.sleep(0.01)
    return {"vanished": options.clients}


def code(call):
    """The status of a call, with the broker's words out of its details."""
    try:
        call()
        return "OK"
    except grpc.RpcError as error:
        words = [value for key, value in error.trailing_metadata() or [] if key == "grpc-status-details-bin"]
        known = (b"invalidRequest", b"noProvider", b"releaseDenied", b"keyNotFound", b"callerRefused", b"unwrapFailed")
        found = [name for name in known if words and name in words[0]]
        return " ".join([error.code().name] + [name.decode() for name in found])


MODES = {"ask": ask, "packets": packets, "malformed": malformed, "load": load, "vanish": vanish}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("target")
    parser.add_argument("kid")
    parser.add_argument("--tls", nargs="+")
    parser.add_argument("--denied", default="")
    parser.add_argument("--do", choices=["every", "ask", "packets", "malformed", "load", "vanish"], default="every")
    parser.add_argument("--rest", default="", help="address of the REST interface, for load")
    parser.add_argument("--clients", type=int, default=64, help="clients of load, half of them over REST, and of vanish")
    parser.add_argument("--calls", type=int, default=10, help="calls of each client of load")
    parser.add_argument("--packets", nargs="*", default=[], help="files with packets of the recorded 193 bytes, for packets")
    parser.add_argument("--process", type=int, help="the broker's, for vanish")
    parser.add_argument("--metrics", help="where its figures are, for vanish")
    parser.add_argument("--seconds", type=float, default=0, help="how long load lasts instead")
    options = parser.parse_args()
    found = modules(options.directory)
    if options.tls:
        files = [open(path, "rb").read() for path in options.tls]
        secrets = grpc.ssl_channel_credentials(*([files[0], files[2], files[1]] if len(files) == 3 else files[:1]))
        channel = grpc.secure_channel(options.target, secrets)
    else:
        channel = grpc.insecure_channel(options.target)
    # One that is left open keeps the process from ending after an exception.
    with channel:
        every(options, found, channel)


def every(options, found, channel):
    """Each method, unless something else is to be done."""
    seen = {}
    if not connects(channel):
        print(json.dumps({"connected": False}))
        return
    seen["connected"] = True

    if options.do != "every":
        print(json.dumps(MODES[options.do](options, found, channel)))
        return
    current, current_stub = found["keyprovider"]
    original, original_stub = found["key_provider"]
    first, second = current_stub.KeyProviderServiceStub(channel), original_stub.KeyProviderServiceStub(channel)
    packets = []
    for name, call, message, field, result in [
        ("current", first, current.keyProviderKeyWrapProtocolInput, "KeyProviderKeyWrapProtocolInput", "KeyProviderKeyWrapProtocolOutput"),
        (
            "original",
            second,
            original.KeyProviderKeyWrapProtocolInput,
            "key_provider_key_wrap_protocol_input",
            "key_provider_key_wrap_protocol_output",
        ),
    ]:
        wrapped = json.loads(getattr(call.WrapKey(message(**{field: wrap_request(options.kid)}), timeout=60), result))
        annotation = wrapped["keywrapresults"]["annotation"]
        assert go_bytes(annotation) == rust_bytes(annotation)
        packets.append(bytes(annotation))
        opened = json.loads(getattr(call.UnWrapKey(message(**{field: unwrap_request(bytes(annotation))}), timeout=60), result))
        data = opened["keyunwrapresults"]["optsdata"]
        assert go_bytes(data) == rust_bytes(data) == PAYLOAD and list(opened) == ["keyunwrapresults"]
        seen[name] = "round trip"

    def unwrap(body):
        return lambda: first.UnWrapKey(current.keyProviderKeyWrapProtocolInput(KeyProviderKeyWrapProtocolInput=body), timeout=60)

    def packet(**members):
        return unwrap_request(json.dumps({**json.loads(packets[0]), **members}).encode())

    seen["codes"] = {
        "empty": code(unwrap(b"")),
        "not json": code(unwrap(b"\xff\x00{")),
        "wrong op": code(unwrap(wrap_request(options.kid))),
        "deep": code(unwrap(b"[" * 100000)),
        "unknown type": code(unwrap(packet(wrap_type="aes"))),
        "foreign store": code(unwrap(packet(kms_endpoint="vault.example.com"))),
        "no such key": code(unwrap(packet(kid="nobody-has-it"))),
        "file as key": code(unwrap(packet(kid="/etc/passwd"))),
        "too long": code(unwrap(b" " * (300 << 10))),
        "far too long": code(unwrap(b" " * (4 << 20))),
        "deadline": code(lambda: first.UnWrapKey(
            current.keyProviderKeyWrapProtocolInput(KeyProviderKeyWrapProtocolInput=packet()), timeout=0.000001)),
        "no such method": code(lambda: channel.unary_unary("/keyprovider.KeyProviderService/Other")(b"", timeout=20)),
    }
    if options.denied:
        seen["codes"]["denied"] = code(unwrap(packet(kid=options.denied)))
    seen["hello"] = second.SayHello(original.HelloRequest(name="there"), timeout=20).message
    report = second.GetReport(original.KeyProviderGetReportInput(report_data_hex_string="0102ff"), timeout=60).report_hex_string
    seen["report_data"] = report[160:168]
    data = second.GetAttestationData(
        original.KeyProviderGetAttestationDataInput(b64_runtime_data_string=base64.b64encode(b"data").decode()), timeout=60
    )
    seen["attestation"] = [
        len(data.endorsed_tcb),
        base64.b64decode(data.certs).count(b"BEGIN CERTIFICATE"),
        len(base64.b64decode(data.attestation_report)),
    ]
    health, health_stub = found["health"]
    check = health_stub.HealthStub(channel).Check
    seen["health"] = [
        check(health.HealthCheckRequest(service=name), timeout=60).status for name in ["", "keyprovider.KeyProviderService"]
    ] + [code(lambda: check(health.HealthCheckRequest(service="other"), timeout=60))]
    reflection, reflection_stub = found["reflection"]

    def services():
        ask = reflection_stub.ServerReflectionStub(channel).ServerReflectionInfo
        answers = ask(iter([reflection.ServerReflectionRequest(list_services="*")]), timeout=20)
        return [service.name for answer in answers for service in answer.list_services_response.service]

    seen["reflection"] = code(services)
    if seen["reflection"] == "OK":
        from google.protobuf.descriptor_pool import DescriptorPool
        from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

        seen["services"] = services()
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName("key_provider.KeyProviderService").FindMethodByName("GetReport")
        seen["described"] = method.input_type.full_name
    print(json.dumps(seen))


main()
