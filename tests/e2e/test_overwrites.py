"""An overwrite cuts no reader whose bytes somebody has: this node, or the origin by version."""
import http.client
import threading

import pytest
from compare import pattern
from conftest import SCRIPT, fresh_bucket
from node import MIB, wait_until
from raw_http import RawConnection, request_bytes
from s3_semantics import S3Error
from scripted_origin import Script

EXTENT = 64 * MIB
BIG = 150 * MIB
FIRST_BYTE = [("Range", "bytes=0-0")]
NO_PRESTAGE = {"prestage": {"trigger": "off"}, "memory": {"pool_size": "32MiB"}}
CUT = "forebay_reads_cut_total"


def begin_read(client, path):
    """A reader that takes what it is told to and no more."""
    target, headers = client.signed("GET", path)
    raw = RawConnection(client.address, timeout=30, receive_buffer=65536)
    raw.send(request_bytes("GET", target, headers))
    status, fields = raw.head()
    assert status == 200
    return raw, fields["x-forebay-cache"]


def store(proxy, client, path, size):
    """Brings the whole object to the device."""
    client.head(path)
    wait_until(lambda: proxy.metric("forebay_cache_disk_used_slots") >= size // (4 * MIB), 30,
               "the blocks")
    proxy.settle()


def overwrite_before_the_second_extent(scripted, bucket, change):
    scripted.on(Script(before=lambda _: change()), method="GET", nth=1,
                when=lambda r: r.bucket == bucket
                and (r.header("range") or "").startswith(f"bytes={EXTENT}-"))


def assert_by_version(requests, version_id):
    """Once the reader has learnt that it must, it names the version."""
    asked = [request.query.get("versionId") for request in requests]
    first = asked.index(version_id)
    assert requests[first - 1].status in (404, 412) or requests[first - 1].aborted
    assert set(asked[:first]) == {None} and set(asked[first:]) == {version_id}


def test_what_a_reader_holds_stays_until_it_has_gone(scripted, node):
    old = pattern(160 * MIB, "old")
    scripted.put("bucket", "key", old)
    proxy = node(scripted, {"memory": {"pool_size": "32MiB"}})
    client = proxy.client(SCRIPT)
    store(proxy, client, "/bucket/key", len(old))
    before = scripted.body_bytes()
    with begin_read(client, "/bucket/key")[0] as raw:
        beginning = raw.body(8 * MIB)
        new = scripted.put("bucket", "key", pattern(20 * MIB, "new")).body
        reply = client.get("/bucket/key", headers=FIRST_BYTE)
        assert (reply.body, reply.header("x-forebay-cache")) == (new[:1], "miss")
        assert beginning + raw.body(len(old) - 8 * MIB) == old
    assert scripted.body_bytes() == before + 4 * MIB, "one block of the new version"
    wait_until(lambda: proxy.metric("forebay_cache_disk_used_slots") == 1, 10,
               "the blocks to be freed with their last reader")
    assert client.get("/bucket/key").body == new
    assert proxy.metric(CUT) == 0


def test_what_nobody_reads_is_freed_at_once(scripted, node):
    scripted.put("bucket", "key", pattern(20 * MIB, "old"))
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    store(proxy, client, "/bucket/key", 20 * MIB)
    scripted.put("bucket", "key", pattern(20 * MIB, "new"))
    client.get("/bucket/key", headers=FIRST_BYTE)
    proxy.settle()
    assert proxy.metric("forebay_cache_disk_used_slots") == 1, "one block of the new version"


@pytest.mark.parametrize("change", ["overwritten", "the same bytes again", "deleted"])
def test_a_cold_read_goes_on_by_version(scripted, node, change):
    scripted.make_bucket("kept", versioned=True)
    old = scripted.put("kept", "key", pattern(BIG))
    proxy = node(scripted, NO_PRESTAGE)
    client = proxy.client(SCRIPT)
    changes = {"overwritten": lambda: scripted.put("kept", "key", pattern(BIG, "new")),
               "the same bytes again": lambda: scripted.put("kept", "key", old.body),
               "deleted": lambda: scripted.delete("kept", "key")}
    client.head("/kept/key")
    overwrite_before_the_second_extent(scripted, "kept", changes[change])
    assert client.get("/kept/key").body == old.body
    assert_by_version(scripted.asked("GET", "key"), old.version_id)
    assert proxy.metric(CUT) == 0


