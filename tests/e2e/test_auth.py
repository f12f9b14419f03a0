"""Who may read and write: SigV4 in its forms, the errors AWS gives, allow-lists, key exchange."""
import datetime
import http.client
import os
import time

import pytest
import sigv4
from aws_chunked import presign_v2
from compare import pattern
from conftest import SCRIPT, credentials_of
from node import MIB, wait_until
from s3_client import S3Client

BODY = pattern(5 * MIB)
MINUTES = datetime.timedelta(minutes=1)


def now():
    return datetime.datetime.now(datetime.UTC)


def timed(options):
    """Options of a signed request; a time in them is given from the moment of the test."""
    return {name: now() + value if isinstance(value, datetime.timedelta) else value
            for name, value in options.items()}


def assert_error(reply, status, *codes):
    assert (reply.status, reply.code in codes) == (status, True), (reply.status, reply.body)
    assert reply.header("content-type") == "application/xml"
    assert reply.header("x-amz-request-id") and reply.header("x-amz-request-id") == \
        reply.xml("RequestId")
    assert reply.xml("Message")


@pytest.fixture
def proxy(scripted, node):
    scripted.put("bucket", "key", BODY)
    fresh = node(scripted)
    fresh.client(SCRIPT).get("/bucket/key")  # hot: what is refused is refused on hits too
    scripted.requests.clear()
    return fresh


@pytest.mark.parametrize("name, key, options, status, code", [
    ("unknown key", ("NOBODY", "x", None), {}, 403, "InvalidAccessKeyId"),
    ("wrong secret", ("AKSCRIPT", "wrong", None), {}, 403, "SignatureDoesNotMatch"),
    ("too old", SCRIPT, {"now": -16 * MINUTES}, 403, "RequestTimeTooSkewed"),
    ("too new", SCRIPT, {"now": 16 * MINUTES}, 403, "RequestTimeTooSkewed"),
    ("unsigned x-amz header", SCRIPT, {"unsigned": [("x-amz-meta-x", "y")]}, 403, "AccessDenied"),
    ("host unsigned", SCRIPT, {"signed": ["x-amz-date", "x-amz-content-sha256"]}, 403,
     "AccessDenied"),
    ("streaming without a decoded length", SCRIPT,
     {"payload_hash": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, 411, "MissingContentLength"),
    ("streaming that only SigV4A knows", SCRIPT,
     {"payload_hash": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}, 501, "NotImplemented"),
])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_what_is_refused(proxy, scripted, name, key, options, status, code, method):
    reply = proxy.client(key).request(method, "/bucket/key", **timed(options))
    if method == "HEAD":
        assert (reply.status, reply.body) == (status, b"")
    else:
        assert_error(reply, status, code)
    assert scripted.requests == [], "the origin was asked for a caller nobody knows"


def test_a_bad_signature_learns_nothing_of_a_hot_object(proxy, scripted):
    etag = scripted.get("bucket", "key").etag
    bad = proxy.client(("AKSCRIPT", "wrong", None))
    for headers in ([("If-None-Match", etag)], [("If-Match", '"x"')], [("Range", "bytes=0-0")],
                    [("Range", "bytes=99999999-")]):
        assert_error(bad.get("/bucket/key", headers=headers), 403, "SignatureDoesNotMatch")


def test_the_skew_of_fourteen_minutes_passes(proxy):
    for skew in (-14 * MINUTES, 14 * MINUTES):
        assert proxy.client(SCRIPT).get("/bucket/key", now=now() + skew).status == 200


def test_malformed(proxy):
    client = proxy.client(SCRIPT)
    host = [("Host", client.host)]
    date = [("x-amz-date", now().strftime("%Y%m%dT%H%M%SZ"))]
    for value in ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=AKSCRIPT", "Basic abc", "",
                  "AWS AKSCRIPT:c2lnbmF0dXJl", "AWS4-HMAC-SHA256 Credential=AKSCRIPT/x, "
                  "SignedHeaders=host, Signature=00"):
        reply = client.send("GET", "/bucket/key", [*host, *date, ("Authorization", value)])
        assert reply.status in (400, 403) and reply.code, value


