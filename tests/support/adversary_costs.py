"""Attacks that cost the sender a few KiB and no secret, and are to cost the node no more."""
import time

from adversary import BAD, KIB, REFUSED, Attack
from sigv4 import encode

DATE = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
SCOPE = f"{DATE[:8]}/us-east-1/s3/aws4_request"
ERRORS = REFUSED | {404, 405, 411, 414, 416, 431}


def claims(world, names, *, access_key=None, scope=SCOPE, headers=(), path=None, method="GET"):
    """Says that it is signed, by a signature of no worth."""
    key = access_key or world.origin.alice[0]
    value = (f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
             f"Signature={'0' * 64}")
    fields = [*world.host, ("x-amz-date", DATE), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
              *headers, ("Authorization", value)]
    return world.send(method, path or f"/{world.mine}/own", fields)


def presigned_claims(world, names):
    query = (f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
             f"{encode(world.origin.alice[0] + '/' + SCOPE)}&X-Amz-Date={DATE}&X-Amz-Expires=300"
             f"&X-Amz-SignedHeaders={names}&X-Amz-Signature={'0' * 64}")
    return world.send("GET", f"/{world.mine}/own?{query}", world.host)


def numbered(count, start="x"):
    return [(f"{start}{n}", "y") for n in range(count)]


BASE = "host;x-amz-content-sha256;x-amz-date"


def names():
    yield "SignedHeaders repeats host", lambda w: claims(w, BASE + ";host" * 5000), BAD
    yield "SignedHeaders repeats a long field", lambda w: claims(
        w, BASE + ";z" * 8000, headers=[("z", "v" * 14000)]), BAD
    yield "SignedHeaders of a URL repeats host", lambda w: presigned_claims(
        w, "host" + "%3Bhost" * 4000), BAD
    yield "SignedHeaders of a URL repeats a long field", lambda w: w.send(
        "GET", presigned_target(w, "host" + "%3Bz" * 5000), [*w.host, ("z", "v" * 9000)]), BAD
    yield "SignedHeaders names what is not there", lambda w: claims(
        w, BASE + "".join(f";y{n}" for n in range(4000))), ERRORS
    yield "SignedHeaders of 65 names", lambda w: claims(
        w, ";".join([BASE, *(f"y{n}" for n in range(62))]),
        headers=[(f"y{n}", "1") for n in range(62)]), BAD
    yield "SignedHeaders of separators", lambda w: claims(w, ";" * 20000), ERRORS
    yield "Authorization of commas", lambda w: claims(w, BASE + "," * 20000), ERRORS


def presigned_target(world, names_):
    return (f"/{world.mine}/own?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
            f"{encode(world.origin.alice[0] + '/' + SCOPE)}&X-Amz-Date={DATE}&X-Amz-Expires=300"
            f"&X-Amz-SignedHeaders={names_}&X-Amz-Signature={'0' * 64}")


def heads():
    yield "129 fields", lambda w: w.send("GET", f"/{w.secret}/k", [*w.host, *numbered(128)]), BAD
    yield "4,000 fields", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, *numbered(4000, "")]), BAD
    yield "4,000 fields of one name", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, *[("a", "b")] * 4000]), BAD
    yield "300 fields that Connection names", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, *numbered(300), (
            "Connection", ",".join(n for n, _ in numbered(300)))]), BAD
    yield "10,000 Connection options", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, ("Connection", "a," * 10000)]), ERRORS
    yield "10,000 Connection options and 100 fields", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, *numbered(100), ("Connection", "a," * 10000)]), ERRORS
    yield "Connection 100 times", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, *[("Connection", "b," * 100)] * 100]), ERRORS
    yield "8,000 ranges", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, ("Range", "bytes=" + "0-0," * 7000 + "0-0")]), ERRORS
    yield "8,000 entity tags", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, ("If-None-Match", '"a",' * 7000 + '"a"')]), ERRORS
    yield "a head that is too large", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, ("a", "b" * 100_000)]), ERRORS
    yield "blanks to collapse", lambda w: claims(
        w, BASE + ";z", headers=[("z", "a  " * 9000)]), REFUSED


