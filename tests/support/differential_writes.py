"""Differential cases that write. Each way to the origin has a bucket of its own for them."""
import base64
import re

import aws_chunked
from differential import Case

BODY = bytes(range(256)) * 700  # 179,200 bytes: chunks of 64 KiB, and a rest
PART = b"p" * (5 << 20)


def case(name, operation, **options):
    """Decorates a runner."""
    def add(run):
        CASES.append(Case(name, operation, run, writes=True, warm=None, **options))
        return run
    return add


CASES = []


def simple(name, operation, *, method="PUT", key=None, body=BODY, query=(), headers=(), **options):
    key = name if key is None else key

    def run(world):
        return [world.write(key, method, body, query=list(query), headers=list(headers)),
                world.client.get(f"/{world.scratch}/{key}" if key else f"/{world.scratch}")]
    CASES.append(Case(name, operation, run, writes=True, warm=None, **options))


simple("put", "PutObject")
simple("put_empty", "PutObject", body=b"")
simple("put_fields", "PutObject", headers=[
    ("Content-Type", "text/x"), ("Cache-Control", "no-store"), ("Content-Encoding", "gzip"),
    ("Content-Disposition", 'attachment; filename="a b"'),
    ("Content-Language", "de"), ("x-amz-meta-a", "b"), ("x-amz-meta-b", "c  d")])
simple("put_md5", "PutObject", headers=[("Content-MD5", aws_chunked.md5(BODY))])
simple("put_md5_wrong", "PutObject", headers=[("Content-MD5", aws_chunked.md5(b"other"))],
       ours=True)
simple("put_md5_malformed", "PutObject", headers=[("Content-MD5", "xyz")], ours=True)
simple("put_crc32", "PutObject", headers=[("x-amz-checksum-crc32", aws_chunked.crc32(BODY))])
simple("put_sha256", "PutObject", headers=[("x-amz-checksum-sha256", aws_chunked.sha256(BODY))])
simple("put_key_unicode", "PutObject", key="ü/日本 +%2F//./..")
simple("put_storage_class", "PutObject", headers=[("x-amz-storage-class", "STANDARD")])
simple("put_bad_storage_class", "PutObject", headers=[("x-amz-storage-class", "NONSENSE")])
simple("put_tagged", "PutObject", headers=[("x-amz-tagging", "a=b&c=d")])
simple("put_acl", "PutObject", headers=[("x-amz-acl", "public-read")])
simple("put_bad_acl", "PutObject", headers=[("x-amz-acl", "nonsense")])
simple("put_if_none_match", "PutObject", headers=[("If-None-Match", "*")])
simple("put_sse", "PutObject", headers=[("x-amz-server-side-encryption", "AES256")])
simple("delete_missing", "DeleteObject", method="DELETE", body=b"")
simple("put_key_too_long", "PutObject", key="k" * 1025)
simple("post_nonsense", "PostObject", method="POST", body=b"x")
simple("put_tagging_missing", "PutObjectTagging", query=[("tagging", "")], body=b"<x/>")
simple("put_tagging_malformed", "PutObjectTagging", query=[("tagging", "")], body=b"no xml")
simple("restore", "RestoreObject", method="POST", query=[("restore", "")], body=b"")


@case("put_conditional", "PutObject")
def _(w):
    first = w.write("cond", body=b"1")
    return [first, w.write("cond", body=b"2", headers=[("If-None-Match", "*")]),
            w.write("cond", body=b"3", headers=[("If-Match", '"other"')]),
            w.write("cond", body=b"4", headers=[("If-Match", first.header("etag"))]),
            w.client.get(f"/{w.scratch}/cond")]


@case("delete", "DeleteObject")
def _(w):
    return [w.write("gone"), w.write("gone", "DELETE"), w.client.get(f"/{w.scratch}/gone"),
            w.client.head(f"/{w.scratch}/gone")]


@case("delete_objects", "DeleteObjects")
def _(w):
    body = (b'<Delete><Object><Key>many1</Key></Object><Object><Key>none</Key></Object>'
            b'</Delete>')
    quiet = body.replace(b"<Delete>", b"<Delete><Quiet>true</Quiet>")
    md5, crc = aws_chunked.md5, aws_chunked.crc32
    return [w.write("many1", body=b"x"), w.write("many2", body=b"x"),
            w.write("", "POST", body, query=[("delete", "")],
                    headers=[("Content-MD5", md5(body))]),
            w.write("", "POST", quiet, query=[("delete", "")],
                    headers=[("Content-MD5", md5(quiet)), ("x-amz-checksum-crc32", crc(quiet))]),
            w.write("", "POST", b"<Delete>", query=[("delete", "")],
                    headers=[("Content-MD5", md5(b"<Delete>"))])]


@case("copy", "CopyObject")
def _(w):
    source = [("x-amz-copy-source", f"/{w.scratch}/from")]
    replace = [("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-a", "new")]
    w.write("from", headers=[("x-amz-meta-a", "old")])
    return [w.write("to", headers=source), w.client.head(f"/{w.scratch}/to"),
            w.write("to", headers=[*source, *replace]), w.client.head(f"/{w.scratch}/to"),
            w.write("from", headers=[*source, *replace]), w.client.get(f"/{w.scratch}/from")]