def test_what_is_not_implemented(proxy, scripted):
    client = proxy.client(SCRIPT)
    host = [("Host", client.host)]
    asymmetric = ("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=AKSCRIPT/x")
    assert_error(client.send("GET", "/bucket/key", [*host, asymmetric]), 501, "NotImplemented")
    assert_error(client.get("/bucket", query=[("session", "")]), 501, "NotImplemented")
    assert scripted.requests == []


def test_anonymous_requests_are_the_origins_to_judge(proxy, scripted):
    """A hit for who may read it unsigned; 403, and no byte, as soon as the origin says so."""
    host = [("Host", proxy.client(SCRIPT).host)]
    assert_error(proxy.client(SCRIPT).send("GET", "/bucket/key", host), 403, "AccessDenied")
    scripted.public.add("bucket")
    first = proxy.client(SCRIPT).send("GET", "/bucket/key", host)
    assert (first.status, first.body, first.header("x-forebay-cache")) == (200, BODY, "hit")
    assert all(r.access_key is None and r.header("authorization") is None
               for r in scripted.requests)
    scripted.public.clear()
    assert_error(proxy.client(SCRIPT).send("GET", "/bucket/key", host), 403, "AccessDenied")


def test_anonymous_requests_denied(scripted, node):
    scripted.public.add("bucket")
    scripted.put("bucket", "key", BODY)
    proxy = node(scripted, {"auth": {"anonymous": "deny"}})
    host = [("Host", proxy.client(SCRIPT).host)]
    assert_error(proxy.client(SCRIPT).send("GET", "/bucket/key", host), 403, "AccessDenied")
    assert scripted.requests == []


def test_a_preflight_is_forwarded_all_the_same(scripted, node):
    proxy = node(scripted, {"auth": {"anonymous": "deny"}})
    proxy.client(SCRIPT).send("OPTIONS", "/bucket/key", [("Host", proxy.client(SCRIPT).host)])
    assert [request.method for request in scripted.requests] == ["OPTIONS"]


@pytest.mark.parametrize("mode", ["verify", "passthrough"])
def test_a_preflight_carries_no_credentials_in_any_spelling(scripted, node, mode):
    auth = {"mode": mode} | ({} if mode == "verify" else {"credentials_file": None})
    proxy = node(scripted, {"auth": auth})
    query = "X-Amz-Signature=a&x-amz-credential=b&awsaccesskeyid=c&temp_url_sig=d&Signature=e"
    fields = [("Host", proxy.client(SCRIPT).host), ("Authorization", "AWS a:b"),
              ("X-Auth-Token", "t"), ("x-amz-security-token", "t"), ("Origin", "http://page.test"),
              ("Access-Control-Request-Method", "PUT")]
    proxy.client(SCRIPT).send("OPTIONS", f"/bucket/key?versionId=v&{query}", fields)
    asked = scripted.requests[-1]
    assert (asked.method, asked.target) == ("OPTIONS", "/bucket/key?versionId=v")
    names = {name.lower() for name, _ in asked.headers}
    assert "origin" in names
    assert not names & {"authorization", "x-auth-token", "x-amz-security-token"}


@pytest.mark.parametrize("sign", ["header", "V4 URL", "V2 URL"])
def test_fields_of_other_protocols_and_vendors_stay_behind(proxy, scripted, sign):
    """Origins take them for x-amz-* fields, which would have been signed, or for more."""
    foreign = [("X-Goog-Meta-A", "1"), ("x-rgw-quota", "1"), ("X-Minio-Source-Etag", "0" * 32),
               ("X-Object-Meta-A", "1"), ("X-Container-Read", ".r:*"), ("X-Copy-From", "/a/b"),
               ("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/other")]
    client = proxy.client(SCRIPT)
    if sign == "header":
        assert client.put("/bucket/new", b"x", unsigned=foreign).status == 200
    else:
        target = client.presigned("PUT", "/bucket/new") if sign == "V4 URL" else \
            presign_v2(client, "PUT", "/bucket/new")
        assert client.send("PUT", target, [("Host", client.host), *foreign], b"x").status == 200
    names = {name.lower() for name, _ in scripted.asked("PUT")[-1].headers}
    assert not names & {name.lower() for name, _ in foreign}


