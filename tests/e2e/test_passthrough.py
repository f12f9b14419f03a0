"""auth.mode: passthrough. The node holds no keys: every request is the origin's to judge, and goes
there as it was signed."""
import base64
import time
import urllib.request

import pytest
from compare import assert_same, pattern
from conftest import ALICE, SCRIPT
from node import MIB, wait_until
from s3_client import S3Client
from s3_semantics import S3Error
from scripted_origin import Script

BODY = pattern(9 * MIB + 7, "passed on")
CONFIG = {"auth": {"mode": "passthrough", "credentials_file": None}}
LONG_AGO = time.time() - 3600


@pytest.fixture
def stored(scripted):
    return scripted.put("bucket", "key", BODY, modified=float(int(LONG_AGO)),
                        headers={"x-amz-meta-a": "1"})


@pytest.fixture
def proxy(scripted, stored, node):
    return node(scripted, CONFIG)


def warm(proxy, client):
    assert client.get("/bucket/key").header("x-forebay-cache") == "miss"
    proxy.settle()


def test_the_second_read_is_a_hit_that_the_origin_allowed(proxy, scripted):
    client = proxy.client(SCRIPT)
    warm(proxy, client)
    before = scripted.body_bytes()
    reply = client.get("/bucket/key")
    assert (reply.status, reply.body, reply.header("x-forebay-cache")) == (200, BODY, "hit")
    assert scripted.body_bytes() - before == 1, "the probe asks for one byte"
    assert scripted.requests[-1].header("range") == "bytes=0-0"
    assert_same(S3Client(scripted.endpoint, SCRIPT).get("/bucket/key"), reply)


def test_requests_travel_unchanged(proxy, scripted):
    client = proxy.client(SCRIPT)
    odd = [("X-Amz-Meta-Order", "b, a"), ("Accept-Encoding", "gzip, identity"), ("x-custom", "y")]
    target, headers = client.signed("PUT", "/bucket/odd key+%2F", [("x-id", "PutObject")], odd,
                                    b"body")
    assert client.send("PUT", target, headers, b"body").status == 200
    seen, = scripted.asked("PUT")
    assert seen.target == target
    hop = {"connection", "content-length"}
    assert [h for h in seen.headers if h[0].lower() not in hop] == \
        [h for h in headers if h[0].lower() not in hop]


def test_a_forged_signature_beside_a_genuine_one(proxy, threads):
    good, bad = proxy.client(SCRIPT), proxy.client(("AKSCRIPT", "wrong", None))
    warm(proxy, good)

    def read(n):
        client = bad if n % 2 else good
        headers = [("Range", f"bytes={n}-{n + MIB}")] if n % 4 > 1 else []
        return client.get("/bucket/key", headers=headers)
    for n, reply in enumerate(threads(16, read)):
        if n % 2:
            assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
            assert BODY[:64] not in reply.body
        else:
            assert reply.status in (200, 206)


def test_a_policy_change_counts_at_once(proxy, scripted):
    client = proxy.client(SCRIPT)
    warm(proxy, client)
    scripted.deny = lambda request: S3Error(403, "AccessDenied", "no more")
    for headers in ([], [("Range", "bytes=0-99")]):
        reply = client.get("/bucket/key", headers=headers)
        assert (reply.status, reply.code) == (403, "AccessDenied")


def test_a_signed_range_is_a_hit_by_not_modified(proxy, scripted):
    client = proxy.client(SCRIPT)
    warm(proxy, client)
    span = [("Range", "bytes=5000000-6000000")]
    first = client.get("/bucket/key", headers=span)  # its fields are not known yet
    before = scripted.body_bytes()
    second = client.get("/bucket/key", headers=span)
    assert first.body == second.body == BODY[5000000:6000001]
    assert second.header("x-forebay-cache") == "hit"
    assert scripted.requests[-1].status == 304
    assert scripted.body_bytes() == before
    assert_same(S3Client(scripted.endpoint, SCRIPT).get("/bucket/key", headers=span), second)


def test_metadata_replaced_in_place_is_seen_at_once(proxy, scripted, stored):
    client = proxy.client(SCRIPT)
    warm(proxy, client)
    span = [("Range", "bytes=5000000-6000000")]
    for _ in range(2):
        client.get("/bucket/key", headers=span)
    stored.headers["x-amz-meta-a"] = "2"
    stored.modified = float(int(time.time()))
    for headers in ([], span):
        for _ in range(2):
            assert client.get("/bucket/key", headers=headers).header("x-amz-meta-a") == "2"
    # Within the same second Last-Modified tells nothing: then the origin answers by itself.
    stored.headers["x-amz-meta-a"] = "3"
    for headers in ([], span):
        assert client.get("/bucket/key", headers=headers).header("x-amz-meta-a") == "3"


