"""What AWS does and no gateway of the tests, direct and through a node: checksums only of whole
objects, keys of other services, archives, answers without length or tag, fields of tomorrow."""
import aws_chunked
import pytest
from compare import pattern
from conftest import SCRIPT, credentials_of, end_node
from differential import Case, World, differences
from differential_edges import POLYNOMIALS, crc
from node import Node
from s3_client import S3Client
from s3_semantics import Answer, S3Error
from scripted_origin import Script, ScriptedOrigin

BODY = pattern(300_007, "aws")
CUSTOMER = "x-amz-server-side-encryption-customer-"
KEY = aws_chunked.sha256(b"customer")
MD5 = aws_chunked.md5(b"customer")
GIVEN = [(CUSTOMER + "algorithm", "AES256"), (CUSTOMER + "key", KEY), (CUSTOMER + "key-md5", MD5)]
SUMS = {"crc32": aws_chunked.crc32(BODY), "sha1": aws_chunked.sha1(BODY),
        "sha256": aws_chunked.sha256(BODY), **{name: crc(name, BODY) for name in POLYNOMIALS}}
FIELDS = {"x-amz-expiration": 'expiry-date="Fri, 01 Jan 2038 00:00:00 GMT", rule-id="a b"',
          "x-amz-replication-status": "COMPLETED", "x-amz-object-lock-mode": "GOVERNANCE",
          "x-amz-restore": 'ongoing-request="false"', "x-amz-tagging-count": "2",
          "x-amz-missing-meta": "1", "x-amz-of-tomorrow": "yes", "Vary": "Origin",
          "x-amz-website-redirect-location": "/elsewhere", "x-amz-meta-empty": "",
          "Content-Type": "", "Expires": "0",
          "x-amz-server-side-encryption-bucket-key-enabled": "true"}
# How the origin answers reads of the key of that name.
SCRIPTS = {
    "slow": Script(error=S3Error(503, "SlowDown", "Please reduce your request rate.")),
    "internal": Script(error=S3Error(500, "InternalError", "We encountered an internal error.")),
    "denied": Script(error=S3Error(403, "AccessDenied", "explicit deny in a policy")),
    "chunked": Script(chunked=True),
    "until_close": Script(until_close=True),
    "lambda": Script(answer=Answer(200, [("Content-Type", "text/x")], BODY[:5000]), chunked=True),
    "lambda_error": Script(answer=Answer(418, [("x-amz-fwd-error-code", "Teapot")], b"no XML")),
    "no_date": Script(set_headers={"Last-Modified": None}),
    "html": Script(answer=Answer(502, [("Content-Type", "text/html")], b"<html>no<br></html>")),
    "empty_error": Script(answer=Answer(400, [], b"")),
    "long_error": Script(answer=Answer(403, [("Content-Type", "application/xml")],
                                       b"<Error><Code>AccessDenied</Code>" + b" " * 90_000 +
                                       b"</Error>")),
}


def _objects(origin):
    for name in ("plain", "slow", "internal", "denied", "chunked", "until_close", "no_date"):
        origin.put("bucket", name, BODY)
    for name, value in SUMS.items():
        origin.put("bucket", f"sum_{name}", BODY, checksums={f"x-amz-checksum-{name}": value})
    origin.put("bucket", "kms", BODY, kms_denied=True)
    origin.put("bucket", "archived", BODY, storage_class="GLACIER")
    origin.put("bucket", "cold_class", BODY, storage_class="STANDARD_IA")
    origin.put("bucket", "sse_c", BODY, sse_c_md5=MD5)
    origin.put("bucket", "parts", BODY, parts=(100_000, 200_000, 7), etag='"abc-3"')
    origin.put("bucket", "weak", BODY, etag='W/"abc"')
    origin.put("bucket", "no_tag", BODY, etag=None)
    origin.put("bucket", "fields", BODY, headers=FIELDS)
    origin.make_bucket("versioned", versioned=True)
    origin.put("versioned", "key", BODY, version_id="v1")
    origin.put("versioned", "key", BODY[:250_000], version_id="v2")
    origin.put("versioned", "deleted", BODY)
    origin.delete("versioned", "deleted")
    for key, script in SCRIPTS.items():
        origin.on(script, key=key)


