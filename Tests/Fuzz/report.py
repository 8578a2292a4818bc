#!/usr/bin/env python3
"""Decodes SEV-SNP attestation reports from the table of AMD 56860 alone, for comparison with SNPReport.

    report.py FILE...       the fields of each report as one JSON object a line
    report.py --hex         the same for each line of standard input, in hexadecimal
"""
import json
import sys

# Name, offset, length, kind: a number (little-endian, printed as hexadecimal), bytes, a version, or an integer of a signature.
FIELDS = [
    ("version", 0x000, 4, "number"), ("guest_svn", 0x004, 4, "number"), ("policy", 0x008, 8, "number"), ("family_id", 0x010, 16, "bytes"),
    ("image_id", 0x020, 16, "bytes"), ("vmpl", 0x030, 4, "number"), ("signature_algo", 0x034, 4, "number"),
    ("current_tcb", 0x038, 8, "number"), ("platform_info", 0x040, 8, "number"), ("key_info", 0x048, 4, "number"),
    ("report_data", 0x050, 64, "bytes"), ("measurement", 0x090, 48, "bytes"), ("host_data", 0x0C0, 32, "bytes"),
    ("id_key_digest", 0x0E0, 48, "bytes"), ("author_key_digest", 0x110, 48, "bytes"), ("report_id", 0x140, 32, "bytes"),
    ("report_id_ma", 0x160, 32, "bytes"), ("reported_tcb", 0x180, 8, "number"), ("cpuid", 0x188, 3, "bytes"),
    ("chip_id", 0x1A0, 64, "bytes"),
    ("committed_tcb", 0x1E0, 8, "number"), ("current_version", 0x1E8, 3, "version"), ("committed_version", 0x1EC, 3, "version"),
    ("launch_tcb", 0x1F0, 8, "number"), ("launch_mit_vector", 0x1F8, 8, "number"), ("current_mit_vector", 0x200, 8, "number"),
    ("current_etcb", 0x220, 32, "bytes"), ("signature_r", 0x2A0, 48, "integer"), ("signature_s", 0x2E8, 48, "integer"),
]


def decode(report):
    if len(report) != 0x4A0:
        raise ValueError(f"{len(report)} bytes")
    fields = {}
    for name, offset, length, kind in FIELDS:
        part = report[offset:offset + length]
        if kind == "version":
            fields[name] = f"{part[2]}.{part[1]}.{part[0]}"
        else:
            fields[name] = (part if kind == "bytes" else part[::-1]).hex()
    return fields


if __name__ == "__main__":
    if sys.argv[1:] == ["--hex"]:
        reports = [bytes.fromhex(line) for line in sys.stdin]
    else:
        reports = [open(path, "rb").read() for path in sys.argv[1:]]
    for report in reports:
        print(json.dumps(decode(report)))
