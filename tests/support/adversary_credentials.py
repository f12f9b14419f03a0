"""Attacks by credentials that the node might not recognise as such but that the origin honours."""
import base64
import hashlib
import hmac
import re
import time

import sigv4
from adversary import BOTH, DENIED, LEAKS, REFUSED, Attack
from aws_chunked import post_form, presign_v2

BODY = b"by an attacker"
RGW = ("rgw",)
MINIO = ("minio",)
TOKEN_LEAKS = (*LEAKS, b"AUTH_rgwtk", b"<AccessKeyId>")
SWIFT_USER, SWIFT_SECRET, URL_KEY = "alice:swift", "SWIFTSECRET", "TEMPURLKEY"


# --- presigned URLs in other spellings ----------------------------------------------------------

def respelled_v4(change, method="GET", key="k"):
    """A URL that the origin itself accepts, its target changed as the node may not expect."""
    def run(world):
        target = world.smuggler.presigned(method, f"/{world.secret}/{key}")
        return world.send(method, change(target), world.origin_host,
                          BODY if method == "PUT" else b"")
    return run


def respelled_v2(change, method="GET", key="k"):
    def run(world):
        target = presign_v2(world.smuggler, method, f"/{world.secret}/{key}")
        return world.send(method, change(target), world.origin_host,
                          BODY if method == "PUT" else b"")
    return run


def with_names(spell):
    """Signed anew with every name spelled so: as much as an origin could be got to accept."""
    def run(world):
        client, path = world.smuggler, f"/{world.secret}/k"
        access_key, secret, _ = client.key
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{date[:8]}/us-east-1/s3/aws4_request"
        pairs = [(spell(name), value) for name, value in (
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", f"{access_key}/{scope}"),
            ("X-Amz-Date", date), ("X-Amz-Expires", "300"), ("X-Amz-SignedHeaders", "host"))]
        canonical = sigv4.canonical_request("GET", path, pairs, world.origin_host, ["host"],
                                            "UNSIGNED-PAYLOAD")
        pairs.append((spell("X-Amz-Signature"), sigv4.signature(secret, scope, date, canonical)))
        return world.send("GET", client.target(path, pairs), world.origin_host)
    return run


def lowered(*names):
    return lambda target: re.sub("|".join(names), lambda match: match[0].lower(), target)


def replaced(*pairs):
    def change(target):
        for old, new in pairs:
            target = target.replace(old, new)
        return target
    return change


V4_NAMES = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
            "X-Amz-SignedHeaders", "X-Amz-Signature")