def test_connection_takes_no_signed_field_away(proxy, scripted):
    client = proxy.client(SCRIPT)
    target, headers = client.signed("PUT", "/bucket/new", headers=[("Cache-Control", "no-store")],
                                    body=b"x")
    reply = client.send("PUT", target, [*headers, ("Connection", "Cache-Control")], b"x")
    assert_error(reply, 403, "SignatureDoesNotMatch")
    assert scripted.asked("PUT") == []


def test_what_only_leads_to_a_bucket_is_never_cached(scripted, node):
    """An access point's alias: what it answers need not be the object."""
    alias = "my-ap-abc123-s3alias"
    scripted.put(alias, "key", BODY)
    client = node(scripted).client(SCRIPT)
    for _ in range(3):
        reply = client.get(f"/{alias}/key")
        assert (reply.body, reply.header("x-forebay-cache")) == (BODY, "bypass")


def test_a_callers_session_token_goes_with_its_own_pair(scripted, node):
    scripted.credentials["AKTEMP"] = ("SKTEMP", "TOKEN")
    scripted.put("bucket", "key", BODY)
    proxy = node(scripted, credentials=[{"access_key": "AKTEMP", "secret_key": "SKTEMP"}])
    assert proxy.client(("AKTEMP", "SKTEMP", "TOKEN")).get("/bucket/key").body == BODY
    reply = proxy.client(("AKTEMP", "SKTEMP", "OTHER")).get("/bucket/key")
    assert reply.status in (400, 403), "the origin knows no such token"


def test_path_style_rejected(scripted, node):
    scripted.put("bucket", "key", BODY)
    proxy = node(scripted, {"listen": {"path_style": "reject", "domains": ["s3.test"]}})
    client = proxy.client(SCRIPT)
    assert_error(client.get("/bucket/key"), 400, "PathStyleRequestNotAllowed")
    assert client.get("/key", host="bucket.s3.test").body == BODY


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "somewhere"])
def test_any_region_in_the_scope(proxy, region):
    assert S3Client(proxy.endpoint, SCRIPT, region=region).get("/bucket/key").body == BODY


def test_a_plain_signed_date(proxy):
    client = proxy.client(SCRIPT)
    stamp = now().strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    for date in (stamp, now().strftime("%a, %d %b %Y %H:%M:%S GMT")):
        headers = [("Host", client.host), ("Date", date),
                   ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]
        names = ["date", "host", "x-amz-content-sha256"]
        canonical = sigv4.canonical_request("GET", "/bucket/key", [], headers, names,
                                            "UNSIGNED-PAYLOAD")
        value = sigv4.signature("SKSCRIPT", scope, stamp, canonical)
        reply = client.send("GET", "/bucket/key", [*headers, (
            "Authorization", f"AWS4-HMAC-SHA256 Credential=AKSCRIPT/{scope}, "
                             f"SignedHeaders={';'.join(names)}, Signature={value}")])
        assert (reply.status, reply.body == BODY) == (200, True), (date, reply.body[:300])


def test_signed_headers_of_every_client(proxy):
    headers = [("Accept-Encoding", "identity"), ("amz-sdk-request", "attempt=1"),
               ("amz-sdk-invocation-id", "abc"), ("User-Agent", "a  b   c"), ("Range", "bytes=0-9"),
               ("If-Match", "*"), ("X-Amz-Checksum-Mode", "ENABLED"), ("Cache-Control", "  x ")]
    reply = proxy.client(SCRIPT).get("/bucket/key", headers=headers)
    assert (reply.status, reply.body) == (206, BODY[:10])


def test_unsigned_payload_and_payload_hash(proxy, scripted):
    client = proxy.client(SCRIPT)
    body = pattern(3 * MIB, "payload")
    assert client.put("/bucket/u", body, payload_hash="UNSIGNED-PAYLOAD").status == 200
    assert client.put("/bucket/h", body).status == 200
    assert scripted.get("bucket", "u").body == scripted.get("bucket", "h").body == body


