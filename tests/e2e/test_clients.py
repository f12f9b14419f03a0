"""Every widespread S3 client through a node: what it uploads, reads, lists, copies and deletes.

Each case checks the bytes at the origin, and that what is read again comes from the cache.
"""
import base64
import concurrent.futures
import email.utils
import hashlib
import os
import types
import urllib.request
import uuid
import zlib

import pytest
from clients import CLIENTS, ClientError, NotInstalled
from compare import digest, pattern
from conftest import credentials_of, end_node, fresh_bucket, tls_config
from node import MIB, Node, wait_until

BY_NODE = "passthrough, fill credentials"
FRONTS = {  # origin, mode, scheme
    "minio-verify": ("minio", "verify", "http"),
    "minio-verify-tls": ("minio", "verify", "https"),
    "minio-passthrough": ("minio", "passthrough", "http"),
    "minio-passthrough-fills": ("minio", BY_NODE, "http"),
    "rgw-verify": ("rgw", "verify", "http"),
}
MINIO = ("minio-verify", "minio-passthrough")
ON_MINIO = MINIO + ("minio-verify-tls",)
EVERYWHERE = ON_MINIO + ("rgw-verify",)
READS = EVERYWHERE + ("minio-passthrough-fills",)
SMALL, LARGE, PART = 1000, 12 * MIB + 5, 5 * MIB
METADATA = {"colour": "blue"}


def operation(name, fronts=MINIO, needs=None):
    """A case for each client that is able to do `needs`, in front of each origin."""
    able = [client for client in CLIENTS if needs not in CLIENTS[client].lacks]

    def decorate(function):
        function = pytest.mark.parametrize("client_name", able)(function)
        function = pytest.mark.parametrize("front", fronts, indirect=True, scope="module")(function)
        return pytest.mark.operation(name)(function)
    return decorate


@pytest.fixture(scope="module")
def front(request, tmp_path_factory, certificate):
    """A node in front of an origin, with a bucket, as long as the cases for it last."""
    origin_name, mode, scheme = FRONTS[request.param]
    origin = request.getfixturevalue(origin_name)
    # The gateway refuses checksums behind a body.
    folder = tmp_path_factory.mktemp(request.param)
    # A device that is full takes little more a day: here all that is read must find room.
    config = {"origin": {"trailers": "strip" if origin_name == "rgw" else "keep"},
              "cache": {"devices": [{"path": str(folder / "slab0"), "size": "4GiB"}],
                        "device_writes_per_day": 1000}}
    if mode != "verify":
        config["auth"] = {"mode": "passthrough", "credentials_file": None}
    if mode == BY_NODE:
        config["origin"]["fill_credentials"] = {
            "source": "static", "access_key": origin.bob[0], "secret_key": origin.bob[1]}
    if scheme == "https":
        config |= tls_config(certificate)
    node = Node(folder, origin.endpoint,
                credentials_of(origin.alice, origin.bob), config, scheme=scheme)
    node.start()
    with fresh_bucket(origin) as bucket:
        yield types.SimpleNamespace(name=request.param, origin=origin, mode=mode, node=node,
                                    scheme=scheme, bucket=bucket)
    failures = end_node(node)
    assert not failures, "\n".join(failures)


@pytest.fixture(scope="session")
def installed(certificate):
    """installed(name, scheme): a client, made once."""
    made = {}

    def get(name, scheme):
        trusted = certificate / "ca.pem" if scheme == "https" else None
        if (name, scheme) not in made:
            made[name, scheme] = CLIENTS[name](trusted)
        return made[name, scheme]

    yield get
    for client in made.values():
        client.close()


@pytest.fixture
def client(front, client_name, installed, request, record_property):
    record_property("client", client_name)
    record_property("operation", request.node.get_closest_marker("operation").args[0])
    record_property("origin", front.origin.name)
    record_property("mode", front.mode + (" over TLS" if front.scheme == "https" else ""))
    try:
        client = installed(client_name, front.scheme)
    except NotInstalled as error:
        pytest.skip(f"{client_name} is not to be had here: {error}")
    client.connect(endpoint=front.node.endpoint, access_key=front.origin.alice[0],
                   secret_key=front.origin.alice[1])
    yield client
    front.node.check()


@pytest.fixture
def key(front):
    """A name that no other case uses, in a folder, with characters that have to be encoded. It is
    deleted afterwards: origins need not hold what hundreds of cases leave."""
    name = f"{uuid.uuid4().hex[:8]}/a key+ü=1"
    yield name
    for used in (name, name + "-copy"):
        front.origin.client(front.origin.alice).delete(f"/{front.bucket}/{used}")