def spellings():
    yield Attack("V4 as it should be", respelled_v4(lambda target: target), DENIED)
    yield Attack("V2 as it should be", respelled_v2(lambda target: target), DENIED)
    for name, spell in (("lower case", str.lower), ("capitals", str.upper),
                        ("one capital", str.capitalize)):
        yield Attack(f"V4 with names in {name}", with_names(spell))
        yield Attack(f"V4 with names in {name} after signing",
                     respelled_v4(lambda t, s=spell: re.sub("X-Amz-[A-Za-z]+",
                                                            lambda m: s(m[0]), t)))
    for name in V4_NAMES:
        yield Attack(f"V4 with {name} in lower case", respelled_v4(lowered(name)))
    yield Attack("V4 with the three that tell it in lower case", respelled_v4(lowered(
        "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature")))
    for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"):
        yield Attack(f"V4 without {name}", respelled_v4(lambda t, n=name: re.sub(f"&{n}=[^&]*", "",
                                                        t.replace("?", "?&"))))
    yield Attack("V4 with every = encoded", respelled_v4(
        lambda target: re.sub("(X-Amz-[A-Za-z]+)=", r"\1%3D", target)))
    yield Attack("V4 with %58 for X", respelled_v4(replaced(("X-Amz", "%58-Amz"))), DENIED)
    yield Attack("V4 with blanks before names", respelled_v4(replaced(("X-Amz", "%20X-Amz"))))
    yield Attack("V4 with + before names", respelled_v4(replaced(("X-Amz", "+X-Amz"))))
    yield Attack("V4 with ; for &", respelled_v4(replaced(("&", ";"))))
    yield Attack("V4 with underscores", respelled_v4(replaced(("X-Amz-", "X_Amz_"))))
    yield Attack("V4 behind a second ?", respelled_v4(replaced(("?", "??"))))
    yield Attack("V4 PUT in lower case", respelled_v4(lowered("X-Amz-[A-Za-z]+"), "PUT", "new"))
    yield Attack("V4 DELETE in lower case", respelled_v4(lowered("X-Amz-Signature"), "DELETE"))
    for method, key in (("GET", "k"), ("PUT", "new"), ("DELETE", "k")):
        yield Attack(f"V2 {method} with every = encoded", respelled_v2(replaced(
            ("AWSAccessKeyId=", "AWSAccessKeyId%3D"), ("Signature=", "Signature%3D"),
            ("Expires=", "Expires%3D")), method, key))
    yield Attack("V2 with one = encoded", respelled_v2(replaced(
        ("AWSAccessKeyId=", "AWSAccessKeyId%3D"))))
    yield Attack("V2 with two = encoded", respelled_v2(replaced(
        ("AWSAccessKeyId=", "AWSAccessKeyId%3D"), ("Signature=", "Signature%3D"))))
    yield Attack("V2 in lower case", respelled_v2(replaced(
        ("AWSAccessKeyId", "awsaccesskeyid"), ("Signature", "signature"), ("Expires", "expires"))))
    yield Attack("V2 in capitals", respelled_v2(replaced(
        ("AWSAccessKeyId", "AWSACCESSKEYID"), ("Signature", "SIGNATURE"))))
    yield Attack("V2 with %41 for A", respelled_v2(replaced(("AWSAccess", "%41WSAccess"))), DENIED)
    yield Attack("V2 with + before names", respelled_v2(replaced(
        ("AWSAccess", "+AWSAccess"), ("Signature", "+Signature"))))
    yield Attack("V2 without Expires", respelled_v2(lambda t: re.sub("Expires=[0-9]+&", "", t)))
    yield Attack("V2 behind the name of another", respelled_v2(replaced(
        ("AWSAccessKeyId", "GoogleAccessId"))))
    yield Attack("V2 of another cloud", respelled_v2(replaced((
        "AWSAccessKeyId", "OSSAccessKeyId"))))


# --- the Authorization field --------------------------------------------------------------------

def with_authorization(change, add=()):
    """Signed for the origin, the field's value changed."""
    def run(world):
        target, fields = world.smuggler.signed("GET", f"/{world.secret}/k")
        fields = [(name, change(value) if name == "Authorization" else value)
                  for name, value in fields]
        return world.send("GET", target, [*fields, *add])
    return run


def sigv2_header(world):
    client, path = world.smuggler, f"/{world.secret}/k"
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    text = f"GET\n\n\n{date}\n{path}"
    digest = hmac.new(client.key[1].encode(), text.encode(), hashlib.sha1).digest()
    value = f"AWS {client.key[0]}:{base64.b64encode(digest).decode()}"
    return world.send("GET", path, [*world.origin_host, ("Date", date), ("Authorization", value)])


def two_mechanisms(world):
    target = world.smuggler.presigned("GET", f"/{world.secret}/k")
    _, fields = world.attacker.signed("GET", f"/{world.mine}/own")
    return world.send("GET", target, fields)


def two_mechanisms_folded(world):
    target = lowered("X-Amz-[A-Za-z]+")(world.smuggler.presigned("GET", f"/{world.secret}/k"))
    _, fields = world.attacker.signed("GET", f"/{world.mine}/own")
    return world.send("GET", target, fields)