def test_an_overwrite_is_seen_at_once(proxy, scripted):
    client = proxy.client(SCRIPT)
    warm(proxy, client)
    for size in (9 * MIB, 5 * MIB, 10, 0):
        fresh = pattern(size, f"new{size}")
        scripted.put("bucket", "key", fresh)
        assert client.get("/bucket/key").body == fresh
        assert client.get("/bucket/key").body == fresh


@pytest.mark.parametrize("headers", [
    [("If-Match", "E")], [("If-Match", '"other"')], [("If-None-Match", "E")],
    [("If-None-Match", '"other"')], [("If-Modified-Since", "Thu, 01 Jan 2015 00:00:00 GMT")],
    [("If-Unmodified-Since", "Thu, 01 Jan 2015 00:00:00 GMT")],
    [("If-Match", "E"), ("Range", "bytes=100-199")],
    [("If-Match", '"other"'), ("Range", "bytes=100-199")],
    [("If-Range", "E"), ("Range", "bytes=100-199")],
    [("Range", "bytes=-5")], [("Range", "bytes=99999999-")], [("Range", "bytes=0-1,5-6")],
    [("x-amz-checksum-mode", "ENABLED")]])
def test_conditionals_that_the_client_signed(proxy, scripted, stored, headers):
    stored.checksums = {"x-amz-checksum-crc32": "AAAAAA=="}
    client, direct = proxy.client(SCRIPT), S3Client(scripted.endpoint, SCRIPT)
    warm(proxy, client)
    headers = [(name, stored.etag if value == "E" else value) for name, value in headers]
    for method in ("GET", "HEAD"):
        expected = direct.request(method, "/bucket/key", headers=headers)
        for _ in range(3):
            assert_same(expected, client.request(method, "/bucket/key", headers=headers), method)


def test_presigned_urls(proxy, scripted):
    client = proxy.client(SCRIPT)
    for _ in range(3):
        target = client.presigned("GET", "/bucket/key")
        reply = client.send("GET", target, [("Host", client.host)])
        assert (reply.status, reply.body) == (200, BODY)
    assert reply.header("x-forebay-cache") == "hit"
    expired = client.presigned("GET", "/bucket/key", expires=1)
    time.sleep(2.1)
    assert client.send("GET", expired, [("Host", client.host)]).status == 403


def test_absolute_form_for_a_name_of_the_origin(scripted, stored, node):
    proxy = node(scripted, {**CONFIG, "listen": {"domains": ["s3.origin.test"]}})
    client = proxy.client(SCRIPT)
    target, headers = client.signed("GET", "/key", host="bucket.s3.origin.test")
    # The scripted origin knows path-style only: what matters here is what reaches it.
    client.send("GET", "http://bucket.s3.origin.test" + target, headers)
    seen, = scripted.requests
    assert (seen.target, seen.header("host")) == ("/key", "bucket.s3.origin.test")
    assert seen.header("authorization") == dict(headers)["Authorization"]
    for foreign in ("http://elsewhere.test/key", "http://s3.origin.test.evil/key"):
        assert client.send("GET", foreign, [("Host", foreign.split("/")[2])]).status == 400
    reply = client.send("GET", "http://bucket.s3.origin.test/key", [("Host", "s3.origin.test")])
    assert reply.status == 400, "two hosts in one request"
    assert len(scripted.requests) == 1


