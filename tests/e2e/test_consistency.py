"""The origin's word is law at once: overwritten, deleted, forbidden, changed in place."""
import hashlib
import http.client
import random
import threading
import time

import pytest
from compare import assert_same, pattern
from conftest import ALICE, BOB, SCRIPT, credentials_of
from node import MIB, wait_until
from s3_semantics import S3Error


def test_overwritten_behind_the_back(rgw, bucket, node):
    through, direct = node(rgw).client(ALICE), rgw.client()
    for version in range(5):
        body = pattern(6 * MIB + version, version)
        direct.put(f"/{bucket}/key", body)
        for turn in ("cold", "hot"):
            assert_same(direct.get(f"/{bucket}/key"), through.get(f"/{bucket}/key"), turn)
        assert through.get(f"/{bucket}/key").body == body


def test_the_same_bytes_back_again(scripted, node):
    """A, B, A: the ETag returns, and what it stands for is served, from the cache or not."""
    a, b = pattern(6 * MIB, "a"), pattern(6 * MIB, "b")
    client = node(scripted).client(SCRIPT)
    for body in (a, b, a, b, a):
        scripted.put("bucket", "key", body)
        assert client.get("/bucket/key").body == body
        assert client.get("/bucket/key", headers=[("Range", "bytes=5-99")]).body == body[5:100]


def test_a_new_size_under_the_same_etag_is_another_object(scripted, node):
    client = node(scripted).client(SCRIPT)
    for size in (9 * MIB, 6 * MIB, 12 * MIB):
        obj = scripted.put("bucket", "key", pattern(size, size), etag='"same"')
        for _ in range(2):
            assert client.get("/bucket/key").body == obj.body


def test_deleted_and_recreated_behind_the_back(rgw, bucket, node):
    through, direct = node(rgw).client(ALICE), rgw.client()
    direct.put(f"/{bucket}/key", pattern(6 * MIB, 1))
    through.get(f"/{bucket}/key")
    direct.delete(f"/{bucket}/key")
    assert_same(direct.get(f"/{bucket}/key"), through.get(f"/{bucket}/key"))
    assert through.head(f"/{bucket}/key").status == 404
    direct.put(f"/{bucket}/key", pattern(6 * MIB, 2))
    assert through.get(f"/{bucket}/key").body == pattern(6 * MIB, 2)


def test_metadata_changed_in_place_is_seen_at_once(rgw, bucket, node):
    s3, direct, through = rgw.boto(), rgw.client(), node(rgw).client(ALICE)
    s3.put_object(Bucket=bucket, Key="key", Body=pattern(6 * MIB), Metadata={"n": "0"})
    etag = direct.head(f"/{bucket}/key").header("etag")
    for n in range(1, 4):
        through.get(f"/{bucket}/key")
        s3.copy_object(Bucket=bucket, Key="key", CopySource={"Bucket": bucket, "Key": "key"},
                       Metadata={"n": str(n)}, MetadataDirective="REPLACE",
                       ContentType=f"text/v{n}")
        assert direct.head(f"/{bucket}/key").header("etag") == etag
        for headers in ([], [("Range", "bytes=0-9")]):
            got = through.get(f"/{bucket}/key", headers=headers)
            assert_same(direct.get(f"/{bucket}/key", headers=headers), got)
            assert got.header("x-amz-meta-n") == str(n)
        assert through.head(f"/{bucket}/key").header("content-type") == f"text/v{n}"


def test_a_revoked_key_is_refused_on_the_next_hit(rgw, bucket, node):
    key = ("AKREVOKED" + bucket[-8:].upper(), "SKREVOKED", None)
    rgw.add_key(key)
    rgw.client().put(f"/{bucket}/key", pattern(6 * MIB))
    proxy = node(rgw, credentials=credentials_of(ALICE, key))
    client = proxy.client(key)
    for _ in range(2):
        assert client.get(f"/{bucket}/key").status == 200
    rgw.remove_key(key)
    wait_until(lambda: rgw.client(key).head(f"/{bucket}/key").status == 403, 30, "the gateway")
    for method in ("GET", "HEAD"):
        reply = client.request(method, f"/{bucket}/key")
        assert reply.status == 403
        assert_same(rgw.client(key).request(method, f"/{bucket}/key"), reply)
    assert client.get(f"/{bucket}/key", headers=[("Range", "bytes=0-9")]).status == 403
    assert proxy.client(ALICE).get(f"/{bucket}/key").status == 200


def test_another_user_may_not_read_what_is_cached(rgw, bucket, node):
    rgw.client().put(f"/{bucket}/key", pattern(6 * MIB))
    proxy = node(rgw)
    proxy.client(ALICE).get(f"/{bucket}/key")
    assert_same(rgw.client(BOB).get(f"/{bucket}/key"), proxy.client(BOB).get(f"/{bucket}/key"))
    assert proxy.client(BOB).get(f"/{bucket}/key").code == "AccessDenied"


