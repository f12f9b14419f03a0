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


def test_sizes_beyond_counting(scripted, node):
    """An origin that lies about an object's size busies nobody."""
    etag = scripted.put("bucket", "key", b"abcd").etag
    client = node(scripted).client(SCRIPT)
    total = 1 << 54
    for first, last in ((0, total - 1), (total - 4, total - 1)):
        headers = [("ETag", etag), ("Content-Range", f"bytes {first}-{last}/{total}")]
        scripted.on(Script(answer=Answer(206, headers, b"abcd")), method="GET", times=3)
        for _ in range(3):
            reply = client.get("/bucket/key", headers=[("Range", f"bytes={total - 4}-{total - 1}")])
            assert (reply.status, reply.body) == (206, b"abcd")
        scripted.clear_scripts()
    # Each worker has its turn.
    assert [client.get("/bucket/key").body for _ in range(8)] == [b"abcd"] * 8


def test_what_the_origin_has_decided_is_not_asked_again(scripted, node):
    """A first whole read under a condition that only the origin can judge is one request."""
    body = scripted.put("bucket", "key", pattern(9 * MIB)).body
    reply = node(scripted).client(SCRIPT).get("/bucket/key",
                                              headers=[("If-None-Match", '"x", "y"')])
    assert (reply.status, reply.body) == (200, body)
    assert len(scripted.requests) == 1