def test_what_is_gone_after_the_verdict_comes_by_the_callers_own_request(proxy, scripted):
    """Purged while the probe is answered: a whole read and a signed range must still be right."""
    client = proxy.client(SCRIPT)
    span = [("Range", "bytes=1000000-8999999")]

    def purge(_):
        url = f"{proxy.admin}/purge?bucket=bucket&prefix="
        request = urllib.request.Request(url, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
    for headers, expected in (([], BODY), (span, BODY[1000000:9000000])):
        client.get("/bucket/key", headers=headers)
        client.get("/bucket/key")
        proxy.settle()
        assert client.get("/bucket/key", headers=headers).header("x-forebay-cache") == "hit"
        scripted.clear_scripts()
        scripted.on(Script(before=purge), times=1)
        assert client.get("/bucket/key", headers=headers).body == expected


def test_through_a_real_gateway(rgw, bucket, node):
    proxy = node(rgw, CONFIG)
    rgw.boto().put_object(Bucket=bucket, Key="key", Body=BODY, Metadata={"a": "1"})
    client, direct = proxy.client(ALICE), rgw.client()
    for cache in ("miss", "hit"):
        reply = client.get(f"/{bucket}/key")
        assert reply.header("x-forebay-cache") == cache
        assert_same(direct.get(f"/{bucket}/key"), reply)
        proxy.settle()
    span = [("Range", "bytes=4000000-5000000")]
    for _ in range(3):
        assert_same(direct.get(f"/{bucket}/key", headers=span),
                    client.get(f"/{bucket}/key", headers=span))
    forged = proxy.client((ALICE[0], "wrong", None))
    assert forged.get(f"/{bucket}/key").status == 403
    assert client.put(f"/{bucket}/new", BODY).status == 200
    assert rgw.client().get(f"/{bucket}/new").body == BODY
    assert client.get(f"/{bucket}/none").code == "NoSuchKey"


def test_no_key_and_no_signature_stays_in_the_log(proxy):
    client = proxy.client(SCRIPT)
    client.get("/bucket/key")
    wait_until(lambda: "GetObject" in proxy.log(), what="the access log")
    assert "Signature" not in proxy.log() and "AKSCRIPT" not in proxy.log()
    assert base64.b64encode(b"SKSCRIPT").decode() not in proxy.log()


def fill_credentials(key):
    return {**CONFIG, "origin": {"fill_credentials": {
        "source": "static", "access_key": key[0], "secret_key": key[1]}}}


@pytest.mark.parametrize("bare", [False, True], ids=["aws-like", "gateway-like"])
def test_ranges_fill_the_cache_by_the_nodes_own_key(scripted, stored, node, bare):
    """What clients sign cannot be widened: the node asks for the blocks by itself."""
    scripted.credentials["AKNODE"] = ("SKNODE", None)
    if bare:  # a 304 without a field
        scripted.on(Script(set_headers={"Last-Modified": None, "ETag": None}),
                    when=lambda request: request.header("if-none-match") is not None)
    proxy = node(scripted, fill_credentials(("AKNODE", "SKNODE")))
    client, direct = proxy.client(SCRIPT), S3Client(scripted.endpoint, SCRIPT)
    span = [("Range", "bytes=4500000-7500000")]
    first = client.get("/bucket/key", headers=span)
    assert_same(direct.get("/bucket/key", headers=span), first)
    proxy.settle()
    before = scripted.body_bytes("key")
    second = client.get("/bucket/key", headers=[("Range", "bytes=4600000-7400000")])
    assert second.body == BODY[4600000:7400001]
    assert second.header("x-forebay-cache") == "hit"
    assert scripted.body_bytes("key") == before
    forged = proxy.client(("AKSCRIPT", "wrong", None))
    assert forged.get("/bucket/key", headers=span).status == 403
    scripted.deny = lambda r: None if r.access_key == "AKNODE" else S3Error(403, "AccessDenied")
    assert client.get("/bucket/key", headers=span).code == "AccessDenied"


def test_head_prestages_by_the_nodes_own_key_alone(scripted, stored, node):
    scripted.credentials["AKNODE"] = ("SKNODE", None)
    without = node(scripted, CONFIG)
    assert without.client(SCRIPT).head("/bucket/key").status == 200
    without.settle()
    assert not [r for r in scripted.asked("GET")]
    proxy = node(scripted, fill_credentials(("AKNODE", "SKNODE")))
    assert proxy.client(SCRIPT).head("/bucket/key").status == 200
    wait_until(lambda: scripted.body_bytes("key") >= len(BODY), what="the fills")
    assert {r.access_key for r in scripted.asked("GET")} == {"AKNODE"}
    proxy.settle()
    assert proxy.client(SCRIPT).get("/bucket/key").header("x-forebay-cache") == "hit"


def test_a_node_key_that_the_origin_refuses_costs_only_the_cache(scripted, stored, node):
    proxy = node(scripted, fill_credentials(("AKNOBODY", "SKNOBODY")))
    client = proxy.client(SCRIPT)
    span = [("Range", "bytes=4500000-7500000")]
    for _ in range(3):
        assert client.get("/bucket/key", headers=span).body == BODY[4500000:7500001]
        assert client.get("/bucket/key").body == BODY


def test_under_a_host_of_doubt_nothing_is_cached(scripted, stored, node):
    """The origin may read the host as a bucket's, and the path as another key."""
    proxy = node(scripted, {**CONFIG, "listen": {"domains": ["s3.origin.test"]}})
    client = proxy.client(SCRIPT)
    warm(proxy, client)
    assert client.get("/bucket/key").header("x-forebay-cache") == "hit"
    for host in ("evil.elsewhere.test", "S3.origin.test", "s3.origin.test.",
                 "bucket.S3.ORIGIN.TEST"):
        reply = client.get("/bucket/key", host=host)
        assert reply.header("x-forebay-cache") == "bypass", host
