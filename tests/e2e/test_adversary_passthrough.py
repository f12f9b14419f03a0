"""Hostile requests through a node that holds no keys: what it adds to a request or remembers of an
answer widens nobody's rights."""
import itertools
import time
import uuid

import pytest
import sigv4
from adversary import LEAKS, MIB, SECRET, fenced_bucket, send_to
from compare import pattern
from conftest import SCRIPT, end_node
from node import Node
from s3_client import S3Client
from s3_semantics import Answer, http_date
from scripted_origin import Script

CONFIG = {"auth": {"mode": "passthrough", "credentials_file": None},
          "cache": {"min_object_size": "4KiB"}}
BODY = pattern(9 * MIB + 7, "passed on")
LONG_AGO = float(int(time.time()) - 90_000)
SPAN = ("Range", "bytes=5000000-5009999")
ELSEWHERE = "203.0.113.7"


class Pass:
    """An origin, a node before it, and a bucket with two versions of an object that is hot."""

    def __init__(self, origin, folder):
        self.origin = origin
        self.bucket = f"passed-{uuid.uuid4().hex[:8]}"
        s3 = origin.boto()
        s3.create_bucket(Bucket=self.bucket)
        s3.put_bucket_versioning(Bucket=self.bucket,
                                 VersioningConfiguration={"Status": "Enabled"})
        self.versions = [s3.put_object(Bucket=self.bucket, Key="k", Body=body)["VersionId"]
                         for body in (b"an older version\n" * 400, SECRET)]
        self.path = f"/{self.bucket}/k"
        self.node = Node(folder, origin.endpoint, [], CONFIG)
        self.node.start()
        self.direct = origin.client(origin.alice)
        self.through = S3Client(self.node.endpoint, origin.alice)
        self.through.host = self.direct.host
        for query in ((), [("versionId", self.versions[0])]):
            for _ in range(3):
                assert self.through.get(self.path, query=query).status == 200
        self.node.settle()
        assert self.through.get(self.path).header("x-forebay-cache") == "hit"

    def both(self, method, target, headers, body=b""):
        return [send_to(endpoint, method, target, headers, body)
                for endpoint in (self.origin.endpoint, self.node.endpoint)]


@pytest.fixture(scope="module")
def passes(request, tmp_path_factory):
    made = {}

    def pass_of(name):
        if name not in made:
            made[name] = Pass(request.getfixturevalue(name), tmp_path_factory.mktemp("pass"))
        return made[name]
    yield pass_of
    failures = [line for each in made.values() for line in end_node(each.node)]
    assert not failures, "\n".join(failures)


def seen_of(reply):
    names = ("content-range", "etag", "x-amz-version-id", "content-type")
    return (reply.status, reply.code, reply.body if reply.status < 300 else None,
            [reply.header(name) for name in names] if reply.status < 300 else None)


# (name, fields that the signature covers, fields that are sent)
UNSENT = [
    ("a range that is not sent", [("Range", "bytes=0-0")], []),
    ("a range that is sent", [("Range", "bytes=0-0")], [("Range", "bytes=0-0")]),
    ("another range", [("Range", "bytes=0-0")], [("Range", "bytes=0-99")]),
    ("a range sent twice", [("Range", "bytes=0-0")], [("Range", "bytes=0-0")] * 2),
    ("a range behind an odd name", [("Range", "bytes=0-0")], [("range_", "bytes=0-0")]),
    ("If-None-Match that is not sent", [("If-None-Match", '"x"')], []),
    ("If-None-Match that is sent", [("If-None-Match", '"x"')], [("If-None-Match", '"x"')]),
    ("If-None-Match, and a range is sent", [("If-None-Match", "E")], [("Range", "bytes=0-99")]),
    ("If-None-Match *, and a range is sent", [("If-None-Match", "*")], [("Range", "bytes=0-99")]),
    ("both, and only the range is sent", [("If-None-Match", "E"), ("Range", "bytes=0-99")],
     [("Range", "bytes=0-99")]),
    ("If-Match that is not sent", [("If-Match", '"x"')], []),
    ("If-Modified-Since that is not sent",
     [("If-Modified-Since", "Fri, 01 Jan 2038 00:00:00 GMT")], []),
    ("If-Range that is not sent", [("If-Range", "E")], [("Range", "bytes=0-99")]),
    ("an empty range that is not sent", [("Range", "")], []),
    ("Cache-Control that is not sent", [("Cache-Control", "no-cache")], []),
]