def test_a_payload_that_does_not_match_never_reaches_the_origin_whole(proxy, scripted):
    body = pattern(3 * MIB, "payload")
    reply = proxy.client(SCRIPT).put("/bucket/wrong", body, payload_hash="0" * 64)
    assert_error(reply, 400, "XAmzContentSHA256Mismatch")
    assert [o.key for o in scripted.asked("PUT") if o.status == 200] == []
    assert all(r.body_received < len(body) for r in scripted.asked("PUT"))


def test_presigned_reads_and_writes(proxy, scripted):
    s3 = proxy.boto(SCRIPT)

    def fetch(method, url, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.s3_port, timeout=10)
        connection.request(method, url[len(proxy.endpoint):], body=body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    url = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
    for _ in range(2):
        assert fetch("GET", url) == (200, BODY)
    url = s3.generate_presigned_url("get_object", ExpiresIn=600, Params={
        "Bucket": "bucket", "Key": "key", "ResponseContentType": "text/odd"})
    assert fetch("GET", url) == (200, BODY)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "a b/new"})
    assert fetch("PUT", url, b"presigned body")[0] == 200
    assert scripted.get("bucket", "a b/new").body == b"presigned body"


def test_what_came_presigned_leaves_presigned(proxy, scripted):
    client = proxy.client(SCRIPT)
    target = client.presigned("GET", "/bucket/key", expires=77)
    assert client.send("GET", target, [("Host", client.host)]).body == BODY
    seen = scripted.requests[-1]
    date = dict(sigv4.parse_query(target.partition("?")[2]))["X-Amz-Date"]
    assert seen.presigned and seen.header("authorization") is None
    assert (seen.query["X-Amz-Date"], seen.query["X-Amz-Expires"]) == (date, "77")


@pytest.mark.parametrize("name, options, edit", [
    ("expired", {"now": -10 * MINUTES, "expires": 60}, None),
    ("signed for HEAD", {"method": "HEAD"}, None),
    ("another key", {}, lambda t: t.replace("/bucket/key", "/bucket/other")),
    ("longer life", {}, lambda t: t.replace("Expires=300", "Expires=3000")),
    ("one more parameter", {}, lambda t: t + "&response-content-type=text/x"),
    ("a week and more", {"expires": 604801}, None),
])
def test_presigned_urls_that_are_refused(proxy, scripted, name, options, edit):
    client = proxy.client(SCRIPT)
    target = client.presigned(**{"method": "GET", "path": "/bucket/key"} | timed(options))
    reply = client.send("GET", edit(target) if edit else target, [("Host", client.host)])
    assert reply.status in (400, 403) and reply.code, name
    assert scripted.requests == []


def test_the_origin_sees_the_callers_own_pair_and_token(scripted, node):
    scripted.credentials["OAK"] = ("OSK", "TOKEN")
    scripted.put("bucket", "key", BODY)
    proxy = node(scripted, credentials=[
        {"access_key": "AK", "secret_key": "SK", "origin_access_key": "OAK",
         "origin_secret_key": "OSK", "origin_session_token": "TOKEN"}])
    client = proxy.client(("AK", "SK", None))
    for _ in range(2):
        assert client.get("/bucket/key").body == BODY
    assert client.put("/bucket/new", b"x").status == 200
    assert {r.access_key for r in scripted.requests} == {"OAK"}
    target = client.presigned("GET", "/bucket/key")
    assert client.send("GET", target, [("Host", client.host)]).body == BODY
    text = proxy.log() + proxy.metrics().text
    assert not any(secret in text for secret in ("OSK", "TOKEN")), "secrets stay home"


def test_the_allow_list(scripted, node):
    for name in ("train-a", "train-b", "other"):
        scripted.put(name, "key", BODY)
    proxy = node(scripted, credentials=[
        {"access_key": "AKSCRIPT", "secret_key": "SKSCRIPT",
         "allow": [{"bucket": "train-*", "read_only": True}, {"bucket": "scratch"}]}])
    scripted.make_bucket("scratch")
    client = proxy.client(SCRIPT)
    for path, method, allowed in [
            ("/train-a/key", "GET", True), ("/train-b/key", "HEAD", True),
            ("/train-a", "GET", True),
            ("/scratch/new", "PUT", True), ("/scratch/new", "DELETE", True),
            ("/train-a/key", "PUT", False), ("/train-a/key", "DELETE", False),
            ("/train-a", "DELETE", False), ("/train-a", "POST", False),
            ("/other/key", "GET", False), ("/other/key", "HEAD", False), ("/", "GET", False)]:
        before = len(scripted.requests)
        reply = client.request(method, path)
        if allowed:
            assert reply.status < 300, (method, path, reply.status)
        else:
            assert reply.status == 403, (method, path)
            assert len(scripted.requests) == before, (method, path)
            if method != "HEAD":
                assert_error(reply, 403, "AccessDenied")