def test_the_gateways_give_an_older_version(minio, node):
    """Read slowly; overwritten, directly, while the second half is still the origin's alone."""
    with fresh_bucket(minio) as bucket:
        minio.boto().put_bucket_versioning(Bucket=bucket,
                                           VersioningConfiguration={"Status": "Enabled"})
        old = pattern(BIG)
        minio.client().put(f"/{bucket}/key", old)
        proxy = node(minio, NO_PRESTAGE)
        client = proxy.client(minio.alice)
        client.head(f"/{bucket}/key")
        with begin_read(client, f"/{bucket}/key")[0] as raw:
            beginning = raw.body(5 * MIB)
            minio.client().put(f"/{bucket}/key", pattern(5 * MIB, "new"))
            assert beginning + raw.body(BIG - 5 * MIB) == old


def test_a_key_that_may_not_read_versions(scripted, node):
    """Refused by version, too: nobody has the bytes, and the reader is cut as ever."""
    scripted.make_bucket("kept", versioned=True)
    scripted.put("kept", "key", pattern(BIG))
    scripted.deny = lambda r: S3Error(403, "AccessDenied") if "versionId" in r.query else None
    proxy = node(scripted, NO_PRESTAGE)
    client = proxy.client(SCRIPT)
    client.head("/kept/key")
    new = pattern(BIG, "new")
    overwrite_before_the_second_extent(scripted, "kept", lambda: scripted.put("kept", "key", new))
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.get("/kept/key")
    wait_until(lambda: proxy.metric(CUT, reason="overwritten") == 1, what="the metric")
    assert client.get("/kept/key").body == new


def test_bytes_that_nobody_has_cut_the_read(scripted, node):
    scripted.put("bucket", "key", pattern(BIG))
    proxy = node(scripted, NO_PRESTAGE)
    client = proxy.client(SCRIPT)
    client.head("/bucket/key")
    overwrite_before_the_second_extent(scripted, "bucket",
                                       lambda: scripted.put("bucket", "key", b"new"))
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.get("/bucket/key")
    wait_until(lambda: proxy.metric(CUT, reason="overwritten") == 1, what="the metric")


def test_a_body_that_is_open_is_read_to_its_end(scripted, node):
    """A first whole read is one body, which the origin does not cut either."""
    gate = threading.Event()
    old = scripted.put("bucket", "key", pattern(40 * MIB)).body
    scripted.on(Script(hold_at=(5 * MIB, gate)), method="GET", times=1)
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    with begin_read(client, "/bucket/key")[0] as raw:
        beginning = raw.body(4 * MIB)
        scripted.put("bucket", "key", b"new")
        assert client.get("/bucket/key").body == b"new"
        gate.set()
        assert beginning + raw.body(36 * MIB) == old
    assert proxy.metric(CUT) == 0


def test_the_nodes_own_key_goes_on_by_version(scripted, node):
    """auth.mode: passthrough with origin.fill_credentials."""
    scripted.credentials["AKNODE"] = ("SKNODE", None)
    scripted.make_bucket("kept", versioned=True)
    old = scripted.put("kept", "key", pattern(BIG))
    proxy = node(scripted, {
        **NO_PRESTAGE, "auth": {"mode": "passthrough", "credentials_file": None},
        "origin": {"fill_credentials": {"source": "static", "access_key": "AKNODE",
                                        "secret_key": "SKNODE"}}})
    client = proxy.client(SCRIPT)
    client.head("/kept/key")
    overwrite_before_the_second_extent(scripted, "kept",
                                       lambda: scripted.put("kept", "key", pattern(BIG, "new")))
    assert client.get("/kept/key").body == old.body
    assert_by_version([r for r in scripted.asked("GET", "key") if r.access_key == "AKNODE"],
                      old.version_id)