@pytest.mark.parametrize("form", ["presigned", "header"])
@pytest.mark.parametrize("name, signed, sent", UNSENT, ids=[each[0] for each in UNSENT])
@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_a_signature_that_covers(passes, origin, name, signed, sent, form):
    """Hot, by a URL or a header: the answer is that of the origin, byte for byte."""
    world = passes(origin)
    etag = world.direct.head(world.path).header("etag")
    signed, sent = ([(n, etag if v == "E" else v) for n, v in each] for each in (signed, sent))
    host = [("Host", world.direct.host)]
    if form == "presigned":
        pairs = sigv4.presign("GET", world.path, [], [*host, *signed], world.origin.alice)
        target, headers = world.direct.target(world.path, pairs), [*host, *sent]
    else:
        target, fields = world.direct.signed("GET", world.path, (), signed)
        names = {n.lower() for n, _ in signed}
        headers = [field for field in fields if field[0].lower() not in names] + sent
    for _ in range(3):
        expected, got = world.both("GET", target, headers)
        assert seen_of(got) == seen_of(expected)


@pytest.mark.parametrize("target", [
    "versionId={0}&versionId={1}", "versionId={1}&versionId={0}", "versionId={0}&version%49d={1}",
    "partNumber=1&partNumber=2", "response-content-type=text/a&response-content-type=text/b",
    "versionId={0}&VersionId={1}", "versionId=&versionId={0}", "versionId%3D{0}"])
@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_a_parameter_twice_is_the_origins_to_read(passes, origin, target):
    world = passes(origin)
    raw = target.format(*(sigv4.encode(version) for version in world.versions))
    pairs = sigv4.parse_query(raw)
    for _ in range(3):
        _, headers = world.direct.signed("GET", world.path, pairs)
        expected, got = world.both("GET", f"{world.path}?{raw}", headers)
        if "%3D" not in target:
            assert got.header("x-forebay-cache") != "hit"
        assert seen_of(got) == seen_of(expected)


@pytest.mark.parametrize("name", ["nothing", "a wrong secret", "another key", "a token alone",
                                  "a lower-case signature", "a stranger's URL"])
@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_who_may_not_read_what_is_hot(passes, origin, name):
    world = passes(origin)
    host = [("Host", world.direct.host)]
    access_key = world.origin.alice[0]
    target, headers = {
        "nothing": lambda: (world.path, host),
        "a wrong secret": lambda: S3Client(world.origin.endpoint, (access_key, "wrong")).signed(
            "GET", world.path),
        "another key": lambda: S3Client(world.origin.endpoint, ("AKX", "x")).signed(
            "GET", world.path),
        "a token alone": lambda: (world.path, [*host, ("x-amz-security-token", "t")]),
        "a lower-case signature": lambda: (S3Client(world.origin.endpoint, (
            access_key, "wrong")).presigned("GET", world.path).replace("X-Amz", "x-amz"), host),
        "a stranger's URL": lambda: (S3Client(world.origin.endpoint, (
            access_key, "wrong")).presigned("GET", world.path), host)}[name]()
    for add in ([], [("Range", "bytes=0-99")], [("If-None-Match", '"x"')]):
        for method in ("GET", "HEAD"):
            expected, got = world.both(method, target, [*headers, *add])
            assert got.status == expected.status and got.status in (400, 403)
            assert not any(leak in got.body for leak in LEAKS)


@pytest.mark.parametrize("name", ["x_amz_copy_source", "x.amz.acl", "x-amz_acl", "content_type",
                                  "if_none_match", "x_forwarded_for", "transfer_encoding"])
@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_folded_names(passes, origin, name):
    world = passes(origin)
    target, headers = world.direct.signed("GET", world.path)
    assert send_to(world.node.endpoint, "GET", target, [*headers, (name, "x")]).status == 400


@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_nobody_says_where_it_is(passes, origin):
    world = passes(origin)
    with fenced_bucket(world.origin, world.bucket, ("Allow", "IpAddress", ELSEWHERE)) as bucket:
        host = [("Host", world.direct.host)]
        wrong = []
        for _ in range(2):
            for name in ("X-Forwarded-For", "x-forwarded-for", "X-Real-IP", "Forwarded",
                         "x_forwarded_for"):
                value = f"for={ELSEWHERE}" if name == "Forwarded" else ELSEWHERE
                for add in ([], [("Range", "bytes=0-99")]):
                    reply = send_to(world.node.endpoint, "GET", f"/{bucket}/k",
                                    [*host, (name, value), *add])
                    if reply.status not in (400, 403):
                        wrong.append(f"{name}: {reply.status}")
            for _ in range(3):
                assert world.through.get(f"/{bucket}/k").status == 200
            world.node.settle()
        assert not wrong, "\n".join(wrong)


# --- what an answer to one caller tells another (an origin by script) ---------------------------

@pytest.fixture
def proxy(scripted, node):
    scripted.put("bucket", "key", BODY, modified=LONG_AGO)
    scripted.credentials["AKB"] = ("SKB", None)
    return node(scripted, CONFIG)


B = ("AKB", "SKB", None)