def test_a_copy_may_not_read_what_the_allow_list_forbids(scripted, node):
    scripted.put("secret", "key", b"x")
    scripted.make_bucket("mine")
    proxy = node(scripted, credentials=[{"access_key": "AKSCRIPT", "secret_key": "SKSCRIPT",
                                         "allow": [{"bucket": "mine"}]}])
    for source in ("/secret/key", "secret/key", "%2Fsecret%2Fkey", "secret%2Fkey"):
        reply = proxy.client(SCRIPT).put("/mine/copy", b"",
                                         headers=[("x-amz-copy-source", source)])
        assert_error(reply, 403, "AccessDenied")
    assert scripted.requests == []


def test_credentials_are_reloaded(scripted, node):
    scripted.credentials["NEW"] = ("NEWSECRET", None)
    scripted.put("bucket", "key", BODY)
    proxy = node(scripted)
    new = proxy.client(("NEW", "NEWSECRET", None))
    failed = "forebay_credentials_reload_failed"
    assert new.get("/bucket/key").code == "InvalidAccessKeyId"
    proxy.write_credentials(credentials_of(("NEW", "NEWSECRET")))
    wait_until(lambda: new.get("/bucket/key").status == 200, 20, "the new key")
    assert proxy.client(SCRIPT).get("/bucket/key").code == "InvalidAccessKeyId"
    assert proxy.metric(failed) == 0
    # An invalid file keeps the old set and says so.
    proxy.credentials_file.write_text("credentials: [ { access_key: X } ]\n")
    wait_until(lambda: proxy.metric(failed) == 1, 20, "the metric")
    assert new.get("/bucket/key").status == 200
    assert "credentials.yaml" in proxy.log()
    proxy.write_credentials(credentials_of(SCRIPT))
    wait_until(lambda: proxy.client(SCRIPT).get("/bucket/key").status == 200, 20, "the old key")
    assert proxy.metric(failed) == 0


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o604])
def test_credentials_others_may_read_or_write_are_refused(scripted, node, mode):
    proxy = node(scripted, start=False)
    proxy.credentials_file.chmod(mode)
    proxy.start(wait=False)
    assert proxy.process.wait(20) != 0
    proxy.process = None
    assert "credentials.yaml" in proxy.log()


def test_credentials_behind_a_symlink(scripted, node):
    scripted.put("bucket", "key", BODY)
    proxy = node(scripted, start=False)
    mounted = proxy.folder / "..data.yaml"
    os.rename(proxy.credentials_file, mounted)
    proxy.credentials_file.symlink_to(mounted)
    proxy.start()
    assert proxy.client(SCRIPT).get("/bucket/key").status == 200
    mounted.chmod(0o644)
    proxy.stop()
    proxy.start(wait=False)
    assert proxy.process.wait(20) != 0
    proxy.process = None


def test_a_signature_takes_its_time_from_the_request_not_the_connection(proxy):
    """Keep-alive: each request on one connection is judged for itself."""
    client = proxy.client(SCRIPT)
    connection = client.connect()
    assert client.get("/bucket/key", keep=connection).status == 200
    bad = proxy.client(("AKSCRIPT", "wrong", None))
    assert bad.get("/bucket/key", keep=connection).status == 403
    assert client.get("/bucket/key", keep=connection).status == 200
    connection.close()


def test_errors_come_quickly(proxy):
    began = time.monotonic()
    for _ in range(50):
        proxy.client(("NOBODY", "x", None)).get("/bucket/key")
    assert time.monotonic() - began < 5
