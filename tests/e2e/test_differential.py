"""Whoever changes only the endpoint can tell nothing but the speed: every case is sent direct and
through a node, cold and hot, in both auth modes, to two real origins."""
import contextlib
import urllib.request
import uuid

import aws_chunked
import minio as minio_module
import pytest
from compare import pattern
from conftest import ALICE, BOB, credentials_of, end_node
from differential import World, differences
from differential_edges import CASES as EDGES
from differential_edges import POLYNOMIALS, crc
from differential_reads import CASES as READS
from differential_reads import KEYS, SIZE
from differential_writes import CASES as WRITES
from node import Node
from s3_client import S3Client

CASES = READS + WRITES + EDGES
# What shows nothing unless the cache did answer.
SURE_HITS = {"get_plain", "get_range_middle", "get_metadata", "get_gzip", "get_if_match",
             "get_multipart_whole", "get_key_unicode", "presigned_v4_get"}
# A 304 of the older gateway has no Last-Modified, so that a range that is passed on proves nothing.
NO_HITS = {("get_range_middle", "rgw", "passthrough")}
PUBLIC = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":'
          '"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}')
CORS = {"CORSRules": [{"AllowedOrigins": ["http://example.test"], "AllowedMethods": ["GET"],
                       "AllowedHeaders": ["*"]}]}


def fill(s3, client, bucket):
    """What the cases read; the versions of "versioned"."""
    s3.create_bucket(Bucket=bucket)
    with contextlib.suppress(s3.exceptions.ClientError):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=CORS)
    body = pattern(SIZE, "object")
    s3.put_object(Bucket=bucket, Key="object", Body=body)
    s3.put_object(Bucket=bucket, Key="small", Body=b"small")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    s3.put_object(Bucket=bucket, Key="gzip", Body=body, ContentEncoding="gzip")
    s3.put_object(Bucket=bucket, Key="metadata", Body=body, ContentType="text/x",
                  CacheControl="max-age=60", ContentDisposition="inline", ContentLanguage="de",
                  Metadata={"a": "b", "empty": "", "spaces": "c  d"})
    client.put(f"/{bucket}/checksummed", body,
               headers=[("x-amz-checksum-sha256", aws_chunked.sha256(body))])
    for name, key in KEYS.items():
        client.put(f"/{bucket}/" + (key if name == "long" else f"keys/{key}"), body[:150_000])
    client.put(f"/{bucket}/keys/dir/", b"")
    fill_odd(client, bucket, body)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    etags = [s3.upload_part(**part, PartNumber=n, Body=data)["ETag"]
             for n, data in ((1, pattern(5 << 20, 1)), (2, body))]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [
        {"PartNumber": n + 1, "ETag": etag} for n, etag in enumerate(etags)]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=bucket, Key="versioned", Body=body[n:])["VersionId"]
                for n in range(2)]
    versions.append(s3.delete_object(Bucket=bucket, Key="versioned")["VersionId"])
    versions.append(s3.put_object(Bucket=bucket, Key="versioned", Body=body[3:])["VersionId"])
    s3.put_object(Bucket=bucket, Key="deleted", Body=body)
    s3.delete_object(Bucket=bucket, Key="deleted")
    public = f"{bucket}-public"
    s3.create_bucket(Bucket=public)
    s3.put_object(Bucket=public, Key="object", Body=body)
    s3.put_bucket_policy(Bucket=public, Policy=PUBLIC % public)
    return versions


def fill_odd(client, bucket, body):
    """Checksums and fields that not every origin takes: both ways see what became of them."""
    sums = {"crc32": aws_chunked.crc32(body), "sha1": aws_chunked.sha1(body),
            **{name: crc(name, body) for name in POLYNOMIALS}}
    for name, value in sums.items():
        client.put(f"/{bucket}/checksum-{name}", body,
                   headers=[(f"x-amz-checksum-{name}", value)])
    for name, field, value in (
            ("redirect", "x-amz-website-redirect-location", "/elsewhere"),
            ("expires", "Expires", "Fri, 01 Jan 2038 00:00:00 GMT"),
            ("rfc2047", "x-amz-meta-name", "=?UTF-8?B?w7zDpA==?="),
            ("long_metadata", "x-amz-meta-long", "v" * 1900), ("tagged", "x-amz-tagging", "a=b")):
        client.put(f"/{bucket}/odd-{name}", body, headers=[(field, value)])


