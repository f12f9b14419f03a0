"""Reads that no fill can serve, or not yet: what they cost the origin, and that they end well."""
import http.client
import threading
import time

from compare import pattern
from conftest import SCRIPT
from node import MIB, wait_until
from raw_http import RawConnection, request_bytes
from s3_semantics import Answer
from scripted_origin import Script

EXTENT = 64 * MIB
BIG = 150 * MIB
NO_PRESTAGE = {"prestage": {"trigger": "off"}}


def starts_at(offset):
    return lambda request: (request.header("range") or "").startswith(f"bytes={offset}-")


class Reading(threading.Thread):
    """One GET in the background."""

    def __init__(self, client, path, **options):
        super().__init__()
        self.call = lambda: client.get(path, **options)
        self.reply = self.error = None
        self.start()

    def run(self):
        try:
            self.reply = self.call()
        except (http.client.IncompleteRead, ConnectionError) as error:
            self.error = error

    def result(self):
        self.join(60)
        return self.reply


def test_a_large_range_of_what_was_not_cached_is_no_touch_of_its_blocks(scripted, node):
    """Small when last seen, large now: relayed, and not filled once more behind the answer."""
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    large = pattern(13 * MIB)
    for _ in range(2):
        scripted.put("bucket", "key", b"small")
        assert client.get("/bucket/key").body == b"small"
        scripted.put("bucket", "key", large)
        before = scripted.body_bytes()
        assert client.get("/bucket/key", headers=[("Range", "bytes=0-")]).body == large
        proxy.settle()
        assert scripted.body_bytes() - before == len(large)