def v2_and_v4(world):
    target = presign_v2(world.smuggler, "GET", f"/{world.secret}/k")
    other = world.attacker.presigned("GET", f"/{world.mine}/own").partition("?")[2]
    return world.send("GET", f"{target}&{other}", world.origin_host)


def by_stranger(world):
    target, fields = world.stranger.signed("GET", f"/{world.secret}/k")
    return world.send("GET", target, fields)


def plain(method, path, headers=(), body=b""):
    def run(world):
        fields = [(name, value.format(**vars(world))) for name, value in headers]
        return world.send(method, path.format(**vars(world)), [*world.host, *fields], body)
    return run


def fields():
    for name, change in (
            ("the scheme in lower case", str.lower),
            ("the scheme's name in lower case", lambda v: v.replace("AWS4-HMAC", "aws4-hmac")),
            ("a tab for the blank", lambda v: v.replace("256 ", "256\t", 1)),
            ("no blank", lambda v: v.replace("256 ", "256", 1)),
            ("a component twice", lambda v: v + ", Signature=00"),
            ("Credential twice", lambda v: v.replace("Credential=",
                                                     "Credential=AKX/x, Credential=")),
            ("components in lower case", lambda v: v.replace("Credential", "credential")),
            ("nothing in it", lambda v: ""), ("a blank in it", lambda v: " "),
            ("Basic", lambda v: "Basic YWxpY2U6YWxpY2U="), ("Bearer", lambda v: "Bearer eyJh.b.c"),
            ("GOOG1", lambda v: v.replace("AWS4-HMAC-SHA256", "GOOG4-HMAC-SHA256")),
            ("STS's service", lambda v: v.replace("/s3/", "/sts/")),
            ("its value as it should be", lambda v: v)):
        yield Attack(f"Authorization with {name}", with_authorization(change))
    yield Attack("V2 in the Authorization field", sigv2_header)
    yield Attack("a header's and a URL's signature", two_mechanisms)
    yield Attack("the same, the URL in lower case", two_mechanisms_folded)
    yield Attack("V2 and V4 in one URL", v2_and_v4)
    yield Attack("a key that the node does not know", by_stranger, DENIED)
    secret = "/{secret}/k"
    for name, value in (("X-Amz-Security-Token", "t"), ("X-Auth-Token", "AUTH_rgwtk00"),
                        ("X-Service-Token", "AUTH_rgwtk00"), ("X-Auth-User", SWIFT_USER),
                        ("X-Auth-Key", SWIFT_SECRET), ("X-Storage-Token", "AUTH_rgwtk00"),
                        ("X-Storage-User", SWIFT_USER), ("X-Storage-Pass", SWIFT_SECRET),
                        ("X-Goog-Signature", "x"), ("X-Subject-Token", "t")):
        yield Attack(f"anonymous with {name}", plain("GET", secret, [(name, value)]))
    for query in ("X-Amz-Security-Token=t", "x-amz-security-token=t", "X-Goog-Algorithm=GOOG4-RSA",
                  "X-Goog-Signature=0", "x-goog-credential=a/b", "GoogleAccessId=a&Signature=b",
                  "temp_url_sig=00&temp_url_expires=99999999999", "Temp_Url_Sig=00",
                  "AccessKeyId=a", "x-amz-signature=00", "X-Amz-Content-Sha256=00"):
        yield Attack(f"anonymous with ?{query}", plain("GET", "/{secret}/k?" + query))


# --- forms --------------------------------------------------------------------------------------

def form(*, path="/{secret}", bucket="secret", head=None, body=None, by="smuggler", add=(),
         **options):
    """A browser's upload to the secret bucket, signed by the attacker's key as the origin would
    accept it; `head` changes its Content-Type, `body` its bytes."""
    def run(world):
        client, name = getattr(world, by), getattr(world, bucket)
        fields, text = post_form(client, name, "form", BODY, **options)
        types = [value for key, value in fields if key == "Content-Type"]
        types = [("Content-Type", value) for value in (head(types[0]) if head else types)]
        return world.send("POST", path.format(**vars(world)), [*world.origin_host, *types, *add],
                          body(text) if body else text)
    return run


