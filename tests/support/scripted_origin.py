"""An S3 origin that plays AWS where the test gateways do not, and misbehaves when told to.

A test starts it in its own process (`with ScriptedOrigin() as origin:`), puts objects in, scripts
faults with `origin.on(...)`, and reads `origin.requests` to see what the origin was asked. Every
signature is checked (sigv4). Port 0 unless told.
"""
import asyncio
import dataclasses
import hashlib
import http.client
import itertools
import socket
import struct
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import sigv4
from s3_semantics import KEPT_HEADERS, Answer, Object, S3Error, http_date, read
from sigv4 import AuthError

SLICE = 256 * 1024
HEAD_MAX = 64 * 1024


@dataclasses.dataclass
class Request:
    """One request as the origin saw it, and what it sent back. Filled while it happens."""
    connection: int
    method: str
    target: str
    headers: list
    order: int
    started: float
    bucket: str = ""
    key: str = ""
    query: dict = dataclasses.field(default_factory=dict)
    access_key: str | None = None
    presigned: bool = False
    status: int = 0
    body_received: int = 0
    body_bytes_sent: int = 0
    aborted: bool = False  # the peer left before the request or its answer was complete
    finished: float | None = None
    body: bytes = b""

    def header(self, name):
        values = [value for n, value in self.headers if n.lower() == name.lower()]
        return ", ".join(values) if values else None


@dataclasses.dataclass
class Script:
    """What to do instead of, or on the way to, the right answer. Offsets count body bytes."""
    answer: Answer | None = None  # instead of the right one
    error: S3Error | None = None  # likewise, as S3 error XML (no body on HEAD)
    raw: bytes | None = None  # these bytes instead of an answer, then close
    before: object = None  # called with the Request before the answer is made
    hold_head: threading.Event | None = None  # no byte of the head before this is set
    delay_head: float = 0.0
    hold_at: tuple | None = None  # (offset, Event): stop there until it is set
    delay_at: tuple | None = None  # (offset, seconds)
    cut_at: int | None = None  # close after so many body bytes
    cut_with: str = "fin"  # or "rst"
    drop: bool = False  # close without an answer, the request read
    early: int | None = None  # the answer after so many bytes of the request's body, then close
    drop_at_body: int | None = None  # close with RST after so many bytes of the request's body
    set_headers: dict = dataclasses.field(default_factory=dict)  # name -> value, None removes
    chunked: bool = False  # no Content-Length
    until_close: bool = False  # neither: the end is the end of the connection
    # "silent": no 100; "late": one after two seconds, before any of the body is read; "final": the
    # answer without reading the body
    expect: str = "continue"
    bytes_per_second: float | None = None


@dataclasses.dataclass
class _Rule:
    script: Script
    method: str | None
    key: str | None
    when: object
    nth: int | None
    times: int | None
    seen: int = 0

    def take(self, request):
        if self.method not in (None, request.method) or self.key not in (None, request.key):
            return False
        if self.when is not None and not self.when(request):
            return False
        self.seen += 1
        if self.nth is not None:
            return self.seen == self.nth
        return self.times is None or self.seen <= self.times


class _Gone(Exception):
    """The connection is to end here."""


