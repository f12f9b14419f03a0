"""What HeadObject brings ahead fits: it stays, it takes its share and no more, and it says so."""
import itertools
import threading

from compare import pattern
from conftest import SCRIPT
from node import MIB, wait_until
from scripted_origin import Script

SLOTS = 63
SMALL = {"cache": {"devices": [{"path": "slab0", "size": "256MiB"}]},
         "memory": {"pool_size": "32MiB"}}
SAYS = "x-forebay-prestage"


def objects(proxy, **labels):
    return proxy.metric("forebay_prestage_objects_total", **labels)


def fill_device(scripted, proxy, client):
    """By demand, until every slot is taken; the number of the last object."""
    for n in range(100):
        scripted.put("bucket", f"full{n}", pattern(24 * MIB, n))
        client.get(f"/bucket/full{n}")
        proxy.settle(step=0.05)
        if proxy.metric("forebay_cache_disk_used_slots") == SLOTS:
            return n
    raise AssertionError("the device does not fill")


def prestaged(proxy):
    wait_until(lambda: proxy.metric("forebay_prestage_queue_objects") == 0, 30, "the queue")
    proxy.settle()


def hit_share(proxy, client, path):
    """What part of a whole read came from the cache."""
    before = proxy.metric("forebay_read_bytes_total", source="cache")
    size = len(client.get(path).body)
    return (proxy.metric("forebay_read_bytes_total", source="cache") - before) / size


def test_a_warm_up_of_a_full_device_stays(scripted, node):
    proxy = node(scripted, SMALL)
    fill_device(scripted, proxy, proxy.client(SCRIPT))
    proxy.restart()  # what was read before that is old
    client = proxy.client(SCRIPT)
    wait_until(lambda: proxy.metric("forebay_cache_disk_used_slots") == SLOTS, what="recovery")
    scripted.put("bucket", "warm", pattern(64 * MIB, "warm"))
    assert client.head("/bucket/warm").header(SAYS) == "queued"
    prestaged(proxy)
    assert proxy.metric("forebay_cache_disk_evictions_total") == 16
    assert hit_share(proxy, client, "/bucket/warm") >= 0.95


def test_without_a_device_nothing_is_fetched(scripted, node):
    scripted.put("bucket", "key", pattern(64 * MIB))
    proxy = node(scripted, {**SMALL, "cache": {"devices": []}})
    reply = proxy.client(SCRIPT).head("/bucket/key")
    assert (reply.status, reply.header(SAYS)) == (200, "refused; reason=no_device")
    proxy.settle()
    assert scripted.body_bytes() == 0
    assert objects(proxy, result="refused", reason="no_device") == 1
    assert "reason=no_device" in proxy.log()


def test_what_is_larger_than_the_share_is_refused(scripted, node):
    scripted.put("bucket", "key", pattern(160 * MIB))
    proxy = node(scripted, SMALL)
    assert proxy.client(SCRIPT).head("/bucket/key").header(SAYS) == "refused; reason=no_room"
    proxy.settle()
    assert scripted.body_bytes() == 0
    larger = node(scripted, {**SMALL, "prestage": {"max_share": 0.9}})
    assert larger.client(SCRIPT).head("/bucket/key").header(SAYS) == "queued"
    prestaged(larger)
    assert larger.metric("forebay_cache_disk_used_slots") == 40


def test_objects_that_fit_one_by_one_share_the_room(scripted, node):
    paths = [f"/bucket/key{n}" for n in range(3)]
    for n in range(3):
        scripted.put("bucket", f"key{n}", pattern(48 * MIB, n))
    gate = threading.Event()
    scripted.on(Script(hold_head=gate), method="GET")
    proxy = node(scripted, SMALL)
    client = proxy.client(SCRIPT)
    says = [client.head(path).header(SAYS) for path in paths]
    assert says == ["queued", "queued", "refused; reason=no_room"]
    gate.set()
    prestaged(proxy)
    assert proxy.metric("forebay_cache_disk_used_slots") == 24
    assert scripted.body_bytes("key2") == 0
    assert [hit_share(proxy, client, path) for path in paths[:2]] == [1, 1]
    assert client.head(paths[2]).header(SAYS) == "queued", "what was read takes no room"
    prestaged(proxy)


def test_what_was_read_lately_does_not_give_way(scripted, node):
    proxy = node(scripted, SMALL)
    client = proxy.client(SCRIPT)
    fill_device(scripted, proxy, client)
    evicted = proxy.metric("forebay_cache_disk_evictions_total")
    scripted.put("bucket", "warm", pattern(64 * MIB, "warm"))
    assert client.head("/bucket/warm").header(SAYS) == "refused; reason=recently_read"
    proxy.settle()
    assert scripted.body_bytes("warm") == 0
    assert proxy.metric("forebay_cache_disk_evictions_total") == evicted


def test_a_warm_up_stops_where_the_rest_was_read_lately(scripted, node):
    """Nothing of what it brought goes, and nothing of what is read."""
    proxy = node(scripted, {**SMALL, "prestage": {"trigger": "ranged_head"}})
    last = fill_device(scripted, proxy, proxy.client(SCRIPT))
    proxy.restart()
    client = proxy.client(SCRIPT)
    wait_until(lambda: proxy.metric("forebay_cache_disk_used_slots") == SLOTS, what="recovery")
    for n in range(last + 1):
        client.head(f"/bucket/full{n}")
    old = SLOTS
    for n, block in itertools.product(range(last + 1), range(6)):
        at = block * 4 * MIB
        reply = client.get(f"/bucket/full{n}", headers=[("Range", f"bytes={at}-{at}")])
        old -= reply.header("x-forebay-cache") == "hit"
        if old == 8:
            break
    before = proxy.metric("forebay_cache_disk_evictions_total")
    scripted.put("bucket", "warm", pattern(120 * MIB, "warm"))
    assert client.head("/bucket/warm", headers=[("Range", "bytes=0-0")]).header(SAYS) == "queued"
    prestaged(proxy)
    assert objects(proxy, result="stopped", reason="recently_read") == 1
    assert proxy.metric("forebay_cache_disk_evictions_total") == before + 8
    assert hit_share(proxy, client, "/bucket/warm") >= 8 / 30


def test_what_is_cached_is_not_looked_through_again(scripted, node):
    scripted.put("bucket", "key", pattern(24 * MIB))
    proxy = node(scripted, SMALL)
    client = proxy.client(SCRIPT)
    assert client.head("/bucket/key").header(SAYS) == "queued"
    prestaged(proxy)
    assert client.head("/bucket/key").header(SAYS) == "cached"
    assert objects(proxy, result="cached") == 1
    assert scripted.body_bytes() == 24 * MIB


def test_without_pre_staging_a_head_says_nothing(scripted, node):
    scripted.put("bucket", "key", pattern(24 * MIB))
    proxy = node(scripted, {**SMALL, "prestage": {"trigger": "off"}})
    assert proxy.client(SCRIPT).head("/bucket/key").header(SAYS) is None
