"""One S3 client library behind standard input: a line of JSON asks, a line of JSON answers.

A request names an operation and its arguments, {"op": "upload", "bucket": ...}; the answer is
{"ok": value} or {"error": code, "message": text}. tests/support/clients.py asks; the operations are
the methods of its class Client.
"""
import json
import sys


def serve(client):
    """`client` has one method for each operation, and code(exception)."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"ok": getattr(client, request.pop("op"))(**request)}
        except Exception as error:  # whatever the library raises is what the test wants to see
            reply = {"error": client.code(error), "message": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()
