"""Reads through a node are the origin's own, byte by byte and header by header, cold and hot."""
import io
import threading

import pytest
from boto3.s3.transfer import TransferConfig
from compare import assert_same, differences, digest, pattern
from conftest import ALICE, SCRIPT
from node import MIB, wait_until
from scripted_origin import Script

SIZES = [0, 1, 1000, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 20 * MIB + 12345]


@pytest.mark.parametrize("size", SIZES)
def test_objects_of_every_size(rgw, bucket, node, size):
    body = pattern(size, size)
    rgw.boto().put_object(Bucket=bucket, Key="dir/key", Body=body, ContentType="text/x-odd",
                          CacheControl="max-age=60", ContentDisposition='attachment; filename="a"',
                          Metadata={"colour": "blue", "empty": ""})
    direct, through = rgw.client(), node(rgw).client(ALICE)
    path = f"/{bucket}/dir/key"
    for turn in ("cold", "hot", "hot again"):
        assert_same(direct.get(path), through.get(path), turn)
        assert_same(direct.head(path), through.head(path), f"HEAD {turn}")
    assert through.get(path).body == body


def test_a_multipart_object(rgw, bucket, node):
    body = pattern(70 * MIB + 1)
    rgw.boto().upload_fileobj(io.BytesIO(body), bucket, "multi",
                              Config=TransferConfig(multipart_chunksize=16 * MIB))
    direct, through = rgw.client(), node(rgw).client(ALICE)
    for turn in ("cold", "hot"):
        assert_same(direct.get(f"/{bucket}/multi"), through.get(f"/{bucket}/multi"), turn)
    assert through.head(f"/{bucket}/multi").header("etag").endswith('-5"')


def test_boto3_downloads_in_parallel(rgw, bucket, node):
    body = pattern(70 * MIB + 1, "download")
    rgw.boto().put_object(Bucket=bucket, Key="big", Body=body)
    s3 = node(rgw).boto(ALICE)
    for _ in range(2):
        got = io.BytesIO()
        s3.download_fileobj(bucket, "big", got)
        assert digest(got.getvalue()) == digest(body)


RANGES = ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=4194303-4194304", "bytes=8388608-",
          "bytes=0-4194303", "bytes=100-9437284", "bytes=9437284-", "bytes=9437285-",
          "bytes=-0", "bytes=-99999999999", "bytes=0-99999999999", "bytes=5-2", "bytes=abc",
          "items=0-1", "bytes=0-1,5-6", "bytes=", "bytes=1", "bytes= 0-1", "Bytes=0-1",
          "bytes=18446744073709551616-", "bytes=0-18446744073709551615"]


@pytest.mark.parametrize("value", RANGES)
def test_ranges_cold_and_hot(rgw, bucket, node, value):
    rgw.client().put(f"/{bucket}/key", pattern(9 * MIB + 101, "ranges"))
    rgw.client().put(f"/{bucket}/small", pattern(1000))
    rgw.client().put(f"/{bucket}/empty", b"")
    direct, through = rgw.client(), node(rgw).client(ALICE)
    for key in ("key", "small", "empty"):
        path, headers = f"/{bucket}/{key}", [("Range", value)]
        expected = direct.get(path, headers=headers)
        assert_same(expected, through.get(path, headers=headers), f"{key} cold")
        through.get(path)
        assert_same(expected, through.get(path, headers=headers), f"{key} hot")
        assert_same(direct.head(path, headers=headers), through.head(path, headers=headers),
                    f"HEAD {key}")


@pytest.mark.parametrize("value", [v for v in RANGES if v not in ("bytes= 0-1", "Bytes=0-1")])
def test_ranges_as_aws_treats_them(scripted, node, value):
    scripted.put("bucket", "key", pattern(9 * MIB + 101))
    scripted.put("bucket", "empty", b"")
    through = node(scripted).client(SCRIPT)
    direct = through.__class__(scripted.endpoint, SCRIPT)
    for key in ("key", "empty"):
        expected = direct.get(f"/bucket/{key}", headers=[("Range", value)])
        for turn in ("cold", "hot"):
            reply = through.get(f"/bucket/{key}", headers=[("Range", value)])
            assert_same(expected, reply, f"{key} {turn}")
            through.get(f"/bucket/{key}")


def test_the_second_read_takes_no_byte_from_the_origin(scripted, node):
    body = pattern(21 * MIB + 7)
    scripted.put("bucket", "key", body)
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    first = client.get("/bucket/key")
    assert (first.body, first.header("x-forebay-cache")) == (body, "miss")
    sent, metered = scripted.body_bytes(), proxy.origin_bytes()
    assert sent == len(body)
    lookups = proxy.origin_requests("lookup")
    second = client.get("/bucket/key")
    assert (second.body, second.header("x-forebay-cache")) == (body, "hit")
    assert scripted.body_bytes() == sent
    assert proxy.origin_bytes() == metered
    # ... and the origin was asked for its permission all the same.
    assert proxy.origin_requests("lookup") == lookups + 1