@pytest.fixture
def body(client_name, front, request):
    """body(size): bytes of this case's own."""
    return lambda size: pattern(size, request.node.name)


def at_origin(front, key):
    """What the origin itself holds, headers included."""
    return front.origin.client(front.origin.alice).get(f"/{front.bucket}/{key}")


def put_at_origin(front, key, body):
    reply = front.origin.client(front.origin.alice).put(f"/{front.bucket}/{key}", body)
    assert reply.status == 200, reply


TURNS = 3


def check_hot(front, client, key, read, size):
    """Reads until all of it should be cached, and once more: that comes from the cache."""
    reads = client.reads_to_fill
    if front.mode == "passthrough":
        # A signed range cannot be widened to whole blocks: without a key of the node's own, only
        # who reads all of an object brings it here. And an answer is known to hold once the object
        # is two seconds old.
        whole = front.node.client(front.origin.alice)
        assert len(whole.get(f"/{front.bucket}/{key}").body) >= size
        wait_until(lambda: age_at_origin(front, key) >= 2, what="an object of two seconds")
        reads += 1
    for _ in range(reads):
        read()
    # Who reads in pieces and leaves early may need another turn until all of it is here.
    for _ in range(TURNS):
        cached, fetched = sources_of(front, read)
        if cached >= size and fetched < MIB:
            return
    assert cached >= size
    assert fetched < MIB, "only lookups and listings"


def sources_of(front, read):
    """Bytes that one read took from the cache, and bytes that the origin sent meanwhile."""
    front.node.settle(0.05)
    before = front.node.metrics()
    read()
    front.node.settle(0.05)
    after = front.node.metrics()
    return [after.value(name, **labels) - before.value(name, **labels)
            for name, labels in (("forebay_read_bytes_total", {"source": "cache"}),
                                 ("forebay_origin_bytes_total", {"direction": "in"}))]


def age_at_origin(front, key):
    reply = front.origin.client(front.origin.alice).head(f"/{front.bucket}/{key}")
    now, modified = (email.utils.parsedate_to_datetime(reply.header(name))
                     for name in ("date", "last-modified"))
    return (now - modified).total_seconds()


def check_download(front, client, key, body, folder):
    check_hot(front, client, key, reader(front, client, key, body, folder), len(body))


def check_new_object(front, client, key, body, folder):
    """As check_download; where that needs an object of two seconds, only the bytes."""
    if front.mode != "passthrough":
        check_download(front, client, key, body, folder)
        return
    read = reader(front, client, key, body, folder)
    read()
    read()


def reader(front, client, key, body, folder):
    def read():
        path = folder / f"down {uuid.uuid4().hex[:8]}"
        client.download(bucket=front.bucket, key=key, path=path)
        assert digest(path.read_bytes()) == digest(body)
        path.unlink()
    return read


def stored_object(front, key, size):
    """(key, body) of an object at the origin. Where it has to grow old, all cases share one of each
    size."""
    if front.mode == "passthrough":
        key = f"shared/a key+ü={size}"
    body = pattern(size, key)
    if front.mode != "passthrough" or at_origin(front, key).status == 404:
        put_at_origin(front, key, body)
    return key, body


def check_upload(client, front, key, body, folder):
    (folder / "up").write_bytes(body)
    client.upload(bucket=front.bucket, key=key, path=folder / "up")
    assert at_origin(front, key).body == body


# The gateway refuses minio-go's stream of nothing, with or without a node.
@operation("upload", ON_MINIO)
def test_upload_of_nothing(client, front, key, tmp_path):
    check_upload(client, front, key, b"", tmp_path)


@operation("upload", EVERYWHERE)
def test_upload(client, front, key, body, tmp_path):
    check_upload(client, front, key, body(4 * MIB), tmp_path)


@operation("upload with metadata", needs="metadata")
def test_metadata(client, front, key, body, tmp_path):
    (tmp_path / "up").write_bytes(body(SMALL))
    client.upload(bucket=front.bucket, key=key, path=tmp_path / "up", metadata=METADATA)
    reply = at_origin(front, key)
    assert (reply.body, reply.header("x-amz-meta-colour")) == (body(SMALL), "blue")


@operation("multipart upload", READS)
def test_multipart_upload(client, front, key, body, tmp_path):
    (tmp_path / "up").write_bytes(body(LARGE))
    client.upload(bucket=front.bucket, key=key, path=tmp_path / "up", part_size=PART)
    reply = at_origin(front, key)
    assert digest(reply.body) == digest(body(LARGE))
    assert "-" in reply.header("etag"), "it was one part"
    check_new_object(front, client, key, body(LARGE), tmp_path)


