"""Writes stream to the origin and its answer comes back; Forebay adds no word of its own."""
import io
import threading
import time

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from compare import assert_same, digest, pattern
from conftest import ALICE, SCRIPT
from node import MIB, wait_until
from raw_http import RawConnection, request_bytes
from s3_semantics import Answer, S3Error
from scripted_origin import Script


@pytest.mark.parametrize("size", [0, 1, 5 * MIB + 3])
def test_put_and_read_back(rgw, bucket, node, size):
    body = pattern(size, "put")
    s3 = node(rgw).boto(ALICE)
    answer = s3.put_object(Bucket=bucket, Key="key", Body=body, Metadata={"a": "b"},
                           ContentType="text/x-odd", CacheControl="max-age=1")
    direct = rgw.boto().get_object(Bucket=bucket, Key="key")
    assert direct["Body"].read() == body
    assert (direct["ETag"], direct["Metadata"]) == (answer["ETag"], {"a": "b"})
    assert (direct["ContentType"], direct["CacheControl"]) == ("text/x-odd", "max-age=1")
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body


def test_a_write_answers_as_the_origin_does(rgw, bucket, node):
    direct, through = rgw.client(), node(rgw).client(ALICE)
    for method, path, body in [("PUT", f"/{bucket}/k", b"x"), ("DELETE", f"/{bucket}/k", b""),
                               ("DELETE", f"/{bucket}/k", b""), ("PUT", "/none-such/k", b"x"),
                               ("POST", f"/{bucket}/k", b"x"), ("PUT", f"/{bucket}", b"")]:
        assert_same(direct.request(method, path, body=body),
                    through.request(method, path, body=body), f"{method} {path}")


def test_multipart_upload(rgw, bucket, node):
    body = pattern(40 * MIB + 17, "multipart")
    s3 = node(rgw).boto(ALICE)
    s3.upload_fileobj(io.BytesIO(body), bucket, "key",
                      Config=TransferConfig(multipart_chunksize=8 * MIB, max_concurrency=4))
    assert digest(rgw.boto().get_object(Bucket=bucket, Key="key")["Body"].read()) == digest(body)
    assert digest(s3.get_object(Bucket=bucket, Key="key")["Body"].read()) == digest(body)


def test_an_aborted_multipart_upload_leaves_nothing(rgw, bucket, node):
    s3 = node(rgw).boto(ALICE)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"x" * MIB)
    assert len(s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)
    with pytest.raises(ClientError, match="NoSuch"):
        s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)


def test_copies_and_deletes(rgw, bucket, node):
    s3 = node(rgw).boto(ALICE)
    body = pattern(6 * MIB)
    s3.put_object(Bucket=bucket, Key="a b", Body=body)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b"})
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == body
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}]})
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="copy")
    s3.delete_object(Bucket=bucket, Key="a b")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_write_through_the_node_is_read_at_once(rgw, bucket, node):
    client = node(rgw).client(ALICE)
    for version in range(6):
        body = pattern(5 * MIB + version, version)
        assert client.put(f"/{bucket}/key", body).status == 200
        assert client.get(f"/{bucket}/key").body == body
        assert client.get(f"/{bucket}/key").body == body
    client.delete(f"/{bucket}/key")
    assert client.get(f"/{bucket}/key").status == 404


def test_bodies_stream_in_constant_memory(scripted, node):
    """256 MiB go through a node that holds some MiB of them, because the origin reads slowly."""
    proxy = node(scripted, {"memory": {"pool_size": "32MiB"}})
    client = proxy.client(SCRIPT, timeout=120)
    client.put("/bucket/warm", b"x" * MIB, payload_hash="UNSIGNED-PAYLOAD")
    before = proxy.status_file("VmHWM")
    body = bytes(256 * MIB)
    assert client.put("/bucket/big", body, payload_hash="UNSIGNED-PAYLOAD").status == 200
    assert scripted.get("bucket", "big").body == body
    assert proxy.status_file("VmHWM") - before < 24 * 1024


def head_of_put(client, path, size, *extra):
    target, headers = client.signed("PUT", path, headers=list(extra),
                                    payload_hash="UNSIGNED-PAYLOAD")
    return request_bytes("PUT", target, [*headers, ("Content-Length", str(size))])


def test_expect_is_relayed(scripted, node):
    client = node(scripted).client(SCRIPT)
    with RawConnection(client.address) as raw:
        raw.send(head_of_put(client, "/bucket/key", 5, ("Expect", "100-continue")))
        assert raw.head()[0] == 100
        assert scripted.asked("PUT"), "the 100 must be the origin's"
        raw.send(b"hello")
        assert raw.head()[0] == 200
    assert scripted.get("bucket", "key").body == b"hello"
    assert scripted.requests[-1].header("expect") == "100-continue"


