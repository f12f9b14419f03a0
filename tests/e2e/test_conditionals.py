"""Conditionals through a node decide as the origin does: the whole matrix, cold and hot."""
import itertools

import pytest
from compare import differences, pattern
from conftest import ALICE, SCRIPT
from node import MIB
from s3_client import S3Client

PAST, FUTURE = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


def tags(etag):
    return [etag, '"0123456789abcdef0123456789abcdef"', "*", f'"x", {etag}', f"W/{etag}",
            etag.strip('"'), '""']


def dates(modified):
    return [PAST, FUTURE, modified, "yesterday"]


def combinations(etag, modified):
    """Every value of each conditional alone, every pair of the telling values, and with ranges."""
    alone = [[("If-Match", v)] for v in tags(etag)] + [[("If-None-Match", v)] for v in tags(etag)]
    alone += [[(name, v)] for name in ("If-Modified-Since", "If-Unmodified-Since")
              for v in dates(modified)]
    telling = {"If-Match": tags(etag)[:2], "If-None-Match": tags(etag)[:2],
               "If-Modified-Since": [PAST, FUTURE], "If-Unmodified-Since": [PAST, FUTURE]}
    pairs = [[(a, x), (b, y)] for a, b in itertools.combinations(telling, 2)
             for x in telling[a] for y in telling[b]]
    triples = [[("If-Match", etag), ("If-None-Match", v), ("If-Modified-Since", d)]
               for v in telling["If-None-Match"] for d in (PAST, FUTURE)]
    ranged = [[*item, ("Range", "bytes=100-5000000")] for item in alone + pairs]
    unsatisfiable = [[*item, ("Range", "bytes=99999999-")] for item in alone]
    if_range = [[("If-Range", v), ("Range", "bytes=5-9")] for v in tags(etag) + dates(modified)]
    return alone + pairs + triples + ranged + unsatisfiable + if_range


def is_ceph_16s_own(headers, etag):
    """Where RGW 16 differs from S3 and RFC 9110: it knows neither If-Match: * nor If-Range."""
    named = dict(headers)
    return named.get("If-Match") == "*" or named.get("If-Range", etag) != etag


def check_matrix(direct, through, path, left_out=lambda headers, etag: False):
    plain = direct.head(path)
    etag = plain.header("etag")
    found = []
    for headers in combinations(etag, plain.header("last-modified")):
        if left_out(headers, etag):
            continue
        for method in ("GET", "HEAD"):
            expected = direct.request(method, path, headers=headers)
            got = through.request(method, path, headers=headers)
            if different := differences(expected, got):
                found.append(f"{method} {headers}: {'; '.join(different)}")
    assert not found, f"{len(found)} differ:\n" + "\n".join(found[:40])


@pytest.mark.parametrize("state", ["cold", "hot"])
@pytest.mark.parametrize("size", [5 * MIB + 1, 1000])
def test_the_matrix_on_the_gateway(rgw, bucket, node, state, size):
    rgw.client().put(f"/{bucket}/key", pattern(size))
    through = node(rgw, {"prestage": {"trigger": "off"}}).client(ALICE)
    if state == "hot":
        through.get(f"/{bucket}/key")
    check_matrix(rgw.client(), through, f"/{bucket}/key", is_ceph_16s_own)


@pytest.mark.parametrize("state", ["cold", "hot"])
def test_the_matrix_as_aws_has_it(scripted, node, state):
    scripted.put("bucket", "key", pattern(5 * MIB + 1))
    through = node(scripted, {"prestage": {"trigger": "off"}}).client(SCRIPT)
    if state == "hot":
        through.get("/bucket/key")
    check_matrix(S3Client(scripted.endpoint, SCRIPT), through, "/bucket/key")


def test_a_304_of_a_hot_object_costs_no_byte(scripted, node):
    obj = scripted.put("bucket", "key", pattern(5 * MIB))
    through = node(scripted).client(SCRIPT)
    through.get("/bucket/key")
    seen = len(scripted.requests)
    sent = scripted.body_bytes()
    reply = through.get("/bucket/key", headers=[("If-None-Match", obj.etag)])
    assert (reply.status, reply.body) == (304, b"")
    assert len(scripted.requests) <= seen + 2  # the lookup, and the origin's own 304
    assert scripted.body_bytes() == sent
