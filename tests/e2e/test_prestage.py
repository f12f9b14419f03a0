"""HeadObject answers at once and fills in the background, within bounds, never out of place."""
import threading
import time

import pytest
from compare import pattern
from conftest import ALICE, SCRIPT
from node import MIB, wait_until
from s3_semantics import S3Error
from scripted_origin import Script

SIZE = 20 * MIB + 5


def filled(client, path, size):
    """Waits until a whole read of `path` would be a hit, without reading it."""
    def last_byte_is_a_hit():
        reply = client.get(path, headers=[("Range", f"bytes={size - 1}-{size - 1}")])
        return reply.header("x-forebay-cache") == "hit"
    wait_until(last_byte_is_a_hit, 20, f"{path} to be filled")


@pytest.fixture
def body(scripted):
    scripted.put("bucket", "key", pattern(SIZE))
    return pattern(SIZE)


def settled_bytes(scripted, proxy):
    """Body bytes the origin sent once nothing is under way any more."""
    proxy.settle()
    return scripted.body_bytes()


def test_a_head_fills_the_object(scripted, node, body):
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    assert client.head("/bucket/key").header("content-length") == str(SIZE)
    wait_until(lambda: scripted.body_bytes() == SIZE, 20, "the fill")
    wait_until(lambda: proxy.origin_requests("prestage") > 0, what="the metric")
    proxy.settle()
    reply = client.get("/bucket/key")
    assert (reply.body, reply.header("x-forebay-cache")) == (body, "hit")
    assert scripted.body_bytes() == SIZE


def test_a_head_fills_from_the_gateway(rgw, bucket, node):
    rgw.client().put(f"/{bucket}/key", pattern(SIZE))
    proxy = node(rgw)
    client = proxy.client(ALICE)
    client.head(f"/{bucket}/key")
    wait_until(lambda: proxy.origin_bytes() >= SIZE, 20, "the fill")
    proxy.settle()
    before = proxy.origin_bytes()
    assert client.get(f"/{bucket}/key").header("x-forebay-cache") == "hit"
    assert proxy.origin_bytes() == before


def test_it_steps_back_when_the_origin_asks_for_less(scripted, node, body):
    """SlowDown for whatever request: what nobody waits for stays away as long as was asked."""
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    slow = S3Error(503, "SlowDown", "", [("Retry-After", "2")])
    scripted.on(Script(error=slow), key="other")
    assert client.get("/bucket/other").status == 503
    asked = time.monotonic()
    client.head("/bucket/key")
    wait_until(lambda: scripted.asked("GET", "key"), 20, "the fill")
    assert scripted.asked("GET", "key")[0].started - asked > 1.5
    filled(client, "/bucket/key", SIZE)


def test_many_heads_fill_once(scripted, node, body, threads):
    proxy = node(scripted)
    threads(16, lambda n: proxy.client(SCRIPT).head("/bucket/key"))
    wait_until(lambda: scripted.body_bytes() >= SIZE, 20, "the fill")
    assert settled_bytes(scripted, proxy) == SIZE


def test_a_head_goes_at_the_disks_pace(scripted, node):
    """Nobody waits for it, so that no block of it is dropped for want of a place to wait in."""
    bodies = {f"/bucket/key{n}": pattern(40 * MIB, n) for n in range(4)}
    for path, body in bodies.items():
        scripted.put("bucket", path.rpartition("/")[2], body)
    proxy = node(scripted, {"memory": {"pool_size": "32MiB"}})
    client = proxy.client(SCRIPT)
    for path in bodies:
        client.head(path)
    total = sum(map(len, bodies.values()))
    wait_until(lambda: scripted.body_bytes() >= total, 30, "the fills")
    proxy.settle()
    assert proxy.metric("forebay_cache_blocks_not_stored_total") == 0
    for path, body in bodies.items():
        assert client.get(path).body == body
    assert scripted.body_bytes() == total


def test_the_answer_does_not_wait_for_the_fill(scripted, node, body):
    gate = threading.Event()
    scripted.on(Script(hold_head=gate), method="GET")
    client = node(scripted).client(SCRIPT)
    began = time.monotonic()
    for _ in range(5):
        assert client.head("/bucket/key").status == 200
    assert time.monotonic() - began < 3
    gate.set()


def test_a_reader_joins_the_fill_of_a_head(scripted, node, body):
    gate = threading.Event()
    scripted.on(Script(hold_at=(5 * MIB, gate)), method="GET", times=1)
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    client.head("/bucket/key")
    wait_until(lambda: scripted.body_bytes() >= 5 * MIB, what="the fill to begin")
    replies = []
    reader = threading.Thread(target=lambda: replies.append(client.get("/bucket/key")))
    reader.start()
    gate.set()
    reader.join(20)
    assert replies[0].body == body
    assert scripted.body_bytes() == SIZE