def way(endpoint, host, keys, world, scratch, direct):
    clients = []
    for key in keys:
        client = S3Client(endpoint, key)
        client.host = host
        clients.append(client)
    return World(clients[0], clients[1], world["bucket"], scratch, world["versions"], direct)


@pytest.fixture(scope="module")
def origins(request):
    """name -> (origin, keys, what is stored there), made when first asked for."""
    made = {}

    def origin(name):
        if name not in made:
            server = request.getfixturevalue(name)
            keys = (ALICE, BOB) if name == "rgw" else (minio_module.ALICE, minio_module.BOB)
            bucket = f"diff-{uuid.uuid4().hex[:10]}"
            s3 = server.boto(keys[0])
            made[name] = (server, keys, {
                "bucket": bucket, "versions": fill(s3, server.client(keys[0]), bucket)})
        return made[name]
    return origin


@pytest.fixture(scope="module")
def worlds(origins, tmp_path_factory):
    """worlds(origin, mode): the direct way, the way through a node, and the node."""
    made, nodes = {}, []

    def make(name, mode):
        if (name, mode) in made:
            return made[name, mode]
        server, keys, world = origins(name)
        host = server.endpoint.removeprefix("http://")
        auth = {"mode": mode}
        if mode == "passthrough":
            auth["credentials_file"] = None
        node = Node(tmp_path_factory.mktemp("differential"), server.endpoint, credentials_of(*keys),
                    {"auth": auth, "cache": {"min_object_size": "64KiB"},
                     "origin": {"trailers": "strip" if name == "rgw" else "keep"}})
        nodes.append(node)
        node.start()
        scratch = [f"scratch-{uuid.uuid4().hex[:10]}" for _ in range(2)]
        for bucket in scratch:
            server.boto(keys[0]).create_bucket(Bucket=bucket)
        through_host = host if mode == "passthrough" else node.endpoint.removeprefix("http://")
        made[name, mode] = (
            way(server.endpoint, host, keys, world, scratch[0], True),
            way(node.endpoint, through_host, keys, world, scratch[1], False), node)
        return made[name, mode]
    yield make
    failures = [line for node in nodes for line in end_node(node)]
    assert not failures, "\n".join(failures)


def purge(node, bucket):
    url = f"{node.admin}/purge?bucket={bucket}&prefix="
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10) as answer:
        assert answer.status == 200


def compare(case, direct, expected, through, got, look, ours=False):
    assert len(expected) == len(got)
    found = [f"{look}, reply {n}: {line}" for n, (a, b) in enumerate(zip(expected, got))
             for line in differences(a, direct, b, through, case, ours)]
    assert not found, "\n".join(found)


def is_hit(replies):
    return any(reply.header("x-forebay-cache") == "hit" for reply in replies)


def run_read(case, direct, through, node, ours):
    """The names of the looks that came from the cache."""
    expected = case.run(direct)
    compare(case, direct, expected, direct, case.run(direct), "the origin itself, twice")
    purge(node, direct.bucket)
    replies = {"cold": case.run(through)}
    if case.warm:
        through.read(case.warm)
        through.read(case.warm)
    replies["hot"] = case.run(through)
    replies["hot again"] = case.run(through)
    for look, got in replies.items():
        compare(case, direct, expected, through, got, look, ours)
    return {look for look, got in replies.items() if is_hit(got)}


# A case that an origin cannot show is not run there, rather than skipped.
@pytest.mark.parametrize("case, origin, mode", [
    pytest.param(case, origin, mode, id=f"{case.name}-{origin}-{mode}")
    for origin in ("rgw", "minio") for mode in ("verify", "passthrough") for case in CASES
    if origin in case.origins and mode in case.modes])
def test_case(worlds, case, origin, mode, record_property):
    for name, value in (("operation", case.operation), ("case", case.name), ("origin", origin),
                        ("mode", mode)):
        record_property(name, value)
    direct, through, node = worlds(origin, mode)
    ours = case.ours and mode == "verify"
    if case.writes:
        compare(case, direct, case.run(direct), through, case.run(through), "write", ours)
    else:
        hits = run_read(case, direct, through, node, ours)
        record_property("hits", len(hits))
        if case.name in SURE_HITS and (case.name, origin, mode) not in NO_HITS:
            assert "hot again" in hits, hits


def test_names_are_unique_and_many():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) and len(names) >= 150