def test_a_policy_change_takes_effect_on_the_next_request(scripted, node):
    scripted.put("bucket", "key", pattern(6 * MIB))
    client = node(scripted).client(SCRIPT)
    for _ in range(3):
        scripted.deny = None
        assert client.get("/bucket/key").status == 200
        scripted.deny = lambda request: S3Error(403, "AccessDenied", "an explicit deny")
        reply = client.get("/bucket/key")
        assert (reply.status, reply.code) == (403, "AccessDenied")
        assert client.get("/bucket/key", headers=[("If-None-Match", "*")]).status == 403


def test_a_lookup_is_shared_only_with_those_who_asked_before_it_was_sent(scripted, node, threads):
    """A reader that begins after a write never gets an answer to an older question."""
    first, second = pattern(6 * MIB, 1), pattern(6 * MIB, 2)
    scripted.put("bucket", "key", first)
    client = node(scripted).client(SCRIPT)
    client.get("/bucket/key")
    from scripted_origin import Script
    gate = threading.Event()
    # The answer is made, then held back: what it says grows old on the way.
    scripted.on(Script(hold_head=gate), method="HEAD", times=1)
    early = []
    seen = len(scripted.requests)
    waiting = threading.Thread(target=lambda: early.append(client.get("/bucket/key").body))
    waiting.start()
    wait_until(lambda: len(scripted.requests) > seen, what="the lookup")
    scripted.put("bucket", "key", second)
    late = threads(8, lambda n: (gate.set() if n == 7 else None, client.get("/bucket/key").body))
    waiting.join(20)
    assert all(body == second for _, body in late)
    assert early[0] in (first, second)


class Writers:
    """Versions of one key: each body says its number throughout, and when it was complete."""

    SIZE = 5 * MIB + 321

    def __init__(self, targets, path):
        self.targets = targets
        self.path = path
        self.completed = [0]  # highest number whose write had ended, in order of time
        self.stop = threading.Event()
        self.failure = None

    def body(self, number):
        return (f"version {number:08d}.".encode() * (self.SIZE // 17 + 1))[:self.SIZE]

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            target = random.choice(self.targets)
            reply = target.put(self.path, self.body(number))
            if reply.status != 200:
                self.failure = f"PUT {number}: {reply}"
                return
            self.completed[0] = number
            time.sleep(random.uniform(0, 0.1))


def read_and_judge(client, writers, deadline):
    """Reads until the deadline; (complete reads, reads cut short)."""
    whole = cut = 0
    while time.monotonic() < deadline:
        before = writers.completed[0]
        first = random.randrange(0, writers.SIZE - 100)
        ranged = random.random() < 0.5
        headers = [("Range", f"bytes={first}-{first + 99999}")] if ranged else []
        try:
            reply = client.get(writers.path, headers=headers)
        except (http.client.IncompleteRead, ConnectionError):
            cut += 1  # an unversioned object was overwritten while it was cold
            continue
        if reply.status >= 500:
            cut += 1  # the gateway says 500 to a read whose object it is replacing
            continue
        assert reply.status == (206 if ranged else 200), reply
        number = int(reply.body[reply.body.index(b"n ") + 2:][:8])
        expected = writers.body(number)
        if ranged:
            expected = expected[first:first + 100000]
        assert reply.body == expected, f"a mixture, or torn, near version {number}"
        assert reply.header("etag") == f'"{hashlib.md5(writers.body(number)).hexdigest()}"'
        assert number >= before, f"version {number} after {before} was complete"
        whole += 1
    return whole, cut


def race(proxy, direct, key, path, seconds, threads):
    writers = Writers([direct, proxy.client(key)], path)
    direct.put(path, writers.body(0))
    writing = threading.Thread(target=writers.run)
    writing.start()
    deadline = time.monotonic() + seconds
    try:
        totals = threads(6, lambda n: read_and_judge(proxy.client(key), writers, deadline))
    finally:
        writers.stop.set()
        writing.join(30)
    assert writers.failure is None, writers.failure
    whole, cut = (sum(column) for column in zip(*totals))
    assert whole > 3 * seconds and writers.completed[0] > seconds, (whole, cut, writers.completed)
    return whole, cut


@pytest.mark.parametrize("seconds", [10, pytest.param(600, marks=[
    pytest.mark.nightly, pytest.mark.timeout(900)])])
def test_readers_against_a_writer_on_the_gateway(rgw, bucket, node, threads, seconds):
    race(node(rgw), rgw.client(), ALICE, f"/{bucket}/key", seconds, threads)


@pytest.mark.parametrize("seconds", [10, pytest.param(600, marks=[
    pytest.mark.nightly, pytest.mark.timeout(900)])])
def test_readers_against_a_writer_on_the_scripted_origin(scripted, node, threads, seconds):
    from s3_client import S3Client
    race(node(scripted), S3Client(scripted.endpoint, SCRIPT), SCRIPT, "/bucket/key", seconds,
         threads)
