#!/bin/sh
# pycose 1.1.0, the newest release, decodes no message at all beside cbor2 6.3.0, which `pip install pycose` brings along.
#
# cbor2 6 gives the array inside a tag as a tuple, where cbor2 5 gave a list; pycose asks for a list and sets no upper bound for cbor2.
# A COSE_Sign1 (an endorsement of a utility VM, a ledger's receipt) is such an array under tag 18.
#
# Seen on 2026-11-30 with Python 3.11:
#   cbor2 6.3.0: tuple, TypeError: Bytes cannot be decoded as COSE message
#   cbor2 5.9.0: list, b'hello'
# What to do: install 'cbor2<6' beside it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
cat > "$folder/trial.py" <<'PYTHON'
import importlib.metadata
import cbor2
from pycose.messages import Sign1Message

# Tag 18 over [protected {1: -35}, {}, payload, signature], as RFC 9052, 4.2, has it.
message = cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps({1: -35}), {}, b"hello", bytes(96)]))
try:
    outcome = Sign1Message.decode(message).payload
except TypeError as error:
    outcome = f"TypeError: {error}"
print(f"cbor2 {importlib.metadata.version('cbor2')}: {type(cbor2.loads(message).value).__name__}, {outcome}")
PYTHON
for version in 6.3.0 5.9.0; do
    "$folder/venv/bin/pip" install -q --disable-pip-version-check pycose==1.1.0 cbor2==$version cryptography==50.0.2 ecdsa==0.19.2
    "$folder/venv/bin/python" "$folder/trial.py" | tee -a "$folder/seen"
done
cat > "$folder/expected" <<'TEXT'
cbor2 6.3.0: tuple, TypeError: Bytes cannot be decoded as COSE message
cbor2 5.9.0: list, b'hello'
TEXT
cmp "$folder/seen" "$folder/expected" && echo "as described"