def test_the_gateway_sends_no_byte_for_the_second_read(rgw, bucket, node):
    rgw.client().put(f"/{bucket}/key", pattern(30 * MIB))
    proxy = node(rgw)
    for _ in range(2):
        before = proxy.metrics()
        assert len(proxy.client(ALICE).get(f"/{bucket}/key").body) == 30 * MIB
        after = proxy.metrics()
    name = "forebay_origin_bytes_total"
    assert after.value(name) == before.value(name)
    name = "forebay_origin_requests_total"
    assert after.value(name, reason="fill") == before.value(name, reason="fill")
    assert after.value(name, reason="lookup") == before.value(name, reason="lookup") + 1


def test_small_objects_stream_through(scripted, node):
    scripted.put("bucket", "small", pattern(4 * MIB - 1))
    client = node(scripted).client(SCRIPT)
    for _ in range(3):
        reply = client.get("/bucket/small")
        assert (reply.status, reply.header("x-forebay-cache")) == (200, "bypass")
    assert scripted.body_bytes() == 3 * (4 * MIB - 1)


def test_min_object_size_is_a_setting(scripted, node):
    scripted.put("bucket", "small", pattern(100_000))
    client = node(scripted, {"cache": {"min_object_size": "64KiB"}}).client(SCRIPT)
    client.get("/bucket/small")
    assert client.get("/bucket/small").header("x-forebay-cache") == "hit"
    assert scripted.body_bytes() == 100_000


def test_a_small_cold_range_is_fetched_exactly_as_asked(scripted, node):
    body = pattern(32 * MIB)
    scripted.put("bucket", "key", body)
    client = node(scripted).client(SCRIPT)
    headers = [("Range", "bytes=5000100-5000199")]
    reply = client.get("/bucket/key", headers=headers)
    assert reply.body == body[5000100:5000200]
    # The origin counts an answer after the client has it.
    wait_until(lambda: scripted.body_bytes() == 100, what="100 bytes")
    # The second touch fills the block in the background, and it alone.
    assert client.get("/bucket/key", headers=headers).body == body[5000100:5000200]
    wait_until(lambda: scripted.body_bytes() >= 4 * MIB, what="the background fill")
    wait_until(lambda: client.get("/bucket/key", headers=headers).header("x-forebay-cache")
               == "hit", what="a hit")
    sent = scripted.body_bytes()
    assert sent <= 4 * MIB + 1000
    assert client.get("/bucket/key", headers=headers).body == body[5000100:5000200]
    assert scripted.body_bytes() == sent


def test_a_crowd_that_comes_for_a_new_object_opens_few_bodies(scripted, node, threads):
    """All come before the first answer: one asks with its own GET, the others share lookups."""
    body = pattern(32 * MIB)
    scripted.put("bucket", "key", body)
    client = node(scripted).client(SCRIPT)
    gate = threading.Event()
    scripted.on(Script(hold_head=gate), method="GET", times=100)
    threading.Timer(1, gate.set).start()
    replies = threads(16, lambda n: client.get("/bucket/key"))
    assert all(reply.body == body for reply in replies)
    assert len(scripted.asked("GET")) <= 2, "the first reader's own, and a fill"


def test_a_range_that_is_half_there_is_partial(scripted, node):
    body = pattern(16 * MIB)
    scripted.put("bucket", "key", body)
    client = node(scripted).client(SCRIPT)
    client.get("/bucket/key", headers=[("Range", f"bytes=0-{8 * MIB - 1}")])
    reply = client.get("/bucket/key")
    assert (reply.body, reply.header("x-forebay-cache")) == (body, "partial")
    assert scripted.body_bytes() == len(body)


def test_many_readers_of_a_cold_object_cost_one_fill(scripted, node, threads):
    body = pattern(24 * MIB)
    scripted.put("bucket", "key", body)
    proxy = node(scripted)
    replies = threads(16, lambda n: proxy.client(SCRIPT).get(
        "/bucket/key", headers=[("Range", "bytes=0-")]))
    assert all(reply.body == body for reply in replies)
    assert scripted.body_bytes() == len(body)


def test_many_readers_of_an_unknown_object_cost_little_more_than_one(scripted, node, threads):
    """Without a Range each may begin with its own GET; all but the first give theirs up."""
    body = pattern(24 * MIB)
    scripted.put("bucket", "key", body)
    proxy = node(scripted)
    replies = threads(16, lambda n: proxy.client(SCRIPT).get("/bucket/key"))
    assert all(reply.body == body for reply in replies)
    assert scripted.body_bytes() < 4 * len(body)