def _looks():
    """(name, path, headers, query)"""
    whole = {name: f"/bucket/{name}" for name in (
        *SCRIPTS, "plain", "kms", "archived", "cold_class", "sse_c", "parts", "weak", "no_tag",
        "fields", *(f"sum_{name}" for name in SUMS))}
    whole |= {"version": "/versioned/key", "deleted": "/versioned/deleted"}
    for name, path in whole.items():
        yield name, path, [], []
        yield f"{name}_range", path, [("Range", "bytes=1000-99999")], []
    for name in SUMS:
        yield f"asked_sum_{name}", f"/bucket/sum_{name}", [("x-amz-checksum-mode", "ENABLED")], []
        yield (f"asked_sum_{name}_range", f"/bucket/sum_{name}",
               [("x-amz-checksum-mode", "ENABLED"), ("Range", "bytes=0-99")], [])
    for number in "0123490":
        if (number, number) != ("0", "0"):
            yield f"part_{number}", "/bucket/parts", [], [("partNumber", number)]
    for name, value in (("current", "v2"), ("old", "v1"), ("none", "v9"), ("null", "null")):
        yield f"version_{name}", "/versioned/key", [], [("versionId", value)]
    yield "sse_c_right", "/bucket/sse_c", GIVEN, []
    yield "sse_c_wrong", "/bucket/sse_c", [*GIVEN[:2], (CUSTOMER + "key-md5", "x")], []
    yield "sse_c_right_range", "/bucket/sse_c", [*GIVEN, ("Range", "bytes=5-9")], []
    for name, field in (("match", "If-Match"), ("none_match", "If-None-Match"),
                        ("if_range", "If-Range")):
        for tag_name, tag in (("weak", 'W/"abc"'), ("list", '"a", "abc-3"'), ("star", "*"),
                              ("bare", "abc-3"), ("same", '"abc-3"')):
            yield (f"{name}_{tag_name}", "/bucket/parts",
                   [(field, tag), ("Range", "bytes=0-9")], [])


CASES = [Case(f"{method.lower()}_{name}", f"{method.title()}Object",
              lambda w, m=method, p=path, h=headers, q=query: [
                  w.client.request(m, p, headers=h, query=q)])
         for name, path, headers, query in _looks() for method in ("GET", "HEAD")]


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    """mode -> (direct, through)"""
    with ScriptedOrigin() as origin:
        _objects(origin)
        made, nodes = {}, []
        for mode in ("verify", "passthrough"):
            auth = {"mode": mode} | ({"credentials_file": None} if mode == "passthrough" else {})
            node = Node(tmp_path_factory.mktemp("aws"), origin.endpoint, credentials_of(SCRIPT),
                        {"auth": auth, "cache": {"min_object_size": "64KiB"}})
            nodes.append(node)
            node.start()
            direct, through = (S3Client(each.endpoint, SCRIPT) for each in (origin, node))
            if mode == "passthrough":
                through.host = direct.host
            made[mode] = [World(client, client, "bucket", "scratch", [], client is direct)
                          for client in (direct, through)]
        yield made
        failures = [line for node in nodes for line in end_node(node)]
        assert not failures, "\n".join(failures)
        assert origin.malformed == [], "the node sent what is no valid request"


@pytest.mark.parametrize("mode", ["verify", "passthrough"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(ways, case, mode, record_property):
    for name, value in (("operation", case.operation), ("case", case.name), ("origin", "aws"),
                        ("mode", mode)):
        record_property(name, value)
    direct, through = ways[mode]
    [expected] = case.run(direct)
    hits = 0
    for look in ("cold", "hot", "hot again"):
        [got] = case.run(through)
        hits += got.header("x-forebay-cache") == "hit"
        found = differences(expected, direct, got, through, case)
        assert not found, f"{look}: " + "; ".join(found)
    record_property("hits", hits)
    # A node that has the keys keeps whatever has a length and a strong tag.
    assert hits or mode != "verify" or case.name not in ("get_plain", "get_fields", "get_sum_crc32")
