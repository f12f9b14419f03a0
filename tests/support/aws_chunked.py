"""Bodies in aws-chunked encoding, signed or not, with and without a trailer; and SigV2 URLs."""
import base64
import binascii
import datetime
import hashlib
import hmac
import json
import time
import urllib.parse
import zlib

import sigv4

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = SIGNED + "-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = hashlib.sha256(b"").hexdigest()


def crc32(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def sha1(body):
    return base64.b64encode(hashlib.sha1(body).digest()).decode()


def sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


class Chain:
    """The signatures of one request's chunks, each over the one before."""

    def __init__(self, headers, secret):
        fields = dict(headers)
        credential, _, self.previous = sigv4._fields_of_header(fields["Authorization"])
        self.date = fields["x-amz-date"]
        self.scope = credential.partition("/")[2]
        key = ("AWS4" + secret).encode()
        for part in self.scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        self.key = key

    def sign(self, kind, *lines):
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", self.date, self.scope, self.previous, *lines])
        self.previous = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return self.previous


def encode(body, headers, secret, mode, trailer=None, chunk=64 * 1024):
    """The body of a request signed as `headers` say; `trailer`: (name, value)."""
    chain = Chain(headers, secret) if mode != UNSIGNED_TRAILER else None
    pieces = []
    for data in [*(body[at:at + chunk] for at in range(0, len(body), chunk)), b""]:
        head = f"{len(data):x}"
        if chain:
            signature = chain.sign("PAYLOAD", EMPTY, hashlib.sha256(data).hexdigest())
            head += f";chunk-signature={signature}"
        pieces.append(head.encode() + b"\r\n" + (data + b"\r\n" if data else b""))
    if trailer:
        name, value = trailer
        pieces.append(f"{name}:{value}\r\n".encode())
        if chain:
            signed = hashlib.sha256(f"{name}:{value}\n".encode()).hexdigest()
            pieces.append(f"x-amz-trailer-signature:{chain.sign('TRAILER', signed)}\r\n".encode())
    return b"".join(pieces) + b"\r\n"


def put(client, path, body, mode, *, trailer=None, damage=None, length=None, headers=()):
    """Uploads through an s3_client.S3Client; `damage` changes the encoded body."""
    fields = [*headers, ("x-amz-decoded-content-length",
                         str(len(body) if length is None else length)),
              ("Content-Encoding", "aws-chunked")]
    if trailer:
        fields.append(("x-amz-trailer", trailer[0]))
    target, signed = client.signed("PUT", path, (), fields, b"", payload_hash=mode)
    encoded = encode(body, signed, client.key[1], mode, trailer)
    return client.send("PUT", target, signed, damage(encoded) if damage else encoded)


def presign_v2(client, method, path, query=(), expires=300, headers=()):
    """The target of a URL that SigV2 presigns, as boto3 does unless told otherwise."""
    raw_path = sigv4.encode(path, safe="/")
    when = str(int(time.time()) + expires)
    parts = sorted((name, value) for name, value in query
                   if name in ("versionId", "acl", "uploads", "uploadId", "partNumber", "tagging")
                   or name.startswith("response-"))
    resource = raw_path + ("?" + "&".join(n + (f"={v}" if v else "") for n, v in parts)
                           if parts else "")
    fields = {name.lower(): value for name, value in headers}
    amz = "".join(f"{n}:{v}\n" for n, v in sorted(fields.items()) if n.startswith("x-amz-"))
    text = "\n".join([method, fields.get("content-md5", ""), fields.get("content-type", ""), when,
                      amz + resource])
    digest = hmac.new(client.key[1].encode(), text.encode(), hashlib.sha1).digest()
    pairs = [*query, ("AWSAccessKeyId", client.key[0]), ("Expires", when),
             ("Signature", base64.b64encode(digest).decode())]
    return raw_path + "?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)


def post_form(client, bucket, key, body, *, expires=300, conditions=None, secret=None, extra=()):
    """(headers, body) of a browser's upload, its policy signed by SigV4."""
    now = datetime.datetime.now(datetime.UTC)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    fields = {"key": key, "x-amz-algorithm": "AWS4-HMAC-SHA256",
              "x-amz-credential": f"{client.key[0]}/{scope}", "x-amz-date": stamp, **dict(extra)}
    until = now + datetime.timedelta(seconds=expires)
    document = {"expiration": until.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "conditions": [{"bucket": bucket}, *(conditions or []),
                               *({name: value} for name, value in fields.items())]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    signing = ("AWS4" + (secret or client.key[1])).encode()
    for part in scope.split("/"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, policy.encode(), hashlib.sha256).hexdigest()
    fields |= {"policy": policy, "x-amz-signature": signature}
    boundary = binascii.hexlify(hashlib.md5(policy.encode()).digest()).decode()
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in fields.items()]
    text = "".join(parts) + (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
                             'filename="f"\r\nContent-Type: text/plain\r\n\r\n')
    headers = [("Host", client.host), ("Content-Type", f"multipart/form-data; boundary={boundary}")]
    return headers, text.encode() + body + f"\r\n--{boundary}--\r\n".encode()