@pytest.mark.parametrize("key", ["a b/ü+~", "a//b", "a/../c", "a/./b", "pct%2Fslash",
                                 "(x)$!*',;=:@&", "trailing/", "+", "a?b", "x" * 900, "日本",
                                 "$folder$"])
def test_keys_that_proxies_get_wrong(rgw, bucket, node, key):
    body = pattern(5 * MIB, key)
    s3 = node(rgw).boto(ALICE)
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    for _ in range(2):
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body
    assert rgw.boto().get_object(Bucket=bucket, Key=key)["Body"].read() == body
    assert [c["Key"] for c in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]


def test_versions(rgw, bucket, node):
    s3 = rgw.boto()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    bodies = [pattern(5 * MIB, n) for n in range(3)]
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in bodies]
    direct, through = rgw.client(), node(rgw).client(ALICE)
    for turn in ("cold", "hot"):
        for version, body in zip(ids, bodies):
            query = [("versionId", version)]
            reply = through.get(f"/{bucket}/k", query=query)
            assert reply.body == body
            assert_same(direct.get(f"/{bucket}/k", query=query), reply, turn)
        assert through.get(f"/{bucket}/k").body == bodies[-1]
    s3.delete_object(Bucket=bucket, Key="k")
    assert_same(direct.get(f"/{bucket}/k"), through.get(f"/{bucket}/k"), "deleted")
    assert through.get(f"/{bucket}/k", query=[("versionId", ids[0])]).body == bodies[0]
    for wrong in ("nonsense", "null"):
        query = [("versionId", wrong)]
        path = f"/{bucket}/k"
        assert_same(direct.get(path, query=query), through.get(path, query=query))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_part_numbers(scripted, node, number):
    body = pattern(17 * MIB)
    scripted.put("bucket", "parts", body, parts=(8 * MIB, 8 * MIB, MIB), etag='"abc-3"')
    through = node(scripted).client(SCRIPT)
    direct = through.__class__(scripted.endpoint, SCRIPT)
    query = [("partNumber", str(number))]
    for turn in ("cold", "hot"):
        for method in ("GET", "HEAD"):
            assert_same(direct.request(method, "/bucket/parts", query=query),
                        through.request(method, "/bucket/parts", query=query), f"{method} {turn}")
        through.get("/bucket/parts")


def test_response_header_overrides(rgw, bucket, node):
    rgw.client().put(f"/{bucket}/key", pattern(6 * MIB))
    direct, through = rgw.client(), node(rgw).client(ALICE)
    query = [("response-content-type", "text/odd; charset=x"),
             ("response-cache-control", "no-store"),
             ("response-content-disposition", 'attachment; filename="ü b"'),
             ("response-content-language", "de"), ("response-expires", "tomorrow"),
             ("response-content-encoding", "x-y")]
    for _ in range(2):
        assert_same(direct.get(f"/{bucket}/key", query=query),
                    through.get(f"/{bucket}/key", query=query))
    # The overrides belong to that request alone.
    assert_same(direct.get(f"/{bucket}/key"), through.get(f"/{bucket}/key"))


def test_checksums_only_where_the_origin_sends_them(scripted, node):
    scripted.put("bucket", "sum", pattern(5 * MIB), checksums={"x-amz-checksum-crc32": "AAAAAA=="})
    through = node(scripted).client(SCRIPT)
    direct = through.__class__(scripted.endpoint, SCRIPT)
    asked = [("x-amz-checksum-mode", "ENABLED")]
    for headers in (asked, [], [*asked, ("Range", "bytes=0-99")]):
        for turn in ("cold", "hot"):
            assert_same(direct.get("/bucket/sum", headers=headers),
                        through.get("/bucket/sum", headers=headers), f"{headers} {turn}")


def test_virtual_host_addressing(rgw, bucket, node):
    body = pattern(5 * MIB)
    rgw.client().put(f"/{bucket}/some/key", body)
    client = node(rgw, {"listen": {"domains": ["s3.forebay.internal"]}}).client(ALICE)
    for port in ("", f":{client.address[1]}"):
        for _ in range(2):
            reply = client.get("/some/key", host=f"{bucket}.s3.forebay.internal{port}")
            assert (reply.status, reply.body) == (200, body)
        listing = client.get("/", query=[("list-type", "2")],
                             host=f"{bucket}.s3.forebay.internal{port}")
        assert listing.xml("Key") == "some/key"
    assert client.get(f"/{bucket}/some/key", host="s3.forebay.internal").body == body


