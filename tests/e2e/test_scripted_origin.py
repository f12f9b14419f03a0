"""The instrument itself: it answers AWS's way, checks signatures, and misbehaves when told to."""
import datetime
import http.client
import threading

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from s3_client import S3Client
from s3_semantics import Answer, S3Error
from scripted_origin import Script, ScriptedOrigin

KEY = ("AKSCRIPT", "SKSCRIPT", None)
BODY = bytes(range(256)) * 64


@pytest.fixture
def origin():
    with ScriptedOrigin({"AKSCRIPT": ("SKSCRIPT", None), "AKT": ("SKT", "token")}) as server:
        server.put("bucket", "key", BODY, headers={"x-amz-meta-a": "b"})
        yield server
        assert server.malformed == []


@pytest.fixture
def client(origin):
    return S3Client(origin.endpoint, KEY, timeout=5)


def boto(origin, key="AKSCRIPT", secret="SKSCRIPT", token=None, **config):
    return boto3.client("s3", endpoint_url=origin.endpoint, region_name="us-east-1",
                        aws_access_key_id=key, aws_secret_access_key=secret,
                        aws_session_token=token, config=Config(retries={"total_max_attempts": 1},
                                                               **config))


def test_boto3_does_its_work(origin):
    s3 = boto(origin)
    s3.put_object(Bucket="bucket", Key="a b/ü+~", Body=b"hello", Metadata={"x": "y"})
    answer = s3.get_object(Bucket="bucket", Key="a b/ü+~")
    assert (answer["Body"].read(), answer["Metadata"]) == (b"hello", {"x": "y"})
    upload = s3.create_multipart_upload(Bucket="bucket", Key="m")["UploadId"]
    parts = [{"PartNumber": n, "ETag": s3.upload_part(
        Bucket="bucket", Key="m", UploadId=upload, PartNumber=n, Body=bytes([n]) * 10)["ETag"]}
        for n in (1, 2)]
    s3.complete_multipart_upload(Bucket="bucket", Key="m", UploadId=upload,
                                 MultipartUpload={"Parts": parts})
    part = s3.get_object(Bucket="bucket", Key="m", PartNumber=2)
    assert (part["Body"].read(), part["PartsCount"]) == (b"\2" * 10, 2)
    assert {c["Key"] for c in s3.list_objects_v2(Bucket="bucket")["Contents"]} == {
        "key", "a b/ü+~", "m"}
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "m"}, {"Key": "key"}]})
    assert [c["Key"] for c in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["a b/ü+~"]


def test_boto3_signatures_of_every_form_pass(origin):
    assert boto(origin, "AKT", "SKT", "token").head_object(Bucket="bucket", Key="key")
    url = boto(origin, signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": "bucket", "Key": "key"})
    connection = http.client.HTTPConnection("127.0.0.1", origin.port)
    connection.request("GET", url[len(origin.endpoint):])
    assert connection.getresponse().read() == BODY
    connection.close()
    assert origin.requests[-1].presigned


@pytest.mark.parametrize("why, key, options, status, code", [
    ("unknown key", ("NOBODY", "x"), {}, 403, "InvalidAccessKeyId"),
    ("wrong secret", ("AKSCRIPT", "wrong"), {}, 403, "SignatureDoesNotMatch"),
    ("missing token", ("AKT", "SKT"), {}, 400, "InvalidToken"),
    ("skew", KEY, {"now": datetime.datetime(2020, 1, 1)}, 403, "RequestTimeTooSkewed"),
    ("unsigned amz header", KEY, {"unsigned": [("x-amz-meta-x", "y")]}, 403, "AccessDenied"),
    ("payload differs", KEY, {"payload_hash": "0" * 64}, 400, "XAmzContentSHA256Mismatch"),
])
def test_refuses(origin, why, key, options, status, code):
    reply = S3Client(origin.endpoint, key).get("/bucket/key", **options)
    assert (reply.status, reply.code) == (status, code), why


def test_another_region_is_refused(origin):
    reply = S3Client(origin.endpoint, KEY, region="eu-west-1").get("/bucket/key")
    assert (reply.status, reply.code) == (400, "AuthorizationHeaderMalformed")


@pytest.mark.parametrize("value, status, expected", [
    ("bytes=0-0", 206, BODY[:1]), ("bytes=10-", 206, BODY[10:]), ("bytes=-5", 206, BODY[-5:]),
    ("bytes=0-99999999", 206, BODY), ("bytes=16384-", 416, None), ("bytes=-0", 416, None),
    ("bytes=5-2", 200, BODY), ("bytes=0-1,4-5", 200, BODY), ("lines=0-1", 200, BODY),
])
def test_ranges(client, value, status, expected):
    reply = client.get("/bucket/key", headers=[("Range", value)])
    assert reply.status == status
    assert expected is None or reply.body == expected


def test_conditions(origin, client):
    etag = origin.get("bucket", "key").etag
    past, future = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    for headers, status in [
            ([("If-Match", etag)], 200), ([("If-Match", '"x"')], 412),
            ([("If-None-Match", etag)], 304), ([("If-None-Match", '"x"')], 200),
            ([("If-Modified-Since", past)], 200), ([("If-Modified-Since", future)], 304),
            ([("If-Unmodified-Since", past)], 412), ([("If-Unmodified-Since", future)], 200),
            ([("If-Match", etag), ("If-Unmodified-Since", past)], 200),
            ([("If-None-Match", '"x"'), ("If-Modified-Since", future)], 200),
            ([("If-None-Match", etag), ("Range", "bytes=0-1")], 304),
            ([("If-Range", '"x"'), ("Range", "bytes=0-1")], 200),
            ([("If-Range", etag), ("Range", "bytes=0-1")], 206)]:
        assert client.get("/bucket/key", headers=headers).status == status, headers


def test_head_allowed_get_refused(origin, client):
    origin.put("bucket", "kms", b"x", kms_denied=True)
    origin.put("bucket", "cold", b"x", storage_class="GLACIER")
    for key, code in (("kms", "AccessDenied"), ("cold", "InvalidObjectState")):
        assert client.head(f"/bucket/{key}").status == 200
        reply = client.get(f"/bucket/{key}")
        assert (reply.status, reply.code) == (403, code)
    missing = client.head("/bucket/none")
    assert (missing.status, missing.body) == (404, b"")


def test_versions(origin, client):
    origin.make_bucket("v", versioned=True)
    first, second = origin.put("v", "k", b"one"), origin.put("v", "k", b"two")
    assert client.get("/v/k").header("x-amz-version-id") == second.version_id
    old = [("versionId", first.version_id)]
    assert client.get("/v/k", query=old).body == b"one"
    origin.delete("v", "k")
    assert client.get("/v/k").header("x-amz-delete-marker") == "true"
    assert client.get("/v/k", query=old).body == b"one"


def test_checksums_come_with_whole_objects_only(origin, client):
    origin.put("bucket", "sum", b"abcd", checksums={"x-amz-checksum-crc32": "7YLNEQ=="})
    wanted = [("x-amz-checksum-mode", "ENABLED")]
    assert client.get("/bucket/sum", headers=wanted).header("x-amz-checksum-crc32") == "7YLNEQ=="
    ranged = client.get("/bucket/sum", headers=[*wanted, ("Range", "bytes=0-1")])
    assert ranged.header("x-amz-checksum-crc32") is None
    assert client.get("/bucket/sum").header("x-amz-checksum-crc32") is None


def test_scripts_match_by_count_and_answer(origin, client):
    origin.on(Script(error=S3Error(503, "SlowDown")), method="GET", nth=2)
    origin.on(Script(answer=Answer(418, [], b"tea")), key="tea", times=1)
    assert [client.get("/bucket/key").status for _ in range(3)] == [200, 503, 200]
    assert [client.get("/bucket/tea").status for _ in range(2)] == [418, 404]
    assert [r.status for r in origin.asked(key="key")] == [200, 503, 200]


@pytest.mark.parametrize("script, error", [
    (Script(drop=True), http.client.RemoteDisconnected),
    (Script(cut_at=100), http.client.IncompleteRead),
    (Script(cut_at=100, cut_with="rst"), (http.client.IncompleteRead, ConnectionResetError)),
    (Script(cut_at=100, chunked=True), http.client.IncompleteRead),
    (Script(raw=b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), None),
])
def test_cut_connections(origin, client, script, error):
    origin.on(script)
    if error is None:
        assert client.get("/bucket/key").status == 200
    else:
        with pytest.raises(error):
            client.get("/bucket/key")


def test_body_framings(origin, client):
    origin.on(Script(chunked=True), nth=1)
    origin.on(Script(until_close=True), nth=1)
    origin.on(Script(set_headers={"ETag": None, "X-Odd": "1"}), nth=1)
    for absent, present in (("content-length", "transfer-encoding"),
                            ("content-length", "connection"), ("etag", "x-odd")):
        reply = client.get("/bucket/key")
        assert reply.body == BODY
        assert reply.header(absent) is None and reply.header(present) is not None


def test_holds_until_told(origin, client):
    gate = threading.Event()
    origin.on(Script(hold_at=(10, gate)))
    replies = []
    reader = threading.Thread(target=lambda: replies.append(client.get("/bucket/key")))
    reader.start()
    while not (origin.requests and origin.requests[-1].body_bytes_sent):
        pass
    assert origin.requests[-1].body_bytes_sent == 10
    gate.set()
    reader.join(5)
    assert replies[0].body == BODY


def test_changes_under_the_reader(origin, client):
    origin.on(Script(before=lambda _: origin.put("bucket", "key", b"new")), nth=2)
    assert client.get("/bucket/key").body == BODY
    assert client.get("/bucket/key").body == b"new"


def test_expect_100(origin):
    s3 = boto(origin)
    origin.on(Script(expect="final", error=S3Error(403, "AccessDenied")), nth=1)
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        s3.put_object(Bucket="bucket", Key="x", Body=b"y" * 100000)
    assert origin.requests[-1].body_received == 0
    s3.put_object(Bucket="bucket", Key="x", Body=b"y" * 100000)
    assert origin.requests[-1].body_received == 100000


def test_policy_and_revocation(origin, client):
    origin.deny = lambda r: S3Error(403, "AccessDenied") if r.key == "key" else None
    assert client.get("/bucket/key").code == "AccessDenied"
    origin.deny = None
    assert client.get("/bucket/key").status == 200
    del origin.credentials["AKSCRIPT"]
    assert client.get("/bucket/key").code == "InvalidAccessKeyId"


def test_malformed_requests_are_noted():
    with ScriptedOrigin() as origin:
        connection = http.client.HTTPConnection("127.0.0.1", origin.port)
        connection.putrequest("GET", "/", skip_host=True)
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()
        assert len(origin.malformed) == 1