class ScriptedOrigin:
    def __init__(self, credentials=None, region="us-east-1", port=0, tls=None):
        self.credentials = dict(credentials or {"AKSCRIPT": ("SKSCRIPT", None)})
        self.region = region
        self.requests = []  # list[Request]; append-only, in order of arrival
        self.malformed = []  # heads that are no valid request: a proxy must never send one
        self.public = set()  # buckets whose objects anybody may read, unsigned
        self.deny = None  # callable(Request) -> S3Error | None: policy beyond the signature
        self.strict = False  # whether Content-Type and every x-amz-* field must be signed
        self.connections = 0
        self._port = port
        self._tls = tls
        self._objects = {}  # bucket -> key -> [Object], oldest first
        self._versioned = set()
        self._uploads = {}
        self._rules = []
        self._ids = itertools.count(1)
        self._lock = threading.RLock()
        self._loop = None
        self._stopping = threading.Event()

    # --- set-up, from the test's thread -----------------------------------------------------

    def __enter__(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the scripted origin did not start")
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    start = __enter__

    def stop(self):
        self.__exit__()

    @property
    def endpoint(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def make_bucket(self, bucket, versioned=False):
        with self._lock:
            self._objects.setdefault(bucket, {})
            if versioned:
                self._versioned.add(bucket)

    def put(self, bucket, key, body=b"", **fields):
        """Stores a new version as if by another client; returns the Object, which may be edited."""
        with self._lock:
            self.make_bucket(bucket)
            obj = Object(bytes(body), **fields)
            versions = self._objects[bucket].setdefault(key, [])
            if bucket in self._versioned:
                obj.version_id = obj.version_id or f"v{next(self._ids):08d}"
                versions.append(obj)
            else:
                versions[:] = [obj]
            return obj

    def get(self, bucket, key, version_id=None):
        """The Object as stored; raises S3Error as a client would see it."""
        with self._lock:
            if bucket not in self._objects:
                raise S3Error(404, "NoSuchBucket")
            versions = self._objects[bucket].get(key, [])
            if version_id is not None:
                found = [o for o in versions if (o.version_id or "null") == version_id]
                if not found:
                    raise S3Error(404, "NoSuchVersion")
                if found[0].delete_marker:
                    raise S3Error(405, "MethodNotAllowed", "", [("x-amz-delete-marker", "true")])
                return found[0]
            if not versions:
                raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
            if versions[-1].delete_marker:
                raise S3Error(404, "NoSuchKey", "", [("x-amz-delete-marker", "true")])
            return versions[-1]

    def delete(self, bucket, key, version_id=None):
        with self._lock:
            versions = self._objects.get(bucket, {}).get(key, [])
            if version_id is not None:
                versions[:] = [o for o in versions if (o.version_id or "null") != version_id]
            elif bucket in self._versioned:
                marker = Object(b"", delete_marker=True, version_id=f"v{next(self._ids):08d}")
                self._objects[bucket].setdefault(key, []).append(marker)
            else:
                self._objects.get(bucket, {}).pop(key, None)

    def on(self, script, method=None, key=None, when=None, nth=None, times=None):
        """Scripts matching requests: all, the nth, or the first `times`. Earlier rules win."""
        with self._lock:
            self._rules.append(_Rule(script, method, key, when, nth, times))

    def clear_scripts(self):
        with self._lock:
            self._rules.clear()

    def asked(self, method=None, key=None):
        """What was requested so far, in order of arrival."""
        return [r for r in list(self.requests)
                if method in (None, r.method) and key in (None, r.key)]

    def body_bytes(self, key=None):
        return sum(r.body_bytes_sent for r in self.asked(key=key))

    def hang_up(self):
        """Closes every connection, as an origin does with idle ones."""
        closed = threading.Event()

        def close_all():
            for writer in self._writers:
                writer.close()
            closed.set()
        self._loop.call_soon_threadsafe(close_all)
        assert closed.wait(10)

    # --- the server -------------------------------------------------------------------------

    def _run(self, ready):
        asyncio.run(self._serve(ready))

    async def _serve(self, ready):
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._writers = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self._port,
                                            limit=HEAD_MAX, ssl=self._tls, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(self, reader, writer):
        self.connections += 1
        connection = self.connections
        writer.transport.set_write_buffer_limits(high=SLICE)
        self._writers.add(writer)
        try:
            while await self._exchange(connection, reader, writer):
                pass
        except (_Gone, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, connection, reader, writer):
        """One request and its answer; False when the connection is done."""
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as end:
            if end.partial:
                self.malformed.append(end.partial)
            return False
        except asyncio.LimitOverrunError:
            self.malformed.append(b"head too large")
            return False
        request = self._parse(connection, raw)
        if request is None:
            self.malformed.append(raw)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return False
        self.requests.append(request)
        try:
            return await self._answer(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            request.aborted = True
            raise
        finally:
            request.body = b""  # stored by now where it was to be
            request.finished = time.monotonic()

    def _parse(self, connection, raw):
        try:
            first, *lines = raw[:-4].decode("latin-1").split("\r\n")
            method, target, version = first.split(" ")
            headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        except ValueError:
            return None
        names = [item[0].lower() for item in headers]
        framings = ("content-length" in names) + ("transfer-encoding" in names)
        bad_field = any(len(item) != 2 or not item[0] for item in headers)
        if bad_field or version != "HTTP/1.1" or not target.startswith("/") or framings > 1:
            return None
        if names.count("host") != 1 or names.count("content-length") > 1:
            return None
        path, _, query = target.partition("?")
        request = Request(connection, method, target, headers, next(self._ids), time.monotonic())
        bucket, _, key = path[1:].partition("/")
        request.bucket, request.key = urllib.parse.unquote(bucket), urllib.parse.unquote(key)
        request.query = dict(sigv4.parse_query(query))
        return request

    def _script_for(self, request):
        with self._lock:
            for rule in self._rules:
                if rule.take(request):
                    return rule.script
        return Script()

    async def _answer(self, request, reader, writer):
        script = self._script_for(request)
        refusal = payload_hash = None
        try:
            payload_hash = self._authorise(request)
        except (AuthError, S3Error) as error:
            refusal = error
        expects = (request.header("expect") or "").lower() == "100-continue"
        unread = script.early is not None or (
            expects and (script.expect == "final" or refusal is not None))
        if script.early:
            await self._take(request, script.early, script, reader, writer)
        if not unread:
            if expects and script.expect == "continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if expects and script.expect == "late":
                await asyncio.sleep(2)
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._read_body(request, script, reader, writer)
        if script.before is not None:
            script.before(request)
        answer = self._decide(request, script, refusal, payload_hash)
        if script.hold_head is not None:
            await self._until(script.hold_head, reader)
        await asyncio.sleep(script.delay_head)
        if script.drop:
            raise _Gone
        if script.raw is not None:
            writer.write(script.raw)
            await writer.drain()
            raise _Gone
        await self._send(request, script, answer, reader, writer, close=unread)
        return not unread and not script.until_close

    def _decide(self, request, script, refusal, payload_hash):
        try:
            if script.error is not None:
                raise script.error
            if script.answer is not None:
                return script.answer
            if refusal is not None:
                raise refusal
            if len(payload_hash) == 64:
                if hashlib.sha256(request.body).hexdigest() != payload_hash:
                    raise S3Error(400, "XAmzContentSHA256Mismatch", "the payload differs")
            if payload_hash.startswith(sigv4.STREAMING):
                request.body = sigv4.unchunked(request.body)
            with self._lock:
                return self._operate(request)
        except (AuthError, S3Error) as error:
            return self._error_answer(request, error)

    def _authorise(self, request):
        path, _, query = request.target.partition("?")
        unsigned = request.header("authorization") is None and "Signature=" not in query
        if unsigned and request.bucket in self.public and request.method in ("GET", "HEAD"):
            return "UNSIGNED-PAYLOAD"
        request.access_key, payload_hash, request.presigned = sigv4.verify(
            request.method, path, query, request.headers, self.credentials, self.region,
            strict=self.strict)
        denied = self.deny(request) if self.deny else None
        if denied is not None:
            raise denied
        if payload_hash.startswith(sigv4.STREAMING) and "ECDSA" in payload_hash:
            raise S3Error(501, "NotImplemented", "streaming signatures")
        return payload_hash

    async def _read_body(self, request, script, reader, writer):
        if (request.header("transfer-encoding") or "").lower() == "chunked":
            while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                await self._take(request, length, script, reader, writer)
                await reader.readexactly(2)
            while (await reader.readline()).strip():
                pass
        else:
            length = int(request.header("content-length") or 0)
            await self._take(request, length, script, reader, writer)

    async def _take(self, request, length, script, reader, writer):
        """Reads so many bytes of the body."""
        chunks = []
        while length > 0:
            piece = await reader.read(min(length, SLICE))
            if not piece:
                raise asyncio.IncompleteReadError(b"", length)
            request.body_received += len(piece)
            length -= len(piece)
            chunks.append(piece)
            if script.drop_at_body is not None:
                if request.body_received >= script.drop_at_body:
                    self._reset(writer)
        request.body += b"".join(chunks)

    @staticmethod
    def _reset(writer):
        """Ends the connection with a TCP RST: what is unsent is lost."""
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        raise _Gone

    async def _until(self, event, reader):
        while not event.is_set() and not self._stopping.is_set():
            if reader.at_eof() or reader.exception() is not None:
                raise ConnectionResetError
            await asyncio.sleep(0.005)

    async def _send(self, request, script, answer, reader, writer, close):
        size = len(answer.body)
        headers = dict(answer.headers)
        headers["x-amz-request-id"] = f"SCRIPT{request.order:010d}"
        headers["x-amz-id-2"] = f"scripted{request.order}"
        headers["Date"] = http_date(time.time())
        headers["Server"] = "AmazonS3"
        if script.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not script.until_close and answer.status not in (204, 304):
            headers.setdefault("Content-Length", str(size))
        if close or script.until_close:
            headers["Connection"] = "close"
        for name, value in script.set_headers.items():
            headers = {n: v for n, v in headers.items() if n.lower() != name.lower()}
            if value is not None:
                headers[name] = value
        lines = [f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, 'Other')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        request.status = answer.status
        if request.method != "HEAD":
            await self._send_body(request, script, memoryview(answer.body), reader, writer)
        await writer.drain()

    async def _send_body(self, request, script, body, reader, writer):
        stops = {len(body)}
        for stop in (script.hold_at, script.delay_at, (script.cut_at,)):
            if stop is not None and stop[0] is not None:
                stops.add(min(stop[0], len(body)))
        offset = 0
        for stop in sorted(stops):
            while offset < stop:
                piece = body[offset:min(offset + SLICE, stop)]
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if script.chunked else piece)
                await writer.drain()
                offset += len(piece)
                request.body_bytes_sent += len(piece)
                if script.bytes_per_second:
                    await asyncio.sleep(len(piece) / script.bytes_per_second)
            if script.hold_at is not None and script.hold_at[0] == offset:
                await self._until(script.hold_at[1], reader)
            if script.delay_at is not None and script.delay_at[0] == offset:
                await asyncio.sleep(script.delay_at[1])
            if script.cut_at is not None and script.cut_at <= offset:
                if script.cut_with == "rst":
                    self._reset(writer)
                raise _Gone
        if script.chunked:
            writer.write(b"0\r\n\r\n")

    # --- operations -------------------------------------------------------------------------

    @staticmethod
    def _error_answer(request, error):
        text = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{error.code}</Code>'
                f"<Message>{escape(str(error))}</Message><Key>{escape(request.key)}</Key>"
                f"<RequestId>SCRIPT{request.order:010d}</RequestId></Error>")
        headers = [*getattr(error, "headers", []), ("Content-Type", "application/xml")]
        # A real HEAD error has no body, and so no code: the caller learns the status alone.
        return Answer(error.status, headers, b"" if request.method == "HEAD" else text.encode())

    def _operate(self, request):
        if not request.bucket:
            return self._xml("<ListAllMyBucketsResult><Buckets>" + "".join(
                f"<Bucket><Name>{escape(name)}</Name></Bucket>" for name in sorted(self._objects))
                + "</Buckets></ListAllMyBucketsResult>")
        operation = getattr(self, f"_{request.method.lower()}_"
                            + ("object" if request.key else "bucket"), None)
        if operation is None:
            raise S3Error(405, "MethodNotAllowed")
        return operation(request)

    @staticmethod
    def _xml(text, headers=()):
        return Answer(200, [*headers, ("Content-Type", "application/xml")], text.encode())

    def _get_object(self, request):
        obj = self.get(request.bucket, request.key, request.query.get("versionId"))
        headers = {name.lower(): value for name, value in request.headers}
        return read(request.method, headers, request.query, obj)

    _head_object = _get_object

    def _put_object(self, request):
        if request.bucket not in self._objects:
            raise S3Error(404, "NoSuchBucket")
        if "uploadId" in request.query:
            parts = self._uploads.get(request.query["uploadId"])
            if parts is None:
                raise S3Error(404, "NoSuchUpload")
            parts[int(request.query["partNumber"])] = request.body
            return Answer(200, [("ETag", f'"{hashlib.md5(request.body).hexdigest()}"')])
        existing = self._objects[request.bucket].get(request.key)
        if existing and request.header("if-none-match") == "*":
            raise S3Error(412, "PreconditionFailed")
        body = request.body
        source = request.header("x-amz-copy-source")
        if source is not None:
            bucket, _, key = urllib.parse.unquote(source).lstrip("/").partition("/")
            body = self.get(bucket, key).body
        obj = self.put(request.bucket, request.key, body, headers=self._kept(request))
        if source is not None:
            return self._xml(f"<CopyObjectResult><ETag>{obj.etag}</ETag></CopyObjectResult>")
        versions = [("x-amz-version-id", obj.version_id)] if obj.version_id else []
        return Answer(200, [("ETag", obj.etag), *versions])

    @staticmethod
    def _kept(request):
        return {name: value for name, value in request.headers
                if name.lower() in KEPT_HEADERS or name.lower().startswith("x-amz-meta-")}

    def _post_object(self, request):
        if "uploads" in request.query:
            upload = f"upload{next(self._ids)}"
            self._uploads[upload] = {}
            return self._xml("<InitiateMultipartUploadResult>"
                             f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>")
        parts = self._uploads.pop(request.query.get("uploadId", ""), None)
        if parts is None:
            raise S3Error(404, "NoSuchUpload")
        ordered = [parts[number] for number in sorted(parts)]
        digests = b"".join(hashlib.md5(part).digest() for part in ordered)
        etag = f'"{hashlib.md5(digests).hexdigest()}-{len(ordered)}"'
        self.put(request.bucket, request.key, b"".join(ordered), etag=etag,
                 parts=tuple(map(len, ordered)))
        return self._xml(f"<CompleteMultipartUploadResult><ETag>{escape(etag)}</ETag>"
                         "</CompleteMultipartUploadResult>")

    def _delete_object(self, request):
        if "uploadId" in request.query:
            self._uploads.pop(request.query["uploadId"], None)
        else:
            self.delete(request.bucket, request.key, request.query.get("versionId"))
        return Answer(204, [])

    def _head_bucket(self, request):
        if request.bucket not in self._objects:
            raise S3Error(404, "NoSuchBucket")
        return Answer(200, [("x-amz-bucket-region", self.region)])

    def _get_bucket(self, request):
        self._head_bucket(request)
        if "location" in request.query:
            return self._xml("<LocationConstraint/>")
        prefix = request.query.get("prefix", "")
        rows = []
        for key, versions in sorted(self._objects[request.bucket].items()):
            if key.startswith(prefix) and not versions[-1].delete_marker:
                latest = versions[-1]
                rows.append(f"<Contents><Key>{escape(key)}</Key><Size>{len(latest.body)}</Size>"
                            f"<ETag>{escape(latest.etag or '')}</ETag></Contents>")
        return self._xml(f"<ListBucketResult><Name>{escape(request.bucket)}</Name>"
                         f"<KeyCount>{len(rows)}</KeyCount><IsTruncated>false</IsTruncated>"
                         + "".join(rows) + "</ListBucketResult>")

    def _put_bucket(self, request):
        self.make_bucket(request.bucket)
        return Answer(200, [("Location", f"/{request.bucket}")])

    def _delete_bucket(self, request):
        if self._objects.get(request.bucket):
            raise S3Error(409, "BucketNotEmpty")
        self._objects.pop(request.bucket, None)
        return Answer(204, [])

    def _post_bucket(self, request):
        if "delete" not in request.query:
            raise S3Error(405, "MethodNotAllowed")
        keys = [node.text for node in ElementTree.fromstring(request.body).iter()
                if node.tag.endswith("Key")]
        for key in keys:
            self.delete(request.bucket, key)
        return self._xml("<DeleteResult>" + "".join(
            f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys) + "</DeleteResult>")
