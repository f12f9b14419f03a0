"""Reads that no fill can serve, or not yet: what they cost the origin, and that they end well."""
import http.client
import threading
import time

from compare import pattern
from conftest import ALICE, SCRIPT
from node import MIB, wait_until
from raw_http import RawConnection, request_bytes
from s3_semantics import Answer, S3Error
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


def test_fills_that_fail_cost_their_extent_only(scripted, node):
    body = scripted.put("bucket", "key", pattern(BIG)).body
    proxy = node(scripted, NO_PRESTAGE)
    client = proxy.client(SCRIPT)
    client.head("/bucket/key")
    # Two fills, each with its replacement.
    scripted.on(Script(cut_at=0), method="GET", when=starts_at(0), times=4)
    assert client.get("/bucket/key").body == body
    assert proxy.metric("forebay_read_bytes_total", source="direct") == EXTENT


def test_a_version_that_was_asked_for_outlives_an_overwrite(scripted, node):
    """Its reader follows the fill of one whose key may not name versions, and which the overwrite
    ends."""
    scripted.make_bucket("kept", versioned=True)
    old = scripted.put("kept", "key", pattern(20 * MIB))
    scripted.credentials[ALICE[0]] = (ALICE[1], None)
    scripted.deny = lambda r: (S3Error(403, "AccessDenied")
                               if "versionId" in r.query and r.access_key == SCRIPT[0] else None)
    proxy = node(scripted, NO_PRESTAGE)
    client, may_name = proxy.client(SCRIPT), proxy.client(ALICE)
    client.head("/kept/key")
    gate = threading.Event()
    scripted.on(Script(hold_at=(5 * MIB, gate), cut_at=6 * MIB), method="GET", nth=1)
    current = Reading(client, "/kept/key")
    wait_until(lambda: scripted.body_bytes() >= 5 * MIB, what="the fill")
    target, headers = may_name.signed("GET", "/kept/key", query=[("versionId", old.version_id)])
    with RawConnection(client.address, timeout=30) as by_version:
        by_version.send(request_bytes("GET", target, headers))
        assert by_version.head()[0] == 200
        beginning = by_version.body(5 * MIB)
        scripted.put("kept", "key", pattern(20 * MIB, "new"))
        gate.set()
        assert beginning + by_version.body(15 * MIB) == old.body
    assert current.result() is None and current.error, "no mixture of two versions"


def test_a_reader_far_ahead_of_a_fill(scripted, node):
    """It is served past the fill, and keeps nothing going that nobody else wants."""
    body = scripted.put("bucket", "key", pattern(BIG)).body
    gate, direct_gate = threading.Event(), threading.Event()
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    scripted.on(Script(hold_at=(MIB, gate)), method="GET", nth=1)
    scripted.on(Script(hold_at=(4 * MIB, direct_gate)), method="GET", when=starts_at(2 * EXTENT))
    target, headers = client.signed("GET", "/bucket/key")
    leaving = RawConnection(client.address, receive_buffer=4096)
    leaving.send(request_bytes("GET", target, headers))
    assert leaving.head()[0] == 200
    far = Reading(client, "/bucket/key",
                  headers=[("Range", f"bytes={2 * EXTENT}-{2 * EXTENT + 8 * MIB - 1}")])
    wait_until(lambda: len(scripted.asked("GET")) == 2, 5, "the reader's own request")
    leaving.reset()
    began = time.monotonic()
    gate.set()
    wait_until(lambda: proxy.metric("forebay_cache_fills_total", result="unwanted") == 1, 10,
               "the end of the fill")
    direct_gate.set()
    assert far.result().body == body[2 * EXTENT:2 * EXTENT + 8 * MIB]
    assert time.monotonic() - began < 15


def test_an_origin_that_knows_no_ranges(scripted, node):
    body = scripted.put("bucket", "key", pattern(9 * MIB)).body

    def forget_range(request):
        request.headers[:] = [field for field in request.headers if field[0].lower() != "range"]
    scripted.on(Script(before=forget_range), method="GET")
    client = node(scripted, NO_PRESTAGE).client(SCRIPT)
    client.head("/bucket/key")
    for headers in ([("Range", "bytes=5000000-8999999")], []):
        reply = client.get("/bucket/key", headers=headers)
        assert (reply.status, reply.body) == (200, body)


def test_what_the_origin_has_decided_is_not_asked_again(scripted, node):
    """A first whole read under a condition that only the origin can judge is one request."""
    body = scripted.put("bucket", "key", pattern(9 * MIB)).body
    reply = node(scripted).client(SCRIPT).get("/bucket/key",
                                              headers=[("If-None-Match", '"x", "y"')])
    assert (reply.status, reply.body) == (200, body)
    assert len(scripted.requests) == 1
