#!/bin/sh
# pycose 1.1.0 takes the curve from the algorithm and not from the key: ES384 with a key of P-256 is signed on P-384.
#
# RFC 9053, 2.1, binds no curve to ES384, and Microsoft's published transparency trust list of 2026-06-16 is signed with ES384 and a key of
# P-256. With such a key pycose signs without a word, with 96 bytes instead of 64, which nobody who has the public key can verify; and its
# own verification of a right signature ends in an AssertionError, since the point is not on P-384.
#
# Seen on 2026-11-30 with Python 3.11, cbor2 5.9.0, ecdsa 0.19.2, cryptography 50.0.2:
#   signature of pycose: 96 bytes
#   signature of cryptography, verified by pycose: AssertionError
# What to do: take the key's curve, verify with cryptography over the Sig_structure.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pycose==1.1.0 cbor2==5.9.0 cryptography==50.0.2 ecdsa==0.19.2
cat > "$folder/trial.py" <<'PYTHON'
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
import cbor2
from pycose.algorithms import Es384
from pycose.headers import Algorithm
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import Sign1Message

private = ec.generate_private_key(ec.SECP256R1())
numbers = private.private_numbers()
octets = lambda number: number.to_bytes(32, "big")
key = EC2Key(crv=P256, x=octets(numbers.public_numbers.x), y=octets(numbers.public_numbers.y), d=octets(numbers.private_value))

own = Sign1Message(phdr={Algorithm: Es384}, payload=b"hello")
own.key = key
print(f"signature of pycose: {len(cbor2.loads(own.encode()).value[3])} bytes")

protected = cbor2.dumps({1: -35})
signed = cbor2.dumps(["Signature1", protected, b"", b"hello"])
r, s = decode_dss_signature(private.sign(signed, ec.ECDSA(hashes.SHA384())))
other = Sign1Message.decode(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, b"hello", octets(r) + octets(s)])))
other.key = key
try:
    outcome = other.verify_signature()
except AssertionError:
    outcome = "AssertionError"
print(f"signature of cryptography, verified by pycose: {outcome}")
PYTHON
"$folder/venv/bin/python" "$folder/trial.py" | tee "$folder/seen"
cat > "$folder/expected" <<'TEXT'
signature of pycose: 96 bytes
signature of cryptography, verified by pycose: AssertionError
TEXT
cmp "$folder/seen" "$folder/expected" && echo "as described"