def targets():
    yield "16,000 parameters", lambda w: w.send(
        "GET", f"/{w.secret}/k?" + "a&" * 15000, w.host), BAD
    yield "16,000 empty parameters", lambda w: w.send(
        "GET", f"/{w.secret}/k?" + "&" * 30000, w.host), ERRORS
    yield "129 parameters", lambda w: w.send(
        "GET", f"/{w.secret}?" + "&".join(f"p{n}=" for n in range(129)), w.host), BAD
    yield "7,000 parameters and a signature", lambda w: claims(
        w, BASE, path=f"/{w.mine}/own?" + "&".join(f"{n:x}" for n in range(5000, 0, -1))), BAD
    yield "a V2 URL of 7,000 sub-resources", lambda w: w.send(
        "GET", f"/{w.mine}/own?AWSAccessKeyId={w.origin.alice[0]}&Expires=99999999999&Signature=x"
        + "&acl" * 7000, w.host), BAD
    yield "a path of 9,000 bytes", lambda w: w.send(
        "GET", f"/{w.secret}/" + "%41" * 3000, w.host), ERRORS
    yield "a path of slashes", lambda w: w.send("GET", "/" * 30000, w.host), ERRORS


def echoes():
    yield "an access key of 25,000 bytes", lambda w: claims(w, BASE, access_key="A" * 25000), ERRORS
    yield "an access key of 9,000 quotes", lambda w: claims(w, BASE, access_key="&" * 9000), ERRORS
    yield "a region of 25,000 bytes", lambda w: claims(
        w, BASE, scope=SCOPE.replace("us-east-1", "r" * 25000)), ERRORS
    yield "a signed field of 25,000 bytes", lambda w: claims(
        w, BASE + ";z", headers=[("z", "&" * 25000)]), REFUSED
    yield "a key of 9,000 ampersands", lambda w: claims(
        w, BASE, path=f"/{w.mine}/" + "%26" * 8000), REFUSED
    yield "a V2 URL of a long key", lambda w: w.send(
        "GET", f"/{w.mine}/" + "%26" * 8000 + f"?AWSAccessKeyId={w.origin.alice[0]}"
        "&Expires=99999999999&Signature=x", w.host), REFUSED
    yield "a payload hash of 25,000 bytes", lambda w: w.send(
        "GET", f"/{w.secret}/k", [*w.host, ("x-amz-content-sha256", "&" * 25000)]), REFUSED
    yield "an Expires of 25,000 bytes", lambda w: w.send(
        "GET", f"/{w.mine}/own?AWSAccessKeyId=A&Signature=x&Expires=" + "9" * 25000 + "x",
        w.host), REFUSED


def form_parts(count):
    part = b'--b\r\nContent-Disposition: form-data; name="x-ignore-%05d"\r\n\r\n\r\n'
    return b"".join(part % n for n in range(count))


def post(body, kind="multipart/form-data; boundary=b"):
    return lambda w: w.send("POST", f"/{w.secret}", [*w.host, ("Content-Type", kind)], body)


def forms():
    yield "a form of 15,000 fields", post(form_parts(15000) + b"--b--\r\n"), REFUSED
    yield "a form of 15,000 fields of one name", post(
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n' * 15000
        + b"--b--\r\n"), REFUSED
    yield "a form without an end", post(form_parts(1)[:-2] + b"x" * 1_000_000), REFUSED
    yield "a form of near boundaries", post(form_parts(1)[:-2] + b"\r\n-" * 300_000), REFUSED
    yield "a form of line breaks", post(b"\r\n" * 500_000), REFUSED
    yield "a part with a head of 1 MB", post(b"--b\r\n" + b"X: y\r\n" * 160_000), REFUSED
    yield "a disposition of semicolons", post(
        b"--b\r\nContent-Disposition: form-data" + b";" * 500_000 + b"\r\n\r\n"), REFUSED
    yield "a Content-Type of semicolons", post(
        b"--b--\r\n", "multipart/form-data" + ";" * 25000), REFUSED


GROUPS = (names, heads, targets, echoes, forms)
# Each element of an error holds 2 KiB of what it echoes, and XML makes five bytes of an ampersand.
ATTACKS = [Attack(f"cost: {name}", run, statuses, largest=32 * KIB, costly=True)
           for group in GROUPS for name, run, statuses in group()]
