#!/usr/bin/env python3
"""Asks the sidecar for a key, with nothing but Python's standard library: release.py [KEY NAME [URL]]. Prints which key came, never the key."""
import json
import sys
import time
import urllib.error
import urllib.request


def ask(path, body, url="http://127.0.0.1:8080", attempts=5):
    """The answer to a POST as a dictionary. Waits and asks again as long as the sidecar says that this may help."""
    # No proxy: the sidecar is on this machine, and its answers are secrets.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    for left in reversed(range(attempts)):
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            error = json.load(refusal)
            if left and error["retryable"]:
                time.sleep(int(refusal.headers.get("Retry-After", 1)))
                continue
            raise Refused(refusal.code, error) from None


class Refused(Exception):
    """What the sidecar said: `code`, `stage`, `retryable`, `request_id` and, where a service said no, `details` with its next steps."""

    def __init__(self, status, error):
        details = error.get("details") or {}
        lines = [f"{status} {error['code']}: {error['error']}", details.get("summary"), *details.get("next_steps", [])]
        super().__init__("\n  ".join(line for line in lines if line))
        self.status, self.error = status, error


def release(name, **more):
    """The released key as a JWK (RFC 7517)."""
    return json.loads(ask("/key/release", {"kid": name}, **more)["key"])


if __name__ == "__main__":
    try:
        key = release(*sys.argv[1:2] or ["example"], **dict(zip(["url"], sys.argv[2:3])))
    except Refused as refused:
        sys.exit(str(refused))
    print(f"released a key of type {key['kty']}")
