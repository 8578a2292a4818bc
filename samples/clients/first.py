import json, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
answer = opener.open("http://127.0.0.1:8080/key/release", json.dumps({"kid": "example"}).encode())
key = json.loads(json.load(answer)["key"])
print("released a key of type", key["kty"])