@operation("overwrite")
def test_overwrite(client, front, key, body, tmp_path):
    """What was hot is read anew after another upload, and gone after a delete."""
    for turn in range(2):
        new = body(LARGE + turn)[turn:]
        (tmp_path / "up").write_bytes(new)
        client.upload(bucket=front.bucket, key=key, path=tmp_path / "up", part_size=PART)
        check_new_object(front, client, key, new, tmp_path)
    client.delete(bucket=front.bucket, keys=[key])
    with pytest.raises(ClientError):
        client.download(bucket=front.bucket, key=key, path=tmp_path / "gone")


@operation("download")
@pytest.mark.parametrize("size", [0, SMALL])
def test_small_download(client, front, key, body, tmp_path, size):
    put_at_origin(front, key, body(size))
    client.download(bucket=front.bucket, key=key, path=tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == body(size)


@operation("download", READS)
@pytest.mark.parametrize("size", [4 * MIB, LARGE])
def test_download(client, front, key, tmp_path, size):
    key, data = stored_object(front, key, size)
    check_download(front, client, key, data, tmp_path)


@operation("ranged download", READS, needs="range")
def test_ranged_download(client, front, key, tmp_path):
    key, data = stored_object(front, key, LARGE)
    first, last = 4 * MIB - 3, 9 * MIB + 1

    def read():
        path = tmp_path / f"down {uuid.uuid4().hex[:8]}"
        client.download_range(bucket=front.bucket, key=key, path=path, first=first, last=last)
        assert digest(path.read_bytes()) == digest(data[first:last + 1])
    read()
    front.node.settle(0.05)
    check_hot(front, client, key, read, last + 1 - first)


@operation("list")
def test_list(client, front, many_keys):
    found = client.list(bucket=many_keys.bucket, prefix="many/")
    assert sorted(found) == many_keys.names, "more than one page holds"


@pytest.fixture(scope="module")
def many_keys(front):
    names = [f"many/{n % 7}/{n:04} +" for n in range(1050)]
    s3 = front.origin.client(front.origin.alice)
    with fresh_bucket(front.origin) as bucket, concurrent.futures.ThreadPoolExecutor(4) as pool:
        paths = [f"/{bucket}/{name}" for name in [*names, "more", "manyfold"]]
        assert all(reply.status == 200 for reply in pool.map(lambda path: s3.put(path, b""), paths))
        yield types.SimpleNamespace(bucket=bucket, names=sorted(names))


@operation("copy")
def test_copy(client, front, key, body, tmp_path):
    if "copy of spaces" in client.lacks:
        key = key.replace(" ", "-")
    put_at_origin(front, key, body(LARGE))
    client.copy(bucket=front.bucket, key=key, to=key + "-copy")
    assert digest(at_origin(front, key + "-copy").body) == digest(body(LARGE))
    check_new_object(front, client, key + "-copy", body(LARGE), tmp_path)


@operation("delete")
def test_delete(client, front, key, body):
    """One, then several by one call where the client has such a call."""
    keys = [f"{key} {n}" for n in range(4)]
    for each in keys:
        put_at_origin(front, each, b"x")
    client.delete(bucket=front.bucket, keys=keys[:1])
    assert [at_origin(front, each).status for each in keys] == [404, 200, 200, 200]
    client.delete(bucket=front.bucket, keys=keys[1:])
    assert [at_origin(front, each).status for each in keys] == [404] * 4


@operation("make and remove bucket", needs="bucket")
def test_buckets(client, front):
    bucket, s3 = f"test-{uuid.uuid4().hex[:12]}", front.origin.client(front.origin.alice)
    client.make_bucket(bucket=bucket)
    assert s3.head(f"/{bucket}").status == 200
    client.remove_bucket(bucket=bucket)
    assert s3.head(f"/{bucket}").status == 404


def check_presigned(front, client, key, url, body):
    def read():
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert digest(answer.read()) == digest(body)
    check_hot(front, client, key, read, len(body))


@operation("presigned URL", MINIO + ("minio-passthrough-fills",), needs="presign")
def test_presigned(client, front, key):
    key, data = stored_object(front, key, LARGE)
    url = client.presign(bucket=front.bucket, key=key, version=4)
    assert "X-Amz-Signature=" in url
    check_presigned(front, client, key, url, data)


@operation("presigned URL, SigV2", needs="presign V2")
def test_presigned_by_version_2(client, front, key):
    key, data = stored_object(front, key, LARGE)
    url = client.presign(bucket=front.bucket, key=key)
    if "X-Amz-Signature=" in url:
        pytest.fail("the client signs by version 4 unless told: remove it from this case")
    check_presigned(front, client, key, url, data)


DIGESTS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}


