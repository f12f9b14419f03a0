"""Attacks on a node by raw requests: the world they happen in, and what may come of them.

A world is an origin, a node before it that verifies, and buckets of alice's: "secret" and
"versioned", which no attacker may read or change, and "mine", which is the attacker's. The attacker
has alice's own key: the origin lets it do everything, so that only the node's allow-list stops it.
"""
import contextlib
import dataclasses
import http.client
import json
import os
import re
import socket
import statistics
import threading
import time
import uuid

from raw_http import request_bytes
from s3_client import Reply, S3Client

MARKER = b"TOP-SECRET"
SECRET = b"".join(b"TOP-SECRET line %06d of a body that nobody but alice may read\n" % n
                  for n in range(1500))
SHOWN = b"what a presigned URL was made to show\n" * 40
OWN = b"the attacker's own\n"
POLICY = ('{"Version":"2012-10-17","Statement":[{"Sid":"POLICYOFTHESECRET","Effect":"Allow",'
          '"Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/never/*"}]}')
# What no answer to an attack holds, beside the secret body: the policy, an ACL, a list of buckets.
LEAKS = (MARKER, b"POLICYOFTHESECRET", b"<AccessControlPolicy", b"<ListAllMyBucketsResult")
SUB_RESOURCES = ("versions", "acl", "policy", "versioning", "cors", "uploads", "tagging",
                 "lifecycle")
REFUSED = frozenset((400, 403))
BAD = frozenset((400,))
DENIED = frozenset((403,))
BOTH = ("rgw", "minio")
KIB = 1 << 10
MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Attack:
    """`run(world)` sends it and returns the Reply, which must have a status of `statuses`, take at
    most `largest` bytes and hold none of `leaks`."""
    name: str
    run: object
    statuses: frozenset = REFUSED
    origins: tuple = BOTH
    leaks: tuple = LEAKS
    largest: int = 16 * KIB
    costly: bool = False


def exchange(address, data, method="GET", timeout=20):
    """Sends these bytes, whatever they are, and reads one answer. Status 0: none came."""
    with socket.create_connection(address, timeout) as connection:
        try:
            connection.sendall(data)
        except ConnectionError:
            pass  # Refused before it was read; the reason may be there all the same.
        try:
            answer = http.client.HTTPResponse(connection, method=method)
            answer.begin()
            body = answer.read()
        except (ConnectionError, http.client.HTTPException):
            return Reply(0, [], b"")
        return Reply(answer.status, [(n.lower(), v) for n, v in answer.getheaders()], body)


def framed(method, headers, body):
    names = {name.lower() for name, _ in headers}
    if (body or method in ("PUT", "POST")) and not names & {"content-length", "transfer-encoding"}:
        return [*headers, ("Content-Length", str(len(body)))]
    return list(headers)


def address_of(endpoint):
    host, _, port = endpoint.rpartition("/")[2].partition(":")
    return host, int(port)


def send_to(endpoint, method, target, headers, body=b""):
    head = framed(method, headers, body)
    return exchange(address_of(endpoint), request_bytes(method, target, head, body), method)


@contextlib.contextmanager
def fenced_bucket(origin, tag, *statements):
    """A bucket of one object, "k", whose policy judges addresses: (effect, operator, address)."""
    bucket = f"fenced-{uuid.uuid4().hex[:6]}-{tag}"
    s3 = origin.boto()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=SECRET)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Principal": "*", "Action": ["s3:GetObject"],
             "Resource": [f"arn:aws:s3:::{bucket}/*"],
             "Condition": {operator: {"aws:SourceIp": [f"{address}/32"]}}}
            for effect, operator, address in statements]}))
    try:
        yield bucket
    finally:
        s3.delete_bucket_policy(Bucket=bucket)
        s3.delete_object(Bucket=bucket, Key="k")
        s3.delete_bucket(Bucket=bucket)