def boundary_of(text):
    return text[2:text.index(b"\r\n")]


def first_field(name, value):
    """Puts one more field before all others."""
    return lambda text: (b"--%b\r\nContent-Disposition: form-data; name=\"%b\"\r\n\r\n%b\r\n" % (
        boundary_of(text), name, value)) + text


def named(pattern):
    return lambda text: text.replace(b'name="policy"', pattern)


def hidden(pattern):
    """As named(), for every field of the authorisation: to one reader there is none."""
    def change(text):
        for name in (b"policy", b"x-amz-algorithm", b"x-amz-credential", b"x-amz-date",
                     b"x-amz-signature"):
            text = text.replace(b'name="%b"' % name, pattern.replace(b"policy", name))
        return text
    return change


def file_first(text):
    """The file before everything else."""
    opening = b"--" + boundary_of(text)
    parts = text.split(opening)
    return opening.join([parts[0], parts[-2], *parts[1:-2], parts[-1]])


def quoted_printable(text):
    start = text.index(b'name="policy"\r\n\r\n') + len(b'name="policy"\r\n')
    return text[:start] + b"Content-Transfer-Encoding: quoted-printable\r\n" + text[start:]


TYPES = {
    "as it should be": lambda v: [v],
    "behind another Content-Type": lambda v: ["text/plain", v],
    "before another Content-Type": lambda v: [v, "text/plain"],
    "behind text/plain;": lambda v: ["text/plain; " + v],
    "behind text/plain,": lambda v: ["text/plain, " + v],
    "in odd case": lambda v: [v.replace("multipart/form-data", "Multipart/Form-DATA")],
    "in capitals": lambda v: [v.replace("multipart/form-data", "MULTIPART/FORM-DATA")],
    "with a blank before ;": lambda v: [v.replace(";", " ;")],
    "with a tab after ;": lambda v: [v.replace("; ", ";\t")],
    "in quotes": lambda v: [v.replace("multipart/form-data", '"multipart/form-data"')],
    "as a parameter": lambda v: [v.replace("multipart/form-data", "text/x; a=multipart/form-data")],
    "as multipart/mixed": lambda v: [v.replace("form-data", "mixed")],
    "with a prefix": lambda v: ["x-" + v],
    "with a suffix": lambda v: [v.replace("form-data", "form-data-x")],
    "with a boundary before": lambda v: [v.replace("; ", "; boundary=x; ", 1)],
    "with a boundary behind": lambda v: [v + "; boundary=x"],
    "with a boundary continued": lambda v: [v.replace("; ", "; boundary=x; ", 1).replace(
        "boundary=", "boundary*0=").replace("boundary*0=x", "boundary=x")],
    "with BOUNDARY": lambda v: [v.replace("boundary", "BOUNDARY")],
    "without a boundary": lambda v: [v.partition(";")[0]],
}
BODIES = {
    "name unquoted": named(b"name=policy"), "name in single quotes": named(b"name='policy'"),
    "NAME": named(b'NAME="policy"'), "name extended": named(b"name*=utf-8''policy"),
    "name escaped": named(b'name="pol\\icy"'), "name in capitals": named(b'name="POLICY"'),
    "name with a blank": named(b'name="policy "'), "filename first": named(
        b'filename="x"; name="policy"'), "filename last": named(b'name="policy"; filename="x"'),
    "two names": named(b'name="x"; name="policy"'), "two names, turned": named(
        b'name="policy"; name="x"'), "blanks around =": named(b'name = "policy"'),
    "name behind a form feed": hidden(b'name=\x0c"policy"'),
    "name before a vertical tab": hidden(b'name="policy"\x0b'),
    "a name behind a vertical tab": hidden(b'name="no-policy"; \x0bname="policy"'),
    "a line behind a vertical tab": hidden(
        b'name="no-policy"\r\n\x0bContent-Disposition: form-data; name="policy"'),
    "name continued": hidden(b'name="no-policy"; name*0="policy"'),
    "name continued and encoded": hidden(b"name=\"no-policy\"; name*0*=utf-8''policy"),
    "name in a file's": hidden(b'name="no-policy"; filename="y; name=policy"'),
    "a folded disposition": named(b'\r\n name="policy"'),
    "a second disposition": named(b'name="x"\r\nContent-Disposition: form-data; name="policy"'),
    "a disposition with a blank": lambda t: t.replace(b"Content-Disposition:",
                                                      b"Content-Disposition :"),
    "LF alone": lambda t: t.replace(b"\r\n", b"\n"),
    "LF alone in heads": lambda t: t.replace(b'name="policy"\r\n\r\n', b'name="policy"\n\n'),
    "a preamble": lambda t: b"x\r\n" + t, "a line before": lambda t: b"\r\n" + t,
    "blanks behind the boundary": lambda t: t.replace(b"\r\nContent-D", b" \t\r\nContent-D", 1),
    "the file first": file_first, "an empty policy first": first_field(b"policy", b""),
    "another policy first": first_field(b"policy", b"e30="),
    "another key first": first_field(b"AWSAccessKeyId", b"AKOTHER"),
    "a quoted-printable policy": quoted_printable,
    "a field bucket": first_field(b"bucket", b"other"),
    "an empty field first": first_field(b"x", b""), "no name first": first_field(b"", b"x"),
    "a closing boundary first": lambda t: b"--" + boundary_of(t) + b"--\r\n" + t,
}
# Sent to the attacker's own bucket: nothing may be there twice that only one of two readers takes.
TWICE = {
    "policy": first_field(b"policy", b"e30="), "key": first_field(b"key", b"other"),
    "x-amz-credential": first_field(b"x-amz-credential", b"AKBOB/20200101/us-east-1/s3/x"),
    "x-amz-signature": first_field(b"x-amz-signature", b"0" * 64),
    "x-amz-algorithm": first_field(b"X-Amz-Algorithm", b"AWS4-HMAC-SHA256"),
    "x-amz-date": first_field(b"x-amz-date", b"20200101T000000Z"),
}


