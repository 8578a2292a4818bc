#!/usr/bin/env python3
"""Reads each line of standard input as another implementation does, and writes one line for it.

    peers.py base64     hexadecimal of the text; answers with what it decodes to in each alphabet, or `refused`
    peers.py numbers    the inside of a JSON list; answers with its integers in decimal and its reals as the bits of a double
    peers.py cbor       hexadecimal of one item; answers with its shortest encoding by cbor2
"""
import base64
import json
import math
import struct
import sys


def decoded(text, decode, encode, padded):
    """Canonical only: written again it must be the same."""
    try:
        body = text if padded else text + b"=" * (-len(text) % 4 if b"=" not in text else 0)
        content = decode(body)
    except ValueError:
        return "refused"
    again = encode(content)
    return content.hex() if again == text or not padded and again.rstrip(b"=") == text else "refused"


def both(line):
    text = bytes.fromhex(line)

    def url(body):
        if b"+" in body or b"/" in body:
            raise ValueError("another alphabet")
        return base64.b64decode(body.replace(b"-", b"+").replace(b"_", b"/"), validate=True)

    standard = decoded(text, lambda body: base64.b64decode(body, validate=True), base64.b64encode, True)
    return standard + " " + decoded(text, url, base64.urlsafe_b64encode, False)


def numbers(line):
    def refuse(name):
        raise ValueError(name)

    try:
        values = json.loads(f"[{line}]", parse_constant=refuse)
    except (ValueError, RecursionError):
        return "refused"
    words = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "refused"
        if isinstance(value, int):
            if not -2**63 <= value < 2**63:
                return "beyond"
            words.append(str(value))
        elif math.isinf(value):
            return "beyond"
        else:
            words.append(f"{struct.unpack('>Q', struct.pack('>d', value))[0]:x}")
    return " ".join(words)


def cbor(line):
    import cbor2

    return cbor2.dumps(cbor2.loads(bytes.fromhex(line))).hex()


if __name__ == "__main__":
    answer = {"base64": both, "numbers": numbers, "cbor": cbor}[sys.argv[1]]
    for line in sys.stdin:
        print(answer(line.rstrip("\n")))
