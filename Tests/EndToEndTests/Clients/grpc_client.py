"""A gRPC client made of the broker's own .proto files. Calls every method and prints one JSON line for what it saw.

Usage: grpc_client.py PROTOCOL-DIRECTORY TARGET KID [--tls CA [CERTIFICATE KEY]]
"""

import argparse
import base64
import importlib
import json
import os
import sys
import tempfile

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


def code(call):
    """The status of a call, with the broker's words out of its details."""
    try:
        call()
        return "OK"
    except grpc.RpcError as error:
        words = [value for key, value in error.trailing_metadata() or [] if key == "grpc-status-details-bin"]
        found = [name for name in (b"invalidRequest", b"noProvider", b"releaseDenied", b"keyNotFound") if words and name in words[0]]
        return " ".join([error.code().name] + [name.decode() for name in found])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("target")
    parser.add_argument("kid")
    parser.add_argument("--tls", nargs="+")
    parser.add_argument("--denied", default="")
    options = parser.parse_args()
    found = modules(options.directory)
    if options.tls:
        files = [open(path, "rb").read() for path in options.tls]
        secrets = grpc.ssl_channel_credentials(*([files[0], files[2], files[1]] if len(files) == 3 else files[:1]))
        channel = grpc.secure_channel(options.target, secrets)
    else:
        channel = grpc.insecure_channel(options.target)
    seen = {}
    try:
        grpc.channel_ready_future(channel).result(timeout=20)
    except grpc.FutureTimeoutError:
        print(json.dumps({"connected": False}))
        return
    seen["connected"] = True

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
        "far too long": code(unwrap(b" " * (4 << 20))) != "OK",
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