CHECKSUMS = [(client, algorithm, part_size) for client, kind in CLIENTS.items()
             for algorithm in kind.checksums for part_size in (None, PART)
             if part_size is None or algorithm not in kind.lacks_checksums_of_parts]


@pytest.mark.operation("upload with a checksum")
@pytest.mark.parametrize("front", ["minio-verify", "minio-verify-tls"], indirect=True,
                         scope="module")
@pytest.mark.parametrize("client_name,algorithm,part_size", CHECKSUMS)
def test_checksums(client, front, key, body, tmp_path, algorithm, part_size):
    """The origin keeps the client's checksum, and the client checks it again on its way back."""
    data = body(LARGE if part_size else 4 * MIB)
    (tmp_path / "up").write_bytes(data)
    client.upload(bucket=front.bucket, key=key, path=tmp_path / "up", part_size=part_size,
                  checksum=algorithm)
    s3 = front.origin.client(front.origin.alice)
    reply = s3.head(f"/{front.bucket}/{key}", headers=[("x-amz-checksum-mode", "ENABLED")])
    stored = reply.header(f"x-amz-checksum-{algorithm.lower()}")
    assert stored, reply
    if part_size is None and algorithm in DIGESTS:
        assert base64.b64decode(stored) == DIGESTS[algorithm](data)
    check_download(front, client, key, data, tmp_path)


# The gateway's errors have no message, over which the aws command line stumbles, with or without a
# node.
@operation("error: missing key", ON_MINIO)
def test_missing_key(client, front, key, tmp_path):
    with pytest.raises(ClientError) as error:
        if "range" in client.lacks or client.name == "rclone":
            client.download(bucket=front.bucket, key=key, path=tmp_path / "none")
        else:  # a GET: many begin a download with HEAD, whose answer holds no code
            client.download_range(bucket=front.bucket, key=key, path=tmp_path / "none", first=0,
                                  last=9)
    assert error.value.code == client.error_code("NoSuchKey"), error.value


@operation("error: missing bucket", ON_MINIO)
def test_missing_bucket(client, front):
    with pytest.raises(ClientError) as error:
        client.list(bucket=f"none-{uuid.uuid4().hex[:12]}", prefix="many/")
    assert error.value.code == client.error_code("NoSuchBucket"), error.value


@operation("error: wrong secret", EVERYWHERE)
def test_wrong_secret(client, front, key):
    put_at_origin(front, key, b"x")
    client.connect(endpoint=front.node.endpoint, access_key=front.origin.alice[0],
                   secret_key="not-alices-secret")
    with pytest.raises(ClientError) as error:
        client.list(bucket=front.bucket, prefix="many/")
    assert error.value.code == client.error_code("SignatureDoesNotMatch"), error.value


@operation("error: unknown access key", EVERYWHERE)
def test_unknown_access_key(client, front):
    client.connect(endpoint=front.node.endpoint, access_key="AKNOBODYKNOWS",
                   secret_key="not-alices-secret")
    with pytest.raises(ClientError) as error:
        client.list(bucket=front.bucket, prefix="many/")
    assert error.value.code == client.error_code("InvalidAccessKeyId"), error.value


@operation("sync", needs="sync")
def test_sync(client, front, key, body, tmp_path):
    """A tree up and down again; the second time there is nothing left to copy."""
    source, copy, prefix = tmp_path / "source", tmp_path / "copy", key.partition("/")[0]
    (source / "inner").mkdir(parents=True)
    copy.mkdir()
    files = {f"inner/file {n}": pattern(n * MIB + n, n) for n in (0, 1, 4, 5)}
    for name, data in files.items():
        (source / name).write_bytes(data)
        os.utime(source / name, (1_500_000_000, 1_500_000_000))
    client.sync_up(folder=source, bucket=front.bucket, prefix=prefix)
    client.sync_down(bucket=front.bucket, prefix=prefix, folder=copy)
    for name, data in files.items():
        assert digest((copy / name).read_bytes()) == digest(data)
    before = front.node.metric("forebay_cache_requests_total")
    client.sync_down(bucket=front.bucket, prefix=prefix, folder=copy)
    assert front.node.metric("forebay_cache_requests_total") == before, "it read what it had"