def signed_form(path, presigned):
    """A request that is signed, and is a form as well."""
    def run(world):
        fields, text = post_form(world.attacker, world.mine, "form", BODY)
        raw = path.format(**vars(world))
        if presigned:
            return world.send("POST", world.attacker.presigned("POST", raw), fields, text)
        target, signed = world.attacker.signed("POST", raw, (), fields[1:], text)
        return world.send("POST", target, signed, text)
    return run


def without_policy(path):
    def run(world):
        text = (b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nform\r\n--b\r\n'
                b'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n')
        return world.send("POST", path.format(**vars(world)), [
            *world.host, ("Content-Type", "multipart/form-data; boundary=b")], text)
    return run


def forms():
    yield from (Attack(f"form {name}", form(head=head), REFUSED | {405, 411, 501})
                for name, head in TYPES.items())
    yield from (Attack(f"form with {name}", form(body=body)) for name, body in BODIES.items())
    yield from (Attack(f"form with {name} twice", form(path="/{mine}", bucket="mine", body=body))
                for name, body in TWICE.items())
    for path in ("/{secret}/form", "/{secret}/", "/{secret}?x=", "/{secret}?uploads", "/",
                 "//{secret}", "/{secret}?delete", "/{secret}/form?select&select-type=2",
                 "/{mine}/../{secret}"):
        yield Attack(f"form to {path}", form(path=path), REFUSED | {404, 405, 411, 501})
    yield Attack("form by a key that the node does not know", form(by="stranger"))
    yield Attack("form with a wrong secret", form(path="/{mine}", bucket="mine", secret="wrong"))
    yield Attack("form past its time", form(path="/{mine}", bucket="mine", expires=-60))
    yield Attack("form for the other bucket", form(path="/{secret}", bucket="mine"))
    for path in ("/{mine}", "/{secret}"):
        yield Attack(f"form without a policy to {path}", without_policy(path))
    for path in ("/{mine}", "/{mine}/form"):
        yield Attack(f"form with a signed header to {path}", signed_form(path, False))
        yield Attack(f"form to a presigned {path}", signed_form(path, True))
    yield Attack("form with a token", form(path="/{mine}", bucket="mine",
                                           add=[("X-Auth-Token", "AUTH_rgwtk00")]))
    yield Attack("form on a PUT", plain("PUT", "/{secret}/form", [
        ("Content-Type", "multipart/form-data; boundary=b")], b"--b--"))