@pytest.mark.parametrize("trigger, headers, fills", [
    ("off", [], False), ("off", [("Range", "bytes=0-0")], False),
    ("ranged_head", [], False), ("ranged_head", [("Range", "bytes=0-1")], False),
    ("ranged_head", [("Range", "bytes=0-0")], True), ("any_head", [], True),
    ("any_head", [("Range", "bytes=0-0")], True),
])
def test_triggers(scripted, node, body, trigger, headers, fills):
    proxy = node(scripted, {"prestage": {"trigger": trigger}})
    assert proxy.client(SCRIPT).head("/bucket/key", headers=headers).status in (200, 206)
    if fills:
        wait_until(lambda: scripted.body_bytes() == SIZE, 20, "the fill")
    else:
        assert settled_bytes(scripted, proxy) == 0


def test_what_is_never_filled(scripted, node):
    body = pattern(9 * MIB)
    scripted.put("bucket", "ssec", body, sse_c_md5="md5==")
    scripted.put("bucket", "glacier", body, storage_class="GLACIER")
    scripted.put("bucket", "deep", body, storage_class="DEEP_ARCHIVE")
    scripted.put("bucket", "no-etag", body, etag=None)
    scripted.put("bucket", "tmp/no-cache", body)
    scripted.put("bucket", "raw/no-prestage", body)
    scripted.put("bucket", "small", pattern(4 * MIB - 1))
    scripted.put("bucket", "large", pattern(33 * MIB))
    proxy = node(scripted, {
        "prestage": {"max_object_size": "32MiB"},
        "cache": {"rules": [{"bucket": "*", "prefix": "tmp/", "cache": "never"},
                            {"bucket": "bucket", "prefix": "raw/", "prestage": False}]}})
    client = proxy.client(SCRIPT)
    start = "x-amz-server-side-encryption-customer-"
    customer = [(start + "algorithm", "AES256"), (start + "key", "k"), (start + "key-MD5", "md5==")]
    for key in ("ssec", "glacier", "deep", "no-etag", "tmp/no-cache", "raw/no-prestage", "small",
                "large"):
        reply = client.head(f"/bucket/{key}", headers=customer if key == "ssec" else [])
        assert reply.status == 200, key
    sent = settled_bytes(scripted, proxy)
    assert sent <= 2, {r.key: r.body_bytes_sent for r in scripted.asked("GET")}
    # What is not pre-staged may still be cached by reading it.
    for _ in range(2):
        assert client.get("/bucket/raw/no-prestage").body == body
    assert scripted.body_bytes("raw/no-prestage") == len(body)


def test_bytes_in_flight_are_bounded(scripted, node):
    gate = threading.Event()
    for n in range(12):
        scripted.put("bucket", f"key{n}", pattern(8 * MIB, n))
    scripted.on(Script(hold_at=(MIB, gate)), method="GET")
    proxy = node(scripted, {"prestage": {"max_bytes_in_flight": "16MiB"}})
    client = proxy.client(SCRIPT)
    for n in range(12):
        client.head(f"/bucket/key{n}")
    wait_until(lambda: scripted.asked("GET"), what="the first fill")
    proxy.settle()
    under_way = [r for r in scripted.asked("GET") if r.finished is None]
    assert 1 <= len(under_way) <= 4
    gate.set()
    for n in range(12):
        wait_until(lambda n=n: scripted.body_bytes(f"key{n}") == 8 * MIB, 20, f"key{n}")


def test_demand_goes_first(scripted, node):
    """A queue of pre-staging does not hold up a reader."""
    gate = threading.Event()
    for n in range(8):
        scripted.put("bucket", f"ahead{n}", pattern(16 * MIB, n))
        scripted.on(Script(hold_at=(MIB, gate)), method="GET", key=f"ahead{n}")
    scripted.put("bucket", "now", pattern(16 * MIB, "now"))
    client = node(scripted).client(SCRIPT)
    for n in range(8):
        client.head(f"/bucket/ahead{n}")
    began = time.monotonic()
    assert client.get("/bucket/now").body == pattern(16 * MIB, "now")
    assert time.monotonic() - began < 5
    gate.set()


def test_a_failing_fill_leaves_no_trace(scripted, node, body):
    scripted.on(Script(cut_at=MIB), method="GET", times=3)
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    client.head("/bucket/key")
    wait_until(lambda: scripted.asked("GET"), what="a fill")
    proxy.settle()
    scripted.clear_scripts()
    assert client.get("/bucket/key").body == body