def test_a_refusal_comes_before_the_body(scripted, node):
    scripted.on(Script(expect="final", error=S3Error(403, "AccessDenied")), method="PUT")
    client = node(scripted).client(SCRIPT)
    with RawConnection(client.address) as raw:
        raw.send(head_of_put(client, "/bucket/key", 100 * MIB, ("Expect", "100-continue")))
        status, headers, body = raw.answer()
        assert status == 403 and b"AccessDenied" in body
        # The connection must not take what follows for the body, nor the body for a request.
        assert headers.get("connection", "").lower() == "close" and raw.closed()
    assert scripted.requests[-1].body_received == 0


def test_our_own_100_after_a_second_of_silence(scripted, node):
    scripted.on(Script(expect="silent"), method="PUT")
    client = node(scripted).client(SCRIPT)
    with RawConnection(client.address) as raw:
        began = time.monotonic()
        raw.send(head_of_put(client, "/bucket/key", 5, ("Expect", "100-continue")))
        assert raw.head()[0] == 100
        assert 0.5 < time.monotonic() - began < 5
        raw.send(b"hello")
        assert raw.head()[0] == 200


def test_a_100_that_comes_after_ours_does_not_end_the_upload(scripted, node):
    scripted.on(Script(expect="late"), method="PUT")
    client = node(scripted).client(SCRIPT)
    # More than the sockets hold, so that the node still sends when the origin's 100 comes.
    body = b"x" * (32 * MIB)
    with RawConnection(client.address) as raw:
        raw.send(head_of_put(client, "/bucket/key", len(body), ("Expect", "100-continue")))
        assert raw.head()[0] == 100
        raw.send(body)
        assert raw.head()[0] == 200
    assert scripted.get("bucket", "key").body == body


@pytest.mark.parametrize("value", ["200", "", "something-else"])
def test_other_expectations_are_ignored(scripted, node, value):
    """A strange Expect is ignored, as S3 does: no 417."""
    client = node(scripted).client(SCRIPT)
    reply = client.put("/bucket/key", b"x", headers=[("Expect", value)])
    assert reply.status == 200


def test_a_put_of_nothing_with_expect_keeps_in_step(scripted, node):
    client = node(scripted).client(SCRIPT)
    with RawConnection(client.address) as raw:
        raw.send(head_of_put(client, "/bucket/empty", 0, ("Expect", "100-continue")))
        status, headers = raw.head()
        in_step = status == 100
        if in_step:
            status, headers = raw.head()
        assert status == 200
        assert in_step or headers["connection"] == "close"


def test_botocore_after_an_empty_put(scripted, node):
    """botocore reads the next answer wrongly where an empty PUT with Expect got no 100."""
    s3 = node(scripted).boto(SCRIPT, read_timeout=5)
    # Which sizes it expects a 100 for differs from version to version: here, all.
    s3.meta.events.register("before-call.s3.PutObject",
                            lambda params, **_: params["headers"].update(Expect="100-continue"))
    for turn in range(3):
        s3.put_object(Bucket="bucket", Key=f"empty{turn}", Body=io.BytesIO())
        s3.put_object(Bucket="bucket", Key=f"full{turn}", Body=io.BytesIO(b"x" * 1000))
        assert s3.get_object(Bucket="bucket", Key=f"full{turn}")["Body"].read() == b"x" * 1000


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_mid_upload_aborts_upstream(scripted, node, how):
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    with RawConnection(client.address) as raw:
        raw.send(head_of_put(client, "/bucket/key", 20 * MIB) + b"x" * (2 * MIB))
        wait_until(lambda: scripted.requests and scripted.requests[-1].body_received >= MIB,
                   what="the body to flow")
        if how == "reset":
            raw.reset()
    wait_until(lambda: scripted.requests[-1].aborted, what="the abort upstream")
    assert client.get("/bucket/key").status == 404
    assert client.put("/bucket/key", b"x").status == 200


def test_a_write_is_never_repeated(scripted, node):
    """The origin takes the whole body and hangs up: no second try, and no invented success."""
    scripted.on(Script(drop=True), method="PUT", key="key")
    client = node(scripted).client(SCRIPT)
    try:
        reply = client.put("/bucket/key", b"x" * 1000)
        assert reply.status >= 500
    except OSError:
        pass
    assert len(scripted.asked("PUT", "key")) == 1


def test_a_write_on_a_stale_pooled_connection(scripted, node):
    """The origin closed the idle connection: nothing was sent on it, the write goes elsewhere."""
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    for turn in range(5):
        assert client.put(f"/bucket/{turn}", b"x").status == 200
        assert proxy.metric("forebay_origin_connections", state="idle") == 1
        scripted.hang_up()
    assert len(scripted.asked("PUT")) == 5