# --- the protocol beside S3 ---------------------------------------------------------------------

def with_token(method, path, headers=(), name="X-Auth-Token", body=b""):
    def run(world):
        fields = [(name, world.swift_token), *headers]
        return world.send(method, path.format(**vars(world)), [*world.host, *fields], body)
    return run


def signed_and_token(world):
    """Signed for the attacker's own bucket; the token is good for more."""
    return world.signed("GET", f"/{world.mine}/own",
                        add=[("X-Auth-Token", world.swift_token)])


def temporary_url(method, key, spell=lambda query: query):
    def run(world):
        path = f"/swift/v1/{world.secret}/{key}"
        until = int(time.time()) + 300
        # The gateway signs the path without its prefix.
        text = f"{method}\n{until}\n/v1/{world.secret}/{key}"
        digest = hmac.new(URL_KEY.encode(), text.encode(), hashlib.sha1).hexdigest()
        query = spell(f"temp_url_sig={digest}&temp_url_expires={until}")
        return world.send(method, f"{path}?{query}", world.host, BODY if method == "PUT" else b"")
    return run


def swift_form(world):
    """A browser's upload by that protocol: its signature is in a field of the form."""
    path, until = f"/v1/{world.secret}/", int(time.time()) + 300
    text = f"/swift{path}\n\n1000\n1\n{until}"
    digest = hmac.new(URL_KEY.encode(), text.encode(), hashlib.sha1).hexdigest()
    fields = {"redirect": "", "max_file_size": "1000", "max_file_count": "1",
              "expires": str(until), "signature": digest}
    head = '--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    body = "".join(head % field for field in fields.items()) + (
        '--b\r\nContent-Disposition: form-data; name="file1"; filename="form"\r\n\r\n'
        "x\r\n--b--\r\n")
    return world.send("POST", f"/swift{path}", [
        *world.host, ("Content-Type", "multipart/form-data; boundary=b")], body.encode())