def is_of_b(request):
    return "Credential=AKB/" in (request.header("authorization") or "") or \
        "Credential=AKB%2F" in request.target


def claims_both(how, client):
    """A read of B's that names A as well."""
    a = f"AKSCRIPT/{time.strftime('%Y%m%d', time.gmtime())}/us-east-1/s3/aws4_request"
    query = {"X-Amz-Credential": [("X-Amz-Credential", a)],
             "AWSAccessKeyId": [("AWSAccessKeyId", "AKSCRIPT")],
             "x-amz-credential": [("x-amz-credential", a)]}.get(how, [])
    target, headers = client.signed("GET", "/bucket/key", query, [SPAN])
    value = dict(headers)["Authorization"]
    rest = [field for field in headers if field[0] != "Authorization"]
    fields = {
        "a component twice": [("Authorization", value.replace(
            "Credential=", f"Credential={a}, Credential="))],
        "a field before": [("Authorization", value.replace("AKB", "AKSCRIPT")),
                           ("Authorization", value)],
        "a field behind": [("Authorization", value),
                           ("Authorization", value.replace("AKB", "AKSCRIPT"))],
        "a blank before": [("Authorization", " " + value)],
    }.get(how, [("Authorization", value)])
    return target, [*rest, *fields]


@pytest.mark.parametrize("how", ["X-Amz-Credential", "AWSAccessKeyId", "x-amz-credential",
                                 "a component twice", "a field before", "a field behind",
                                 "a blank before", "plainly"])
def test_what_one_caller_was_sent_reaches_no_other(proxy, scripted, how):
    """The origin tells each caller something else; a caller who names two gets its own."""
    scripted.on(Script(set_headers={"x-amz-meta-for": "B"}), when=is_of_b)
    scripted.on(Script(set_headers={"x-amz-meta-for": "A"}))
    a, b = proxy.client(SCRIPT), proxy.client(B)
    for _ in range(3):
        assert a.get("/bucket/key").status == 200
        assert a.get("/bucket/key", headers=[SPAN]).header("x-amz-meta-for") == "A"
        proxy.settle()
    for _ in range(3):
        target, headers = claims_both(how, b)
        expected = send_to(scripted.endpoint, "GET", target, headers)
        reply = send_to(proxy.endpoint, "GET", target, headers)
        assert "A" not in (reply.header("x-amz-meta-for") or "")
        assert reply.status in (expected.status, 400)
        if reply.status == 206:
            assert reply.body == BODY[5_000_000:5_010_000]


def numbered(scripted, **fields):
    """Every answer differs from every other in what belongs to one answer alone."""
    script = Script(set_headers={"Connection": "keep-alive, X-Hop", "X-Hop": "1", **fields})

    def number(request):
        script.set_headers |= {"Set-Cookie": f"n={request.order}",
                               "Date": http_date(LONG_AGO + 60 * request.order),
                               "x-amz-request-id": f"SCRIPT{request.order}",
                               "x-amz-id-2": f"second{request.order}"}
    script.before = number
    scripted.on(script)


def assert_own(reply, orders):
    """What it says of itself was said in one of the exchanges of these orders, or by the node."""
    cookie = reply.header("set-cookie")
    assert cookie is None or cookie in [f"n={order}" for order in orders]
    number = reply.header("x-amz-request-id")
    assert not number.startswith("SCRIPT") or number in [f"SCRIPT{order}" for order in orders]
    second = reply.header("x-amz-id-2")
    assert second is None or not second.startswith("second") or \
        second in [f"second{order}" for order in orders]
    dates = [http_date(LONG_AGO + 60 * order) for order in orders]
    dates += [http_date(time.time() - back) for back in range(-2, 10)]
    assert reply.header("date") in dates
    assert reply.header("x-hop") is None


@pytest.mark.parametrize("mode", ["passthrough", "verify"])
@pytest.mark.parametrize("headers", [[], [SPAN]], ids=["whole", "range"])
def test_an_answers_own_fields_are_its_own(scripted, node, mode, headers):
    scripted.put("bucket", "key", BODY, modified=LONG_AGO - 90_000)
    numbered(scripted)
    proxy = node(scripted, CONFIG if mode == "passthrough" else {})
    client = proxy.client(SCRIPT)
    caches = set()
    for read in itertools.count():
        before = len(scripted.requests)
        reply = client.get("/bucket/key", headers=headers if read > 1 else [])
        assert reply.body in (BODY, BODY[5_000_000:5_010_000])
        assert_own(reply, [seen.order for seen in scripted.requests[before:]])
        caches.add(reply.header("x-forebay-cache"))
        proxy.settle()
        if read == 6:
            break
    assert "hit" in caches


