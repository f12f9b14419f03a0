"""An origin that takes nothing unsigned among Content-Type and x-amz-*: what each form of request
that a client may send becomes on its way there."""
import aws_chunked
import pytest
import sigv4
from compare import pattern
from conftest import SCRIPT
from node import MIB
from s3_client import S3Client

BODY = pattern(300_000, "strict")
PASSTHROUGH = {"auth": {"mode": "passthrough", "credentials_file": None}}
TYPE = ("Content-Type", "text/x-as-sent")


@pytest.fixture(params=["own pair", "another pair", "another pair and token"])
def strict(scripted, node, request):
    """(client, origin): a node whose callers are known to the origin by that pair."""
    pair = {"access_key": "AKCALLER", "secret_key": "SKCALLER"}
    scripted.credentials["AKCALLER"] = ("SKCALLER", None)
    if request.param != "own pair":
        token = "TOKEN" if "token" in request.param else None
        scripted.credentials["AKORIGIN"] = ("SKORIGIN", token)
        pair |= {"origin_access_key": "AKORIGIN", "origin_secret_key": "SKORIGIN"}
        pair |= {"origin_session_token": token} if token else {}
    scripted.strict = True
    scripted.put("bucket", "key", BODY)
    proxy = node(scripted, {"origin": {"trailers": "strip"}, "cache": {"min_object_size": "4KiB"}},
                 credentials=[pair])
    return proxy.client(("AKCALLER", "SKCALLER", None)), scripted


def stored(origin, key):
    obj = origin.get("bucket", key)
    return obj.body, {name.lower(): value for name, value in obj.headers.items()}


def test_the_rule_itself(scripted):
    """What a client that signs less gets from such an origin without a node between them."""
    client = S3Client(scripted.endpoint, SCRIPT)
    for strict, status in ((False, 200), (True, 403)):
        scripted.strict = strict
        assert client.put("/bucket/a", b"x", headers=[TYPE]).status == 200
        assert client.put("/bucket/a", b"x", unsigned=[TYPE]).status == status
        target = client.presigned("PUT", "/bucket/a")
        host = [("Host", client.host)]
        assert client.send("PUT", target, host, b"x").status == 200
        assert client.send("PUT", target, [*host, TYPE], b"x").status == status
        digest = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        assert client.send("PUT", target, [*host, digest], b"x").status == status
        # That is another service's field.
        assert client.get("/bucket/a", unsigned=[("X-Amzn-Trace-Id", "Root=1")]).status == 200
        assert client.get("/bucket/a", unsigned=[("x-amz-meta-a", "b")]).status == 403


@pytest.mark.parametrize("headers", [[], [("Range", "bytes=1000-99999")], [("If-Match", "*")],
                                     [("x-amz-checksum-mode", "ENABLED")]])
def test_reads(strict, headers):
    client, _ = strict
    for _ in range(3):
        reply = client.get("/bucket/key", headers=headers)
        assert reply.status in (200, 206) and reply.body in (BODY, BODY[1000:100_000])
        assert client.head("/bucket/key", headers=headers).status in (200, 206)
        reply = client.get("/bucket/key", headers=headers, unsigned=[
            TYPE, ("X-Amzn-Trace-Id", "Root=1-2-3")])
        assert reply.status in (200, 206)
    assert client.get("/bucket", query=[("prefix", "k")]).status == 200


@pytest.mark.parametrize("unsigned", [False, True], ids=["type signed", "type unsigned"])
def test_uploads(strict, unsigned):
    client, origin = strict
    meta = [("x-amz-meta-a", "b"), ("x-amz-meta-my_key", "c")]
    headers, beside = (meta, [TYPE]) if unsigned else ([*meta, TYPE], [])
    for digest in (None, "UNSIGNED-PAYLOAD"):
        reply = client.put("/bucket/new", BODY, headers=headers, unsigned=beside,
                           payload_hash=digest)
        assert reply.status == 200, reply
        body, fields = stored(origin, "new")
        assert (body, fields["content-type"], fields["x-amz-meta-my_key"]) == (BODY, TYPE[1], "c")
    assert client.delete("/bucket/new").status == 204