def swift():
    user = [("X-Auth-User", SWIFT_USER), ("X-Auth-Key", SWIFT_SECRET)]
    storage = [("X-Storage-User", SWIFT_USER), ("X-Storage-Pass", SWIFT_SECRET)]
    for name, headers in (("X-Auth-User", user), ("X-Storage-User", storage),
                          ("X_Auth_User", [(n.replace("-", "_"), v) for n, v in user])):
        for path in ("/auth/v1.0", "/auth/1.0", "/auth/v1", "/auth"):
            yield Attack(f"Swift token by {name} from {path}", plain("GET", path, headers),
                         origins=RGW, leaks=TOKEN_LEAKS)
    secret = "/swift/v1/{secret}"
    for name, run in (
            ("reads", with_token("GET", secret + "/k")),
            ("lists", with_token("GET", secret)), ("lists all", with_token("GET", "/swift/v1")),
            ("writes", with_token("PUT", secret + "/new", body=BODY)),
            ("copies", with_token("PUT", "/swift/v1/{mine}/c", [("X-Copy-From", "/{secret}/k")])),
            ("deletes", with_token("DELETE", secret + "/shown")),
            ("publishes", with_token("POST", secret, [("X-Container-Read", ".r:*")])),
            ("reads by x-auth-token", with_token("GET", secret + "/k", name="x-auth-token")),
            ("reads by X_Auth_Token", with_token("GET", secret + "/k", name="X_Auth_Token")),
            ("reads by x-auth_token", with_token("GET", secret + "/k", name="x-auth_token")),
            ("reads by S3's path", with_token("GET", "/{secret}/k")),
            ("beside a signature", signed_and_token)):
        yield Attack(f"Swift token {name}", run, REFUSED, RGW, TOKEN_LEAKS)
    # The name of no field: it is dropped, and the gateway asks who it is.
    yield Attack("Swift token reads by HTTP_X_AUTH_TOKEN", with_token(
        "GET", secret + "/k", name="HTTP_X_AUTH_TOKEN"), REFUSED | {401}, RGW, TOKEN_LEAKS)
    for method, key in (("GET", "k"), ("HEAD", "k"), ("PUT", "new"), ("DELETE", "k")):
        yield Attack(f"Swift URL, {method}", temporary_url(method, key), origins=RGW)
    for name, spell in (("with = encoded", lambda q: q.replace("=", "%3D")),
                        ("in capitals", str.upper), ("in part", lambda q: q.partition("&")[0]),
                        ("with _ encoded", lambda q: q.replace("_", "%5F")),
                        ("turned", lambda q: "&".join(reversed(q.split("&"))))):
        yield Attack(f"Swift URL, {name}", temporary_url("GET", "k", spell), origins=RGW)
    yield Attack("Swift form", swift_form, REFUSED, RGW)
    yield Attack("Swift form without a signature", without_policy("/swift/v1/{secret}/f"),
                 REFUSED | {401, 404, 405}, RGW)


# --- tokens by other services -------------------------------------------------------------------

def assume_role(world):
    """MinIO's and the gateway's STS answer at the root, signed for the service "sts"."""
    body = b"Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam:::role/x&RoleSessionName=s"
    client = world.smuggler
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{date[:8]}/us-east-1/sts/aws4_request"
    digest = hashlib.sha256(body).hexdigest()
    headers = [*world.origin_host, ("x-amz-date", date), ("x-amz-content-sha256", digest)]
    names = ["host", "x-amz-content-sha256", "x-amz-date"]
    canonical = sigv4.canonical_request("POST", "/", [], headers, names, digest)
    value = (f"AWS4-HMAC-SHA256 Credential={client.key[0]}/{scope}, SignedHeaders="
             f"{';'.join(names)}, Signature="
             f"{sigv4.signature(client.key[1], scope, date, canonical)}")
    return world.send("POST", "/", [
        *headers, ("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", value)],
        body)


def tokens():
    yield Attack("STS AssumeRole", assume_role, REFUSED, BOTH, TOKEN_LEAKS)
    for action, more in (("AssumeRoleWithWebIdentity", "&WebIdentityToken=eyJh.b.c"),
                         ("AssumeRoleWithClientGrants", "&Token=eyJh.b.c"),
                         ("AssumeRoleWithLDAPIdentity", "&LDAPUsername=a&LDAPPassword=b"),
                         ("AssumeRoleWithCertificate", "")):
        query = f"Action={action}&Version=2011-06-15{more}"
        yield Attack(f"STS {action}", plain("POST", "/?" + query),
                     REFUSED | {405, 501, 503}, BOTH, TOKEN_LEAKS)
        yield Attack(f"STS {action} as a form", plain("POST", "/", [
            ("Content-Type", "application/x-www-form-urlencoded")], query.encode()),
            REFUSED | {405, 411, 501, 503}, BOTH, TOKEN_LEAKS)
    yield Attack("MinIO's console token", plain("GET", "/{secret}/k", [
        ("Authorization", "Bearer eyJh.b.c")]), REFUSED, MINIO)
    yield Attack("MinIO's metrics", plain("GET", "/minio/v2/metrics/cluster"),
                 REFUSED | {404}, MINIO)


ATTACKS = [*spellings(), *fields(), *forms(), *swift(), *tokens()]