class World:
    def __init__(self, origin, node, owner):
        self.origin = origin
        self.node = node
        self.name = origin.name.lower()
        self.tag = tag = uuid.uuid4().hex[:8]
        self.secret, self.mine, self.versioned = (
            f"{word}-{tag}" for word in ("secret", "mine", "versioned"))
        self.direct = origin.client(origin.alice)
        self.attacker = node.client(origin.alice)
        self.owner = node.client(owner)
        # Signs as the attacker for the origin itself: what passes by unverified keeps its Host.
        self.smuggler = S3Client(node.endpoint, origin.alice)
        self.smuggler.host = self.direct.host
        self.stranger = S3Client(node.endpoint, origin.bob)  # a key that the node does not know
        self.stranger.host = self.direct.host
        self.host = [("Host", self.attacker.host)]
        self.origin_host = [("Host", self.direct.host)]
        self.versions = []
        self.upload = ""
        self.swift_token = ""  # of an origin that speaks that as well
        self.state = None

    def credentials(self, owner):
        """For the node's file: the attacker's allow-list, and who may do everything."""
        access_key, secret_key, _ = self.origin.alice
        return [{"access_key": access_key, "secret_key": secret_key,
                 "allow": [{"bucket": self.mine}]},
                {"access_key": owner[0], "secret_key": owner[1], "origin_access_key": access_key,
                 "origin_secret_key": secret_key}]

    # --- sending ----------------------------------------------------------------------------

    def send(self, method, target, headers, body=b""):
        return send_to(self.node.endpoint, method, target, headers, body)

    def signed(self, method, path, *, query=(), headers=(), body=b"", add=(), by=None, **options):
        """Signed by the attacker (or `by`); `add`: what was added to it afterwards."""
        target, fields = (by or self.attacker).signed(method, path, query, headers, body, **options)
        return self.send(method, target, [*fields, *add], body)

    def presigned(self, method, path, *, query=(), add="", headers=(), body=b"", by=None,
                  **options):
        """By a V4 URL of the owner's, with `add` at the end of its target."""
        target = (by or self.owner).presigned(method, path, query, **options)
        return self.send(method, target + add, [*self.host, *headers], body)

    # --- the origin's state -----------------------------------------------------------------

    def buckets(self):
        return (self.secret, self.mine, self.versioned)

    def fill(self):
        s3 = self.origin.boto()
        for bucket in self.buckets():
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=self.versioned,
                                 VersioningConfiguration={"Status": "Enabled"})
        self.reset()

    def objects(self):
        return {self.secret: {"k": SECRET, "shown": SHOWN, "parts": b"as it was"},
                self.mine: {"own": OWN}}

    def reset(self):
        """Puts everything back to where attacks begin."""
        s3 = self.origin.boto()
        for bucket in (each["Name"] for each in s3.list_buckets()["Buckets"]):
            if self.tag in bucket and bucket not in self.buckets():
                self._remove(s3, bucket)
        for each in s3.list_object_versions(Bucket=self.versioned).get("Versions", []):
            s3.delete_object(Bucket=self.versioned, Key="v", VersionId=each["VersionId"])
        for each in s3.list_object_versions(Bucket=self.versioned).get("DeleteMarkers", []):
            s3.delete_object(Bucket=self.versioned, Key="v", VersionId=each["VersionId"])
        self.versions = [
            s3.put_object(Bucket=self.versioned, Key="v", Body=body)["VersionId"]
            for body in (b"version one\n" * 100, b"version two\n" * 100)]
        for bucket, objects in self.objects().items():
            for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
                s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"],
                                          UploadId=upload["UploadId"])
            for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=each["Key"])
            for key, body in objects.items():
                s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/x-as-it-was")
            for what in ("cors", "tagging", "lifecycle", "policy"):
                self.direct.delete(f"/{bucket}", query=[(what, "")])
            self.direct.put(f"/{bucket}", b"", query=[("acl", "")],
                            headers=[("x-amz-acl", "private")])
        s3.put_bucket_policy(Bucket=self.secret, Policy=POLICY % self.secret)
        self.upload = s3.create_multipart_upload(Bucket=self.secret, Key="parts")["UploadId"]
        self.state = self.snapshot()

    @staticmethod
    def _remove(s3, bucket):
        for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"])
        s3.delete_bucket(Bucket=bucket)

    def snapshot(self):
        """Everything at the origin that an attack might change: name -> what it is."""
        state = {}
        keep = self.direct.connect()

        def note(name, path, method="GET", query=()):
            reply = self.direct.request(method, path, query=query, keep=keep)
            fields = [field for field in reply.headers if field[0] in (
                "etag", "last-modified", "content-length", "content-type")
                or field[0].startswith("x-amz-meta-")]
            state[name] = ((reply.status, reply.code) if reply.status >= 300 else
                           (reply.status, reply.body, fields if method == "HEAD" else None))
            return reply
        listed = self.direct.get("/", keep=keep).body.decode()
        state["buckets"] = sorted(name for name in set(re.findall("<Name>([^<]+)</Name>", listed))
                                  if self.tag in name)
        for bucket in self.buckets():
            for what in SUB_RESOURCES:
                reply = note(f"{bucket}?{what}", f"/{bucket}", query=[(what, "")])
                if what == "versions":
                    keys = set(re.findall("<Key>([^<]+)</Key>", reply.body.decode()))
            for key in sorted(keys):
                note(f"{bucket}/{key}", f"/{bucket}/{key}", "HEAD")
                note(f"{bucket}/{key}?acl", f"/{bucket}/{key}", query=[("acl", "")])
            if self.swift_token:
                reply = send_to(self.origin.endpoint, "HEAD", f"/swift/v1/{bucket}", [
                    *self.origin_host, ("X-Auth-Token", self.swift_token)])
                state[f"{bucket} for Swift"] = [reply.header(name) for name in (
                    "x-container-read", "x-container-write")]
        note("parts", f"/{self.secret}/parts", query=[("uploadId", self.upload)])
        keep.close()
        return state

    def changes(self):
        """What is not as it was; afterwards everything is."""
        now = self.snapshot()
        names = sorted(set(now) | set(self.state))
        found = [f"{name} became {str(now.get(name))[:120]}" if name in self.state else
                 f"{name} appeared: {str(now[name])[:120]}"
                 for name in names if now.get(name) != self.state.get(name)]
        if found:
            self.reset()
        return found

    # --- what it costs the node -------------------------------------------------------------

    def cpu(self):
        """Seconds of processor time that the node's threads have used."""
        folder = f"/proc/{self.node.process.pid}/task"
        total = 0
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def memory(self):
        return self.node.status_file("VmRSS") * KIB

    def peak(self):
        return self.node.status_file("VmHWM") * KIB

    def forget_peak(self):
        with open(f"/proc/{self.node.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def good_reads(self, count):
        """How long each read of a client that may read took."""
        times = []
        for _ in range(count):
            started = time.perf_counter()
            reply = self.owner.get(f"/{self.secret}/shown")
            times.append(time.perf_counter() - started)
            assert (reply.status, reply.body) == (200, SHOWN)
        return times


class Load:
    """Sends an attack again and again while the `with` block runs, by `threads` clients."""

    def __init__(self, world, attack, threads=4):
        self.ended = threading.Event()
        self.sent = 0
        self.threads = [threading.Thread(target=self._run, args=(world, attack))
                        for _ in range(threads)]

    def _run(self, world, attack):
        while not self.ended.is_set():
            attack.run(world)
            self.sent += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def cost(world, request, times=5):
    """Processor seconds of the node for one such request."""
    before = world.cpu()
    for _ in range(times):
        request()
    return (world.cpu() - before) / times


def median(times):
    return statistics.median(times)