def test_everything_that_is_no_object_passes_through(rgw, bucket, node):
    proxy = node(rgw)
    s3 = proxy.boto(ALICE)
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x", Tagging="k=v")
    direct, through = rgw.client(), proxy.client(ALICE)
    for path, query in [
            ("/", []), (f"/{bucket}", []), (f"/{bucket}", [("list-type", "2"), ("delimiter", "/")]),
            (f"/{bucket}", [("location", "")]), (f"/{bucket}", [("versioning", "")]),
            (f"/{bucket}", [("acl", "")]), (f"/{bucket}/a/b", [("tagging", "")]),
            (f"/{bucket}/a/b", [("acl", "")]), (f"/{bucket}", [("uploads", "")]),
            ("/no-such-bucket-here", []), ("/no-such-bucket-here/key", []),
            (f"/{bucket}/none", []), (f"/{bucket}", [("cors", "")])]:
        expected, got = direct.get(path, query=query), through.get(path, query=query)
        assert_same(expected, got, f"{path} {query}")
        assert got.header("x-forebay-cache") in (None, "bypass")
    assert s3.get_object_tagging(Bucket=bucket, Key="a/b")["TagSet"] == [{"Key": "k", "Value": "v"}]


def test_a_missing_object_is_the_origins_answer(rgw, bucket, node):
    direct, through = rgw.client(), node(rgw).client(ALICE)
    for method in ("GET", "HEAD"):
        assert not differences(direct.request(method, f"/{bucket}/none"),
                               through.request(method, f"/{bucket}/none"))
    assert through.get(f"/{bucket}/none").code == "NoSuchKey"
    assert through.head(f"/{bucket}/none").status == 404


@pytest.mark.parametrize("missing", ["etag", "length"])
def test_what_cannot_be_identified_is_not_cached(scripted, node, missing):
    from scripted_origin import Script
    body = pattern(9 * MIB)
    if missing == "etag":
        scripted.put("bucket", "key", body, etag=None)
    else:
        scripted.put("bucket", "key", body)
        scripted.on(Script(chunked=True, set_headers={"Content-Length": None}))
    client = node(scripted).client(SCRIPT)
    for turn in range(1, 4):
        assert client.get("/bucket/key").body == body
        assert len(scripted.asked("GET")) >= turn and scripted.body_bytes() == turn * len(body)


def test_a_weak_etag_is_not_cached(scripted, node):
    body = pattern(9 * MIB)
    scripted.put("bucket", "key", body, etag='W/"x"')
    client = node(scripted).client(SCRIPT)
    for turn in (1, 2):
        assert client.get("/bucket/key").body == body
        assert scripted.body_bytes() == turn * len(body)


def test_sse_c_is_never_cached(scripted, node):
    body = pattern(9 * MIB)
    scripted.put("bucket", "key", body, sse_c_md5="md5==")
    client = node(scripted).client(SCRIPT)
    start = "x-amz-server-side-encryption-customer-"
    headers = [(start + "algorithm", "AES256"), (start + "key", "k=="),
               (start + "key-MD5", "md5==")]
    for turn in (1, 2):
        assert client.get("/bucket/key", headers=headers).body == body
        assert client.head("/bucket/key", headers=headers).status == 200
        assert scripted.body_bytes() == turn * len(body)
    assert client.get("/bucket/key").status == 400


def test_rules_keep_objects_out_of_the_cache(scripted, node):
    body = pattern(9 * MIB)
    scripted.put("bucket", "tmp/key", body)
    scripted.put("bucket", "keep/key", body)
    rules = [{"bucket": "buck*", "prefix": "tmp/", "cache": "never"}]
    client = node(scripted, {"cache": {"rules": rules}}).client(SCRIPT)
    for _ in range(2):
        client.get("/bucket/tmp/key")
        client.get("/bucket/keep/key")
    assert scripted.body_bytes("tmp/key") == 2 * len(body)
    assert scripted.body_bytes("keep/key") == len(body)


def test_another_caller_gets_its_own_headers_and_shares_the_bytes(scripted, node):
    scripted.credentials["OTHER"] = ("OSECRET", None)
    body = pattern(9 * MIB)
    scripted.put("bucket", "key", body)
    proxy = node(scripted, credentials=[
        {"access_key": "AKSCRIPT", "secret_key": "SKSCRIPT"},
        {"access_key": "OTHER", "secret_key": "OSECRET"}])
    proxy.client(SCRIPT).get("/bucket/key")
    assert proxy.client(("OTHER", "OSECRET")).get("/bucket/key").body == body
    assert scripted.body_bytes() == len(body)
    assert [r.access_key for r in scripted.asked()][-1] == "OTHER"
