#!/usr/bin/env python3
"""Reports what two sidecars answer to the same requests, and where they differ.

    conformance.py http://127.0.0.1:8284 http://127.0.0.1:9000 --key demo-rsa --key demo-oct@contoso.managedhsm.azure.net

The first is what is right, for example the original; the second is judged. Both must see the same key stores, and evidence that the policies
of the keys admit. Released keys are compared member by member; of private members only whether they are equal is shown. Tokens and reports
differ at every request, so their form is compared. Members that only the second adds to an error are noted, and are no difference.

Exit status: 0 no difference, 1 differences, 2 a sidecar could not be asked.
"""
import argparse, base64, json, sys, urllib.error, urllib.request

# Another one in every answer.
VOLATILE = {"request_id"}
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(base, method, path, body, timeout):
    """Status and body. `body` is bytes, an object for JSON, or None."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(base.rstrip("/") + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with NO_PROXY.open(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def kind(value):
    return {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}.get(type(value), "null")


def token_form(text):
    """Claims of a token with the kind of each; None when it is none."""
    parts = text.split(".") if isinstance(text, str) else []
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return {name: kind(value) for name, value in claims.items()}


def members(place, first, second, shown=lambda name, value: repr(value)):
    """Differences of two objects, member by member."""
    for name in sorted(first.keys() | second.keys()):
        if name not in second:
            yield f"{place}.{name} is missing in the second"
        elif name not in first:
            yield f"{place}.{name} is only in the second"
        elif first[name] != second[name]:
            yield f"{place}.{name} is {shown(name, first[name])}, in the second {shown(name, second[name])}"


def compare_key(first, second):
    first, second = (parsed(one["key"]) if isinstance(one.get("key"), str) else one.get("key") for one in (first, second))
    if not isinstance(first, dict) or not isinstance(second, dict):
        return ["key is no JWK in " + ("both" if not isinstance(first, dict) and not isinstance(second, dict) else "one of them")]
    return list(members("key", first, second, lambda name, value: "another value" if name in PRIVATE else repr(value)))


def compare_form(first, second):
    """Of answers that are never the same twice: members, kinds, claims of tokens, lengths of hexadecimal text."""
    def form(answer):
        result = {}
        for name, value in answer.items():
            claims = token_form(value)
            if claims is not None:
                result.update({f"{name}:{claim}": of for claim, of in claims.items()})
            elif isinstance(value, str) and value and all(digit in "0123456789abcdef" for digit in value):
                result[name] = f"{len(value)} hexadecimal digits"
            else:
                result[name] = kind(value)
        return result
    return list(members("answer", form(first), form(second)))


def judge(case, first, second, notes):
    """Differences between the answers (status, body) to one request."""
    if first[0] != second[0]:
        return [f"status is {first[0]}, in the second {second[0]}"]
    bodies = parsed(first[1]), parsed(second[1])
    if not all(isinstance(body, dict) for body in bodies):
        same = first[1].strip() == second[1].strip() or all(body is None for body in bodies) and first[0] == 404
        return [] if same else ["bodies differ, and not both are JSON objects"]
    if first[0] == 200:
        return compare_key(*bodies) if case["compare"] == "key" else compare_form(*bodies)
    notes.update(bodies[1].keys() - bodies[0].keys())
    bodies = [{name: kind(value) if name in VOLATILE else value for name, value in body.items()} for body in bodies]
    return [line for line in members("error", bodies[0], bodies[1]) if not line.endswith("only in the second")]


def cases(keys, authority):
    maa = {"maa_endpoint": authority} if authority else {}
    runtime = base64.b64encode(b'{"keys":[]}').decode()
    yield "status", "GET", "/status", None, "form"
    yield "raw evidence", "POST", "/attest/raw", {"runtime_data": runtime}, "form"
    yield "token", "POST", "/attest/maa", {"runtime_data": runtime, **maa}, "form"
    for path in ("/attest/raw", "/attest/maa", "/key/release"):
        yield f"{path} without a body", "POST", path, b"", "form"
        yield f"{path} with no JSON", "POST", path, b"{", "form"
        yield f"{path} with an empty object", "POST", path, {}, "form"
        yield f"{path} with a list", "POST", path, [], "form"
        yield f"{path} by GET", "GET", path, None, "form"
    for path in ("/attest/raw", "/attest/maa"):
        yield f"{path} with broken base64", "POST", path, {"runtime_data": "***", **maa}, "form"
    yield "token of no authority", "POST", "/attest/maa", {"maa_endpoint": "", "runtime_data": runtime}, "form"
    yield "release of a key that is not there", "POST", "/key/release", {"kid": "no-such-key", **maa, **store(keys)}, "form"
    yield "unknown path", "GET", "/no/such/path", None, "form"
    for key in keys:
        name = key.partition("@")[0]
        yield f"release of {key}", "POST", "/key/release", {"kid": name, **maa, **store([key])}, "key"


def store(keys):
    host = keys[0].partition("@")[2] if keys else ""
    return {"akv_endpoint": host} if host else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", help="base URL of the sidecar that is right")
    parser.add_argument("second", help="base URL of the sidecar that is judged")
    parser.add_argument("--key", action="append", default=[], metavar="NAME[@STORE]", help="a key to release; may be repeated")
    parser.add_argument("--authority", help="maa_endpoint of the requests, where the sidecars have none of their own")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for each request")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    results, notes = [], set()
    for name, method, path, body, compare in cases(options.key, options.authority):
        try:
            answers = [ask(base, method, path, body, options.timeout) for base in (options.first, options.second)]
        except OSError as error:
            print(f"conformance: {method} {path} cannot be asked: {error}", file=sys.stderr)
            return 2
        differences = judge({"compare": compare}, *answers, notes)
        results.append({"request": name, "status": answers[0][0], "differences": differences})
    count = sum(bool(result["differences"]) for result in results)
    if options.json:
        print(json.dumps({"ok": count == 0, "requests": results, "added_to_errors": sorted(notes)}, indent=2))
    else:
        for result in results:
            print(f"{'differs' if result['differences'] else 'same   '}  {result['status']}  {result['request']}")
            for line in result["differences"]:
                print(f"         {line}")
        if notes:
            print("note: the second adds to errors: " + ", ".join(sorted(notes)))
        print(f"{len(results)} requests, {count} answered differently")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
