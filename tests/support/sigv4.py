"""SigV4, header and presigned form: signs as a client and checks as AWS does. Pure.

AWS "Authenticating Requests (Signature Version 4)". The check works on the request as it came over
the wire and, unlike the test gateways, is as strict as AWS: every x-amz-* header must be signed,
the scope must name the region, and a payload hash must be there.
"""
import datetime
import hashlib
import hmac
import urllib.parse

SKEW_MAX = datetime.timedelta(minutes=15)
UNRESERVED = "-._~"
STREAMING = "STREAMING-"


class AuthError(Exception):
    """An S3 error: `status`, `code` and the message as text."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status = status
        self.code = code


def encode(text, safe=""):
    return urllib.parse.quote(text, safe=UNRESERVED + safe)


def parse_query(raw):
    """Raw query to a list of decoded (name, value); a bare name has the value ""."""
    pairs = []
    for item in filter(None, raw.split("&")):
        name, _, value = item.partition("=")
        pairs.append((urllib.parse.unquote(name), urllib.parse.unquote(value)))
    return pairs


def canonical_query(pairs):
    return "&".join(f"{name}={value}"
                    for name, value in sorted((encode(n), encode(v)) for n, v in pairs))


def canonical_request(method, raw_path, pairs, headers, signed, payload_hash):
    """`headers`: list of (name, value) as received; `signed`: the signed names, in their order."""
    lines = []
    for name in signed:
        values = [" ".join(value.split()) for n, value in headers if n.lower() == name]
        lines.append(f"{name}:{','.join(values)}\n")
    path = encode(urllib.parse.unquote(raw_path), safe="/")
    return "\n".join([method, path, canonical_query(pairs), "".join(lines), ";".join(signed),
                      payload_hash])


def signature(secret, scope, date, canonical):
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _stamp(now):
    return (now or datetime.datetime.now(datetime.UTC)).strftime("%Y%m%dT%H%M%SZ")


def sign(method, raw_path, pairs, headers, key, region="us-east-1", body=b"", now=None,
         payload_hash=None, signed=None):
    """`headers` with the SigV4 ones added. `key`: (access key, secret key, token or None).

    `signed` names what to sign instead of all of `headers`; `headers` must hold Host.
    """
    access_key, secret, token = key
    date = _stamp(now)
    payload_hash = payload_hash or hashlib.sha256(body).hexdigest()
    headers = [*headers, ("x-amz-content-sha256", payload_hash), ("x-amz-date", date)]
    if token is not None:
        headers.append(("x-amz-security-token", token))
    names = sorted(signed or {name.lower() for name, _ in headers})
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    canonical = canonical_request(method, raw_path, pairs, headers, names, payload_hash)
    authorization = (f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, "
                     f"SignedHeaders={';'.join(names)}, "
                     f"Signature={signature(secret, scope, date, canonical)}")
    return [*headers, ("Authorization", authorization)]


def presign(method, raw_path, pairs, headers, key, region="us-east-1", now=None, expires=300):
    """`pairs` with the presigned query added; `headers` (Host at least) must be sent as given."""
    access_key, secret, token = key
    date = _stamp(now)
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    names = sorted({name.lower() for name, _ in headers})
    pairs = [*pairs, ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
             ("X-Amz-Credential", f"{access_key}/{scope}"), ("X-Amz-Date", date),
             ("X-Amz-Expires", str(expires)), ("X-Amz-SignedHeaders", ";".join(names))]
    if token is not None:
        pairs.append(("X-Amz-Security-Token", token))
    canonical = canonical_request(method, raw_path, pairs, headers, names, "UNSIGNED-PAYLOAD")
    return [*pairs, ("X-Amz-Signature", signature(secret, scope, date, canonical))]


def _fields_of_header(authorization):
    scheme, _, rest = authorization.partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        raise AuthError(400, "InvalidRequest", "The authorization mechanism is not supported")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    try:
        return fields["Credential"], fields["SignedHeaders"], fields["Signature"]
    except KeyError as missing:
        raise AuthError(400, "AuthorizationHeaderMalformed", f"missing {missing}") from missing


def _check_time(date, expires, now):
    try:
        when = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError as error:
        raise AuthError(403, "AccessDenied", "no valid x-amz-date") from error
    if expires is not None and now > when + datetime.timedelta(seconds=int(expires)):
        raise AuthError(403, "AccessDenied", "Request has expired")
    if expires is None and abs(now - when) > SKEW_MAX:
        raise AuthError(403, "RequestTimeTooSkewed", "the difference is too large")


def _check_all_signed(headers, signed, strict):
    for name, _ in headers:
        lower = name.lower()
        matters = lower.startswith("x-amz-") and (strict or lower != "x-amz-content-sha256")
        if lower not in signed and (matters or (strict and lower == "content-type")):
            raise AuthError(403, "AccessDenied", f"headers not signed: {lower}")
    if "host" not in signed:
        raise AuthError(403, "AccessDenied", "headers not signed: host")


def verify(method, raw_path, raw_query, headers, credentials, region, now=None, strict=False):
    """Returns (access key, payload hash, presigned) or raises AuthError.

    `credentials`: access key -> (secret key, session token or None). `strict`: Content-Type and the
    payload hash must be signed as well, as newer gateways want it.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    by_name = {name.lower(): value for name, value in headers}
    pairs = parse_query(raw_query)
    query = dict(pairs)
    presigned = "X-Amz-Signature" in query
    if presigned:
        credential, signed = query.get("X-Amz-Credential", ""), query.get("X-Amz-SignedHeaders", "")
        given, date = query["X-Amz-Signature"], query.get("X-Amz-Date", "")
        token, expires = query.get("X-Amz-Security-Token"), query.get("X-Amz-Expires", "0")
        pairs = [pair for pair in pairs if pair[0] != "X-Amz-Signature"]
        payload_hash = by_name.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    elif "authorization" in by_name:
        credential, signed, given = _fields_of_header(by_name["authorization"])
        date, token = by_name.get("x-amz-date", ""), by_name.get("x-amz-security-token")
        expires, payload_hash = None, by_name.get("x-amz-content-sha256", "")
        if not payload_hash:
            raise AuthError(400, "InvalidRequest", "Missing required header: x-amz-content-sha256")
    else:
        raise AuthError(403, "AccessDenied", "Anonymous access is forbidden")
    access_key, _, scope = credential.partition("/")
    if access_key not in credentials:
        raise AuthError(403, "InvalidAccessKeyId", "The key does not exist in our records")
    secret, session_token = credentials[access_key]
    if token != session_token:
        raise AuthError(400, "InvalidToken", "The provided token is malformed or otherwise invalid")
    if scope != f"{date[:8]}/{region}/s3/aws4_request":
        raise AuthError(400, "AuthorizationHeaderMalformed", f"the scope is wrong: {scope}")
    _check_time(date, expires, now)
    names = signed.split(";")
    _check_all_signed(headers, names, strict)
    canonical = canonical_request(method, raw_path, pairs, headers, names, payload_hash)
    if not hmac.compare_digest(signature(secret, scope, date, canonical), given):
        raise AuthError(403, "SignatureDoesNotMatch", "The signature does not match")
    return access_key, payload_hash, presigned


def unchunked(body):
    """The data of a body in aws-chunked encoding. Its chunks' signatures are not looked at."""
    pieces, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].partition(b";")[0], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[end + 2:end + 2 + size])
        at = end + 2 + size + 2