@case("copy_refused", "CopyObject")
def _(w):
    w.write("from2")
    source = [("x-amz-copy-source", f"/{w.scratch}/from2")]
    return [w.write("to", headers=[("x-amz-copy-source", f"/{w.scratch}/none")]),
            w.write("to", headers=[("x-amz-copy-source", "/no-such-bucket-x/key")]),
            w.write("from2", headers=source),
            w.write("to", headers=[*source, ("x-amz-copy-source-if-match", '"other"')]),
            w.write("to", headers=[*source, ("x-amz-copy-source-if-none-match", '"other"')])]


def upload_id(reply):
    return re.search(rb"<UploadId>([^<]+)", reply.body)[1].decode()


def finish(*parts):
    return ("<CompleteMultipartUpload>" + "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts) +
        "</CompleteMultipartUpload>").encode()


@case("multipart", "CompleteMultipartUpload")
def _(w):
    begun = w.write("multi", "POST", query=[("uploads", "")], headers=[("x-amz-meta-a", "b")])
    upload = [("uploadId", upload_id(begun))]
    one = w.write("multi", body=PART, query=[("partNumber", "1"), *upload])
    two = w.write("multi", body=BODY, query=[("partNumber", "2"), *upload])
    listed = w.write("multi", "GET", query=upload)
    wrong = w.write("multi", "POST", finish((2, two.header("etag")), (1, one.header("etag"))),
                    query=upload)
    done = w.write("multi", "POST", finish((1, one.header("etag")), (2, two.header("etag"))),
                   query=upload)
    return [begun, one, two, listed, wrong, done, w.client.get(f"/{w.scratch}/multi")]


@case("multipart_refused", "CompleteMultipartUpload")
def _(w):
    begun = w.write("multi2", "POST", query=[("uploads", "")])
    upload = [("uploadId", upload_id(begun))]
    one = w.write("multi2", body=b"small", query=[("partNumber", "1"), *upload])
    two = w.write("multi2", body=b"small", query=[("partNumber", "2"), *upload])
    return [w.write("multi2", "POST", finish((1, '"0123456789abcdef0123456789abcdef"')),
                    query=upload),
            w.write("multi2", "POST", finish((1, one.header("etag")), (2, two.header("etag"))),
                    query=upload),
            w.write("multi2", "POST", b"no xml", query=upload),
            w.write("multi2", body=b"x", query=[("partNumber", "0"), *upload]),
            w.write("multi2", body=b"x", query=[("partNumber", "10001"), *upload]),
            w.write("multi2", "DELETE", query=upload),
            w.write("multi2", body=b"x", query=[("partNumber", "1"), *upload])]


@case("upload_part_copy", "UploadPartCopy")
def _(w):
    w.write("whole", body=PART + BODY)
    begun = w.write("copied", "POST", query=[("uploads", "")])
    upload = [("uploadId", upload_id(begun))]
    source = ("x-amz-copy-source", f"/{w.scratch}/whole")
    span = ("x-amz-copy-source-range", f"bytes=0-{len(PART) - 1}")
    rest = ("x-amz-copy-source-range", f"bytes={len(PART)}-{len(PART) + len(BODY) - 1}")
    one = w.write("copied", query=[("partNumber", "1"), *upload], headers=[source, span])
    two = w.write("copied", query=[("partNumber", "2"), *upload], headers=[source, rest])
    etags = [re.search(rb"ETag>([^<]+)", each.body)[1].decode() for each in (one, two)]
    done = w.write("copied", "POST", finish((1, etags[0]), (2, etags[1])), query=upload)
    return [one, two, done, w.client.get(f"/{w.scratch}/copied")]


@case("tagging", "PutObjectTagging")
def _(w):
    w.write("tagged")
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    tagging = {"query": [("tagging", "")]}
    return [w.write("tagged", body=body, headers=[("Content-MD5", aws_chunked.md5(body))],
                    **tagging),
            w.write("tagged", "GET", **tagging), w.client.get(f"/{w.scratch}/tagged"),
            w.write("tagged", "DELETE", **tagging), w.write("tagged", "GET", **tagging)]


@case("overwrites_are_seen", "PutObject")
def _(w):
    replies = []
    for n in range(4):
        replies.append(w.write("again", body=bytes([n]) * 200_000))
        replies += [w.client.get(f"/{w.scratch}/again") for _ in range(2)]
    return replies


@case("metadata_in_place", "CopyObject")
def _(w):
    w.write("place", headers=[("x-amz-meta-a", "0")])
    replies = []
    for n in range(3):
        fields = [("x-amz-copy-source", f"/{w.scratch}/place"), ("x-amz-meta-a", str(n)),
                  ("x-amz-metadata-directive", "REPLACE")]
        replies.append(w.write("place", headers=fields))
        replies += [w.client.get(f"/{w.scratch}/place"), w.client.head(f"/{w.scratch}/place"),
                    w.client.get(f"/{w.scratch}/place", headers=[("Range", "bytes=5-99999")])]
    return replies