def test_anonymous_callers_have_no_memory(proxy, scripted):
    """One anonymous caller is not the next: nothing that one was sent is kept for the other."""
    scripted.public.add("bucket")
    numbered(scripted)
    host = [("Host", proxy.client(SCRIPT).host)]
    for headers in ([], [], [SPAN], [SPAN], [SPAN]):
        before = len(scripted.requests)
        reply = send_to(proxy.endpoint, "GET", "/bucket/key", [*host, *headers])
        assert reply.status in (200, 206)
        assert_own(reply, [seen.order for seen in scripted.requests[before:]])
        proxy.settle()


def test_anonymous_after_signed(proxy, scripted):
    """The signed reader's answer is no anonymous one's, be the bucket public or not."""
    client = proxy.client(SCRIPT)
    scripted.on(Script(set_headers={"x-amz-meta-for": "A"}),
                when=lambda request: "AWS4" in (request.header("authorization") or ""))
    for headers in ([], [], [SPAN], [SPAN]):
        client.get("/bucket/key", headers=headers)
        proxy.settle()
    host = [("Host", client.host)]
    for public, statuses in ((False, {403}), (True, {200, 206}), (False, {403})):
        (scripted.public.add if public else scripted.public.discard)("bucket")
        for headers in ([], [SPAN], [SPAN]):
            for odd in ([], [("Authorization", "")], [("Authorization", "AKSCRIPT:")]):
                reply = send_to(proxy.endpoint, "GET", "/bucket/key", [*host, *headers, *odd])
                assert reply.status in (statuses if not odd else {*statuses, 400, 403})
                assert reply.header("x-amz-meta-for") is None


@pytest.mark.parametrize("kind", ["KMS", "archived"])
def test_not_modified_is_no_verdict(proxy, scripted, kind):
    """A 304 needs no key and no restoring: of such an object it does not say who may read it."""
    stored = scripted.get("bucket", "key")
    marks = {"KMS": {"x-amz-server-side-encryption": "aws:kms"},
             "archived": {"x-amz-storage-class": "GLACIER", "x-amz-restore":
                          'ongoing-request="false"'}}[kind]
    scripted.on(Script(set_headers=marks))
    client = proxy.client(SCRIPT)
    for headers in ([], [], [SPAN], [SPAN]):
        client.get("/bucket/key", headers=headers)
        proxy.settle()
    stored.kms_denied = True
    scripted.clear_scripts()
    scripted.on(Script(answer=Answer(304, [
        ("ETag", stored.etag), ("Last-Modified", http_date(stored.modified)),
        *(marks.items() if kind != "KMS" else [])])),
        when=lambda request: request.header("if-none-match") is not None)
    for headers in ([SPAN], []):
        reply = client.get("/bucket/key", headers=headers)
        assert (reply.status, reply.code) == (403, "AccessDenied")


@pytest.mark.parametrize("coding", ["Chunked", "chunked", "CHUNKED"])
def test_a_signed_transfer_coding_keeps_its_spelling(proxy, scripted, coding):
    client = proxy.client(SCRIPT)
    target, headers = client.signed("PUT", "/bucket/new", (), [("Transfer-Encoding", coding)], b"",
                                    payload_hash="UNSIGNED-PAYLOAD")
    reply = send_to(proxy.endpoint, "PUT", target, headers, b"5\r\nhello\r\n0\r\n\r\n")
    assert reply.status == 200, reply
    assert scripted.get("bucket", "new").body == b"hello"
    assert scripted.asked("PUT")[-1].header("transfer-encoding") == coding


# --- preflights ---------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["verify", "passthrough"])
def test_a_preflight_carries_no_credentials(scripted, node, mode):
    """A browser sends the query of the request that it announces, whose signature is for that."""
    scripted.on(Script(answer=Answer(200, [("Access-Control-Allow-Origin", "http://page.test"),
                                           ("Access-Control-Max-Age", "7")], b"")),
                method="OPTIONS")
    proxy = node(scripted, CONFIG if mode == "passthrough" else {})
    client = proxy.client(SCRIPT)
    for target in (client.presigned("PUT", "/bucket/a", [("x-id", "PutObject")]),
                   "/bucket/a?x-id=PutObject&AWSAccessKeyId=AK&Expires=1&Signature=x%3D"):
        reply = send_to(proxy.endpoint, "OPTIONS", target, [
            ("Host", client.host), ("Origin", "http://page.test"),
            ("Authorization", "AWS4-HMAC-SHA256 Credential=AKSCRIPT/x"),
            ("Access-Control-Request-Method", "PUT")])
        assert (reply.status, reply.header("access-control-allow-origin"),
                reply.header("access-control-max-age")) == (200, "http://page.test", "7")
        seen = scripted.requests[-1]
        assert (seen.method, seen.header("origin")) == ("OPTIONS", "http://page.test")
        assert seen.header("access-control-request-method") == "PUT"
        if mode == "verify":
            assert seen.query == {"x-id": "PutObject"} and seen.header("authorization") is None