@pytest.mark.parametrize("add", [[], [TYPE], [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")],
                                 [TYPE, ("X-Amzn-Trace-Id", "Root=1-2-3")]])
def test_presigned_uploads_and_reads(strict, add):
    client, origin = strict
    host = [("Host", client.host)]
    target = client.presigned("PUT", "/bucket/new")
    assert client.send("PUT", target, [*host, *add], BODY).status == 200
    assert stored(origin, "new")[0] == BODY
    if TYPE in add:
        assert stored(origin, "new")[1]["content-type"] == TYPE[1]
    target = client.presigned("GET", "/bucket/new")
    for _ in range(3):
        reply = client.send("GET", target, [*host, *add])
        assert (reply.status, reply.body) == (200, BODY)


def test_presigned_with_signed_fields(strict):
    client, origin = strict
    fields = [("Host", client.host), TYPE, ("x-amz-meta-a", "b"), ("x-amz-acl", "private")]
    pairs = sigv4.presign("PUT", "/bucket/new", [], fields, client.key)
    assert client.send("PUT", client.target("/bucket/new", pairs), fields, BODY).status == 200
    assert stored(origin, "new")[1]["x-amz-meta-a"] == "b"


def test_presigned_by_the_older_algorithm(strict):
    client, origin = strict
    host = [("Host", client.host)]
    fields = [TYPE, ("x-amz-meta-a", "b")]
    target = aws_chunked.presign_v2(client, "PUT", "/bucket/new", headers=fields)
    assert client.send("PUT", target, [*host, *fields], BODY).status == 200
    assert stored(origin, "new")[1]["x-amz-meta-a"] == "b"
    assert stored(origin, "new")[1]["content-type"] == TYPE[1]
    target = aws_chunked.presign_v2(client, "GET", "/bucket/new", [
        ("response-content-type", "text/y")])
    for _ in range(3):
        reply = client.send("GET", target, host)
        assert (reply.body, reply.header("content-type")) == (BODY, "text/y")
    assert client.send("DELETE", aws_chunked.presign_v2(client, "DELETE", "/bucket/new"),
                       host).status == 204


def test_in_parts(strict):
    client, origin = strict
    start = client.request("POST", "/bucket/parts", query=[("uploads", "")], headers=[
        ("x-amz-meta-a", "b")], unsigned=[TYPE])
    upload = start.xml("UploadId")
    pieces = [pattern(MIB, n) for n in range(3)]
    for number, piece in enumerate(pieces, 1):
        part = [("partNumber", str(number)), ("uploadId", upload)]
        if number == 2:
            target = client.presigned("PUT", "/bucket/parts", part)
            reply = client.send("PUT", target, [("Host", client.host), TYPE], piece)
        else:
            reply = client.put("/bucket/parts", piece, query=part, unsigned=[TYPE])
        assert reply.status == 200, reply
    done = client.request("POST", "/bucket/parts", query=[("uploadId", upload)], body=b"<x/>",
                          unsigned=[("Content-Type", "application/xml")])
    assert done.status == 200 and stored(origin, "parts")[0] == b"".join(pieces)


def test_copies(strict):
    client, origin = strict
    for beside in ([], [TYPE]):
        reply = client.put("/bucket/copy", b"", unsigned=beside, headers=[
            ("x-amz-copy-source", "/bucket/key"), ("x-amz-metadata-directive", "COPY")])
        assert reply.status == 200, reply
        assert stored(origin, "copy")[0] == BODY


def test_many_deleted_at_once(strict):
    client, origin = strict
    origin.put("bucket", "gone", b"x")
    body = b"<Delete><Object><Key>gone</Key></Object></Delete>"
    reply = client.request("POST", "/bucket", query=[("delete", "")], body=body, headers=[
        ("Content-MD5", aws_chunked.md5(body))], unsigned=[("Content-Type", "application/xml")])
    assert reply.status == 200 and "gone" in reply.body.decode()


@pytest.mark.parametrize("mode, trailer", [
    (aws_chunked.SIGNED, False), (aws_chunked.SIGNED_TRAILER, True),
    (aws_chunked.UNSIGNED_TRAILER, True)])
def test_uploads_in_chunks(strict, mode, trailer):
    client, origin = strict
    trailer = ("x-amz-checksum-crc32", aws_chunked.crc32(BODY)) if trailer else None
    reply = aws_chunked.put(client, "/bucket/chunked", BODY, mode, trailer=trailer,
                            headers=[TYPE, ("x-amz-meta-a", "b")])
    assert reply.status == 200, reply
    assert stored(origin, "chunked")[0] == BODY


def test_anonymous_reads(strict):
    client, origin = strict
    origin.public.add("bucket")
    for add in ([], [TYPE], [("Range", "bytes=0-99")]):
        for _ in range(2):
            reply = client.send("GET", "/bucket/key", [("Host", client.host), *add])
            assert reply.body in (BODY, BODY[:100])


def amz_names(request):
    return sorted(name.lower() for name, _ in request.headers if name.lower().startswith("x-amz-"))


@pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])
def test_what_is_passed_on_gets_no_field(scripted, node, presigned):
    """Reads cold and hot, whole and in part, and writes: the origin sees the client's x-amz-* and
    no others, and takes them."""
    scripted.strict = True
    scripted.put("bucket", "key", BODY, modified=1_600_000_000.0)
    proxy = node(scripted, {**PASSTHROUGH, "cache": {"min_object_size": "4KiB"}})
    client = proxy.client(SCRIPT)
    for method, headers in (("GET", []), ("GET", []), ("GET", [("Range", "bytes=5-9")]),
                            ("GET", [("Range", "bytes=5-9")]), ("HEAD", []),
                            ("PUT", [TYPE, ("x-amz-meta-a", "b")]), ("DELETE", [])):
        scripted.requests.clear()
        body = BODY if method == "PUT" else b""
        fields = [("Host", client.host), *headers]
        if presigned:
            target = client.target("/bucket/key", sigv4.presign(
                method, "/bucket/key", [], fields, client.key))
        else:
            target, fields = client.signed(method, "/bucket/key", (), headers, body)
        reply = client.send(method, target, fields, body)
        assert reply.status < 300, reply
        sent = sorted(name.lower() for name, _ in fields if name.lower().startswith("x-amz-"))
        assert {tuple(amz_names(seen)) for seen in scripted.requests} == {tuple(sent)}