@case("sse_c", "PutObject", origins=("rgw",))
def _(w):
    key = aws_chunked.sha256(b"key")
    md5 = aws_chunked.md5(base64.b64decode(key))
    fields = [("x-amz-server-side-encryption-customer-algorithm", "AES256"),
              ("x-amz-server-side-encryption-customer-key", key),
              ("x-amz-server-side-encryption-customer-key-MD5", md5)]
    path = f"/{w.scratch}/secret"
    return [w.write("secret", headers=fields), w.client.get(path, headers=fields),
            w.client.get(path, headers=fields), w.client.get(path), w.client.head(path)]


@case("bucket", "CreateBucket")
def _(w):
    name = f"/{w.scratch}-new"
    policy = (b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":'
              b'"s3:GetObject","Resource":"arn:aws:s3:::' + name[1:].encode() + b'/*"}]}')
    client = w.client
    return [client.put(name, b""), client.head(name), client.put(f"{name}/key", b"x"),
            client.delete(name), client.request("PUT", name, query=[("policy", "")], body=policy),
            w.unsigned("GET", f"{name}/key"), client.get(name, query=[("policy", "")]),
            client.delete(name, query=[("policy", "")]), client.delete(f"{name}/key"),
            client.delete(name), client.head(name)]


def payload(name, mode, *, trailer=None, ours=False, origins=("rgw", "minio"), **options):
    def run(w):
        key = f"/{w.scratch}/{name}"
        return [aws_chunked.put(w.client, key, BODY, mode, trailer=trailer, **options),
                w.client.get(key)]
    CASES.append(Case(name, "PutObject", run, writes=True, warm=None, ours=ours, origins=origins))


def flip(at):
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


CRC = ("x-amz-checksum-crc32", aws_chunked.crc32(BODY))
WRONG = ("x-amz-checksum-crc32", aws_chunked.crc32(b"other"))
payload("chunks_signed", aws_chunked.SIGNED)
payload("chunks_flipped", aws_chunked.SIGNED, damage=flip(5000), ours=True)
payload("chunks_badly_signed", aws_chunked.SIGNED, damage=flip(30), ours=True)
# The gateway of the older kind does not look at the last chunk's.
payload("chunks_last_flipped", aws_chunked.SIGNED, damage=flip(-20), ours=True, origins=("minio",))
# The gateway of the older kind knows no trailers (it is given them stripped), so that there is
# nothing to compare with.
payload("trailer_unsigned", aws_chunked.UNSIGNED_TRAILER, trailer=CRC, origins=("minio",))
payload("trailer_signed", aws_chunked.SIGNED_TRAILER, trailer=CRC, origins=("minio",))
payload("trailer_signed_flipped", aws_chunked.SIGNED_TRAILER, trailer=CRC, damage=flip(5000),
        ours=True, origins=("minio",))


@case("hash_flipped", "PutObject", ours=True)
def _(w):
    path = f"/{w.scratch}/hash"
    target, headers = w.client.signed("PUT", path, (), (), BODY)
    return [w.client.send("PUT", target, headers, b"x" + BODY[1:]), w.client.get(path)]


@case("unsigned_payload", "PutObject")
def _(w):
    path = f"/{w.scratch}/unsigned"
    return [w.client.put(path, BODY, payload_hash="UNSIGNED-PAYLOAD"), w.client.get(path)]


def presigned_put(name, version):
    def run(w):
        path = f"/{w.scratch}/{name}"
        target = aws_chunked.presign_v2(w.client, "PUT", path) if version == 2 \
            else w.client.presigned("PUT", path)
        gone = aws_chunked.presign_v2(w.client, "DELETE", path) if version == 2 \
            else w.client.presigned("DELETE", path)
        return [w.unsigned("PUT", target, (), BODY), w.client.get(path), w.unsigned("DELETE", gone),
                w.client.head(path)]
    CASES.append(Case(name, "PutObject", run, writes=True, warm=None))


presigned_put("presigned_v2_put", 2)
presigned_put("presigned_v4_put", 4)


def form(name, *, ours=False, limit=None, origins=("rgw", "minio"), **options):
    def run(w):
        conditions = [["content-length-range", 0, limit or 10 << 20]]
        headers, body = aws_chunked.post_form(w.client, w.scratch, name, BODY,
                                              conditions=conditions, **options)
        return [w.client.send("POST", f"/{w.scratch}", headers, body),
                w.client.get(f"/{w.scratch}/{name}")]
    CASES.append(Case(name, "PostObject", run, writes=True, warm=None, ours=ours, origins=origins))


form("form")
form("form_status", extra=[("success_action_status", "201")])
form("form_expired", expires=-60)
form("form_badly_signed", secret="wrong", ours=True, origins=("minio",))
form("form_too_large", limit=100)