def test_an_origin_that_leaves_instead_of_a_100(scripted, node):
    """No byte of the body has gone: the client is told to come again."""
    scripted.on(Script(drop=True, expect="final"), method="PUT")
    reply = node(scripted).client(SCRIPT).request(
        "PUT", "/bucket/key", body=b"x" * 1000, headers=[("Expect", "100-continue")])
    assert (reply.status, reply.code) == (503, "ServiceUnavailable")


def test_a_head_with_a_body_is_passed_on(scripted, node):
    """S3 has no use for it, but nothing may wait for a body that was dropped on the way."""
    scripted.put("bucket", "key", b"bytes")
    client = node(scripted).client(SCRIPT)
    assert client.request("HEAD", "/bucket/key", body=b"hello").status == 200
    assert client.get("/bucket/key").body == b"bytes"


def test_200_with_an_error_inside_is_passed_on_untouched(scripted, node):
    xml = b"<?xml version='1.0'?>\n<Error><Code>InternalError</Code></Error>"
    scripted.on(Script(answer=Answer(200, [("Content-Type", "application/xml")], xml)),
                method="POST")
    reply = node(scripted).client(SCRIPT).request("POST", "/bucket/key", query=[("uploadId", "1")],
                                                  body=b"<Complete/>")
    assert (reply.status, reply.body) == (200, xml)


def test_a_slow_answer_to_a_write_is_waited_for(scripted, node):
    scripted.on(Script(delay_head=12), method="POST")
    began = time.monotonic()
    reply = node(scripted).client(SCRIPT, timeout=60).request(
        "POST", "/bucket/key", query=[("uploads", "")])
    assert reply.status == 200 and time.monotonic() - began > 11


def test_writes_do_not_wait_for_each_other(scripted, node, threads):
    gate = threading.Event()
    scripted.on(Script(hold_head=gate), method="PUT", key="stuck")
    client = node(scripted).client(SCRIPT)
    stuck = threading.Thread(target=lambda: client.put("/bucket/stuck", b"x"))
    stuck.start()
    assert {r.status for r in threads(8, lambda n: client.put(f"/bucket/{n}", b"y" * MIB))} == {200}
    gate.set()
    stuck.join(10)


def test_chunked_uploads(scripted, node):
    """A body without a length: S3 clients do not send them; whatever comes of it is clean."""
    client = node(scripted).client(SCRIPT)
    target, headers = client.signed("PUT", "/bucket/key", payload_hash="UNSIGNED-PAYLOAD")
    with RawConnection(client.address) as raw:
        raw.send(request_bytes("PUT", target, [*headers, ("Transfer-Encoding", "chunked")],
                               b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"))
        status = raw.head()[0]
    assert status in (200, 411, 501)
    if status == 200:
        assert scripted.get("bucket", "key").body == b"hello world"
    else:
        assert scripted.asked("PUT") == []


def test_a_complete_that_is_kept_open_by_whitespace(scripted, node):
    """S3 answers 200 at once and sends blanks until it knows: the head must not be held back."""
    document = b"<?xml version='1.0'?>\n   <CompleteMultipartUploadResult/>"
    scripted.on(Script(answer=Answer(200, [("Content-Type", "application/xml")], document),
                       chunked=True, delay_at=(25, 3)), method="POST")
    client = node(scripted).client(SCRIPT)
    target, headers = client.signed("POST", "/bucket/big", [("uploadId", "u")], body=b"<x/>")
    connection = client.connect()
    started = time.monotonic()
    connection.request("POST", target, b"<x/>", dict(headers))
    response = connection.getresponse()
    assert response.status == 200 and time.monotonic() - started < 2
    assert response.read() == document and time.monotonic() - started > 2
    connection.close()


def test_ten_thousand_parts(scripted, node, threads):
    client = node(scripted).client(SCRIPT)
    begun = client.request("POST", "/bucket/many", query=[("uploads", "")])
    upload = ("uploadId", begun.xml("UploadId"))

    def send(worker):
        keep = client.connect()
        etags = [client.put("/bucket/many", str(n).encode(), keep=keep,
                            query=[("partNumber", str(n)), upload]).header("etag")
                 for n in range(worker + 1, 10_001, 8)]
        keep.close()
        return dict(zip(range(worker + 1, 10_001, 8), etags))
    parts = {n: etag for part in threads(8, send) for n, etag in part.items()}
    body = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{parts[n]}</ETag></Part>"
                   for n in range(1, 10_001))
    done = client.request("POST", "/bucket/many", query=[upload], body=(
        f"<CompleteMultipartUpload>{body}</CompleteMultipartUpload>").encode())
    assert done.status == 200
    assert scripted.get("bucket", "many").body == "".join(map(str, range(1, 10_001))).encode()
