#!/usr/bin/env python3
"""OCI layouts for the sample: made, compared, and their annotations replaced. Nothing but Python's own library.

image.py make DIRECTORY            an index of two platforms, three layers each
image.py layers DIRECTORY          platform, media type and digest of every layer, a line each
image.py annotations DIRECTORY     the key provider's annotation of every layer, a line each
image.py replace DIRECTORY         the same, replaced by the lines of standard input
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ANNOTATION = "org.opencontainers.image.enc.keys.provider.attestation-agent"


def blob(directory, digest):
    return os.path.join(directory, "blobs", *digest.split(":"))


def store(directory, data, media_type, **members):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with open(blob(directory, digest), "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data), **members}


def write(directory, name, value):
    with open(os.path.join(directory, name), "w") as file:
        json.dump(value, file)


def make(directory):
    os.makedirs(os.path.join(directory, "blobs", "sha256"))
    manifests = []
    for architecture in ["amd64", "arm64"]:
        layers, digests = [], []
        for number in range(3):
            content = io.BytesIO()
            with tarfile.open(fileobj=content, mode="w") as archive:
                text = f"layer {number} for {architecture}\n".encode() * 1000 * (number + 1)
                entry = tarfile.TarInfo(f"file-{number}")
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
            digests.append("sha256:" + hashlib.sha256(content.getvalue()).hexdigest())
            compressed = gzip.compress(content.getvalue(), mtime=0)
            layers.append(store(directory, compressed, "application/vnd.oci.image.layer.v1.tar+gzip"))
        platform = {"architecture": architecture, "os": "linux"}
        config = {**platform, "config": {}, "rootfs": {"type": "layers", "diff_ids": digests}}
        config = store(directory, json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        manifests.append(store(directory, json.dumps(manifest).encode(), MANIFEST, platform=platform))
    media_type = "application/vnd.oci.image.index.v1+json"
    index = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
    entry = store(directory, json.dumps(index).encode(), media_type, annotations={"org.opencontainers.image.ref.name": "latest"})
    write(directory, "index.json", {"schemaVersion": 2, "manifests": [entry]})
    write(directory, "oci-layout", {"imageLayoutVersion": "1.0.0"})


def load(directory, digest):
    with open(blob(directory, digest)) as file:
        return json.load(file)


def visit(directory, change=None):
    """Platform and manifest of each image; what `change` makes of a manifest is stored in its place."""
    with open(os.path.join(directory, "index.json")) as file:
        top = json.load(file)
    found = []
    index = load(directory, top["manifests"][0]["digest"])
    for entry in index["manifests"]:
        manifest = load(directory, entry["digest"])
        found.append((entry["platform"]["architecture"], manifest))
        if change:
            change(manifest)
            entry.update(store(directory, json.dumps(manifest).encode(), entry["mediaType"]))
    if change:
        top["manifests"][0].update(store(directory, json.dumps(index).encode(), top["manifests"][0]["mediaType"]))
        write(directory, "index.json", top)
    return found


def main(command, directory):
    if command == "make":
        return make(directory)
    if command == "replace":
        lines = iter(sys.stdin.read().split())

        def change(manifest):
            for layer in manifest["layers"]:
                layer["annotations"][ANNOTATION] = next(lines)

        visit(directory, change)
        return None
    for architecture, manifest in visit(directory):
        for layer in manifest["layers"]:
            if command == "annotations":
                print(layer["annotations"][ANNOTATION])
            else:
                print(architecture, layer["mediaType"], layer["digest"])
    return None


main(*sys.argv[1:])
