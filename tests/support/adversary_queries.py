"""Attacks by query parameters: presigned URLs bent from what they were made for."""
from adversary import BAD, DENIED, LEAKS, REFUSED, Attack
from aws_chunked import presign_v2
from sigv4 import encode

BODY = b"by an attacker"
GRANTEE = (b'<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="%b">'
           b"%b</Grantee>")
ACL = (b'<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>alice</ID>'
       b"</Owner><AccessControlList><Grant>"
       + GRANTEE % (b"Group", b"<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>")
       + b"<Permission>READ</Permission></Grant><Grant>"
       + GRANTEE % (b"CanonicalUser", b"<ID>alice</ID>")
       + b"<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>")
PUBLIC_POLICY = b"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",\
"Action":"s3:*","Resource":"arn:aws:s3:::*"}]}"""
# Names that are none once decoded, and what one server or another makes of them.
UNCLEAN = ["acl%3D", "acl%3D%3D", "%61cl%3D", "acl%3Dx", "acl%00", "acl%0A", "acl%0D", "acl%09",
           "acl%26", "acl%2B", "acl%7F", "x%26acl", "x%0Aacl", "x%3D1%26acl", "tagging%3D",
           "X-Amz-Acl%3Dpublic-read", "x-amz-acl%3Dpublic-read", "append%3D&position%3D0",
           "x-amz-copy-source%3D/{secret}/k"]
# What SigV2 does not sign, behind a URL for a PUT.
UNSIGNED = ["ACL", "Acl", "acl%20", "%20acl", "acl+", "+acl", "append&position=0", "append",
            "X-Amz-Acl=public-read", "X-AMZ-ACL=public-read", "x-Amz-acl=public-read",
            "X-Amz-Copy-Source=/{secret}/k", "X-Amz-Grant-Read=x", "X-Amz-Meta-A=b",
            "X-Amz-Tagging=a", "X-Amz-Storage-Class=REDUCED_REDUNDANCY", "UploadId=u&PartNumber=1",
            "VersionId=null", "content-type=text/html", "Content-Type=text/html",
            "content-md5=1B2M2Y8AsgTpgAmY7PhCfg==", "encryption", "rgwx-prepend-metadata=x",
            "rgwx-uid=alice", "multipart-manifest=put", "intelligent-tiering", "attributes",
            "renameObject", "x-forebay=1"]
# What SigV2 does sign: the signature is for another resource.
SIGNED = ["acl", "%61cl", "acl=", "tagging", "policy", "uploads", "uploadId=u&partNumber=1",
          "torrent", "versionId=null", "x-amz-acl=public-read", "x-amz-meta-a=b", "restore",
          "response-content-type=text/html"]
LISTED = ["policyStatus", "Policy", "POLICY", "policy%20", "publicAccessBlock", "encryption",
          "ownershipControls", "intelligent-tiering", "usage", "bucketinfo", "mdsearch",
          "syncstatus", "events=1", "notification%20", "X-Amz-Security-Token=t"]


def v2(method, path, add, *, query=(), body=b"", headers=()):
    """A V2 URL of the owner's with `add` behind it."""
    def run(world):
        target = presign_v2(world.owner, method, path.format(**vars(world)), query)
        return world.send(method, target + "&" + add.format(**vars(world)),
                          [*world.host, *headers], body)
    return run


def v4(method, path, add, *, body=b"", headers=()):
    def run(world):
        return world.presigned(method, path.format(**vars(world)), body=body, headers=headers,
                               add="&" + add.format(**vars(world)))
    return run


def behind_v2():
    shown = "/{secret}/shown"
    for add in UNCLEAN:
        yield Attack(f"V2 PUT&{add}", v2("PUT", shown, add, body=ACL), BAD)
    for add in UNSIGNED:
        yield Attack(f"V2 PUT&{add}", v2("PUT", shown, add, body=ACL), REFUSED)
    for add in SIGNED:
        yield Attack(f"V2 PUT&{add}", v2("PUT", shown, add, body=ACL), DENIED)
    for add in ("policy%3D", "%70olicy%3D", "acl%3D", "cors%3D", "lifecycle%3D", "versions%3D",
                "uploads%3D", "prefix%3D&policy%3D", "policyStatus%3D"):
        yield Attack(f"V2 list&{add}", v2("GET", "/{secret}", add), BAD)
    for add in LISTED:
        yield Attack(f"V2 list&{add}", v2("GET", "/{secret}", add), REFUSED)
    for add in ("policy%3D", "acl%3D", "cors%3D", "versioning%3D"):
        yield Attack(f"V2 make bucket&{add}", v2("PUT", "/{secret}", add, body=PUBLIC_POLICY), BAD)
    yield Attack("V2 POST&delete%3D", v2("POST", "/{secret}", "delete%3D", body=b"<Delete><Object>"
                 b"<Key>shown</Key></Object></Delete>"), REFUSED)
    yield Attack("V2 DELETE&versionId%3D", v2("DELETE", "/{versioned}/v",
                                              "versionId%3D{versions[0]}"), BAD)
    yield Attack("V2 DELETE&VersionId", v2("DELETE", "/{versioned}/v", "VersionId={versions[0]}"))
    for add in ("acl%3D", "response-content-type%3Dtext/html", "Response-Content-Type=text/html",
                "versionId%3Dnull", "partNumber%3D1", "torrent%3D"):
        yield Attack(f"V2 GET&{add}", v2("GET", shown, add))


def behind_v4():
    for add in ("acl", "acl%3D", "ACL", "X-Amz-Acl=public-read", "x-amz-acl=public-read", "append",
                "x-amz-copy-source=/{secret}/k", "versionId=null", "a;acl"):
        yield Attack(f"V4 PUT&{add}", v4("PUT", "/{secret}/shown", add, body=ACL))
    for name, value in (("x-amz-acl", "public-read"), ("X-AMZ-Copy-Source", "/{secret}/k"),
                        ("x-amz-tagging", "a=b"), ("x-amz-meta-a", "b")):
        yield Attack(f"V4 PUT and the field {name}",
                     v4("PUT", "/{secret}/shown", "x=", body=BODY, headers=[(name, value)]))
    for used, method in (("GET", "PUT"), ("GET", "DELETE"), ("HEAD", "GET"), ("PUT", "POST")):
        yield Attack(f"V4 {used} used for {method}", other_method(used, method), DENIED)
    yield Attack("V4 for another key", other_key, DENIED)


def other_method(used, method):
    def run(world):
        target = world.owner.presigned(used, f"/{world.secret}/k")
        return world.send(method, target, world.host, BODY if method != "GET" else b"")
    return run


def other_key(world):
    target = world.owner.presigned("GET", f"/{world.secret}/shown")
    return world.send("GET", target.replace("/shown?", "/k?"), world.host)


# --- twice, and unclean, in every form ----------------------------------------------------------

ODD_NAMES = ["a=b", "a&b", "a+b", "a\0b", "a\nb", "a\x7fb", "acl=", "&acl", "=", "a\x1fb"]


def odd_name_signed(name):
    def run(world):
        return world.signed("GET", f"/{world.secret}/shown", query=[(name, "1")], by=world.owner)
    return run


def odd_name_presigned(name):
    def run(world):
        return world.presigned("GET", f"/{world.secret}/shown", query=[(name, "")])
    return run


def odd_name_anonymous(name):
    def run(world):
        return world.send("GET", f"/{world.secret}/shown?{encode(name)}", world.host)
    return run


def twice_signed(pairs):
    def run(world):
        return world.signed("GET", f"/{world.versioned}/v", by=world.owner,
                            query=[(n, v.format(**vars(world))) for n, v in pairs])
    return run


def twice_signed_part(name):
    def run(world):
        pairs = [("partNumber", "1"), ("uploadId", world.upload)]
        pairs.append((name, dict(pairs)[name] if name == "uploadId" else "2"))
        return world.signed("PUT", f"/{world.secret}/parts", query=pairs, body=BODY, by=world.owner)
    return run


def twice_in_v4(name, value=None):
    """One of a URL's own parameters again, as it was or of another value."""
    def run(world):
        target = world.owner.presigned("GET", f"/{world.secret}/shown")
        given = dict(item.split("=") for item in target.partition("?")[2].split("&"))[name]
        return world.send("GET", f"{target}&{name}={value or given}", world.host)
    return run


def twice_in_v2(name, value=None):
    def run(world):
        target = presign_v2(world.owner, "GET", f"/{world.secret}/shown")
        given = dict(item.split("=") for item in target.partition("?")[2].split("&"))[name]
        return world.send("GET", f"{target}&{name}={value or given}", world.host)
    return run


def unclean():
    for name in ODD_NAMES:
        shown = encode(name)
        yield Attack(f"signed with the parameter {shown}", odd_name_signed(name), BAD)
        yield Attack(f"presigned with the parameter {shown}", odd_name_presigned(name), BAD)
        yield Attack(f"anonymous with the parameter {shown}", odd_name_anonymous(name), BAD)
    first, second = "{versions[0]}", "{versions[1]}"
    yield Attack("versionId twice",
                 twice_signed([("versionId", first), ("versionId", second)]), BAD)
    yield Attack("versionId twice, the same",
                 twice_signed([("versionId", first), ("versionId", first)]), BAD)
    yield Attack("partNumber twice", twice_signed([("partNumber", "1"), ("partNumber", "2")]), BAD)
    for name in ("response-content-type", "response-cache-control", "response-expires"):
        yield Attack(f"{name} twice", twice_signed([(name, "a"), (name, "b")]), BAD)
    for name in ("partNumber", "uploadId"):
        yield Attack(f"{name} twice in an upload", twice_signed_part(name), BAD)
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"):
        yield Attack(f"X-Amz-{name} twice", twice_in_v4(f"X-Amz-{name}"))
    yield Attack("X-Amz-Expires twice, longer", twice_in_v4("X-Amz-Expires", "604800"))
    yield Attack("x-amz-expires beside it", twice_in_v4_folded)
    for name in ("AWSAccessKeyId", "Expires", "Signature"):
        yield Attack(f"V2 {name} twice", twice_in_v2(name))
    yield Attack("V2 Expires twice, later", twice_in_v2("Expires", "99999999999"))
    yield Attack("V2 versionId twice", v2("GET", "/{versioned}/v", "versionId={versions[1]}",
                                          query=[("versionId", "null")]))


def twice_in_v4_folded(world):
    target = world.owner.presigned("GET", f"/{world.secret}/shown")
    return world.send("GET", target + "&x-amz-expires=604800", world.host)


# --- one string to sign, two meanings -----------------------------------------------------------

def merged_upload(world):
    """The string to sign holds values decoded: one value with "&" in it reads like two parameters.
    A URL for a part becomes one that overwrites the object."""
    target = presign_v2(world.owner, "PUT", f"/{world.secret}/parts",
                        [("partNumber", "1"), ("uploadId", world.upload)])
    given = f"partNumber=1&uploadId={encode(world.upload)}"
    assert given in target
    return world.send("PUT", target.replace(given, f"partNumber=1%26uploadId%3D"
                                            f"{encode(encode(world.upload))}"), world.host, BODY)


def merged_upload_decoded(world):
    target = presign_v2(world.owner, "PUT", f"/{world.secret}/parts",
                        [("partNumber", "1"), ("uploadId", world.upload)])
    given = f"partNumber=1&uploadId={encode(world.upload)}"
    return world.send("PUT", target.replace(given, "partNumber=" + encode(
        f"1&uploadId={world.upload}")), world.host, BODY)


def merged_version(world):
    """A URL for an old version shows the current one."""
    target = presign_v2(world.owner, "GET", f"/{world.versioned}/v",
                        [("response-content-type", "text/x"), ("versionId", world.versions[0])])
    given = f"response-content-type=text%2Fx&versionId={encode(world.versions[0])}"
    assert given in target
    return world.send("GET", target.replace(given, "response-content-type=" + encode(
        f"text/x&versionId={world.versions[0]}")), world.host)


def merged_fields(world):
    """Two signed fields become one parameter with a line break, and the second is gone."""
    fields = [("x-amz-acl", "private"), ("x-amz-storage-class", "STANDARD")]
    target = presign_v2(world.owner, "PUT", f"/{world.secret}/new", headers=fields)
    return world.send("PUT", target + "&x-amz-acl=" + encode(
        "private\nx-amz-storage-class:STANDARD"), world.host, BODY)


def added_by_line_break(world):
    """A line break in a value makes a field that was never sent look signed."""
    fields = [("x-amz-acl", "public-read"), ("x-amz-meta-a", "b")]
    target = presign_v2(world.owner, "PUT", f"/{world.secret}/new", headers=fields)
    return world.send("PUT", target + "&x-amz-acl=" + encode("public-read\nx-amz-meta-a:b"),
                      world.host, BODY)


def question_in_key(world):
    """The key "shown?acl" of a URL becomes a sub-resource of another object."""
    target = presign_v2(world.owner, "GET", f"/{world.secret}/shown?acl")
    return world.send("GET", target.replace("shown%3Facl?", "shown?acl&"), world.host)


def type_in_query(world):
    """A content type given twice, as a parameter and as a field."""
    target = presign_v2(world.owner, "PUT", f"/{world.secret}/new", [("content-type", "text/x")],
                        headers=[("content-type", "text/x")])
    return world.send("PUT", target, [*world.host, ("Content-Type", "text/html")], BODY)


def strings():
    yield Attack("V2 a part's URL overwrites the object", merged_upload_decoded)
    yield Attack("V2 the same, encoded twice", merged_upload)
    yield Attack("V2 an old version's URL shows the current one", merged_version,
                 leaks=(*LEAKS, b"version two"))
    yield Attack("V2 fields merged by a line break", merged_fields)
    yield Attack("V2 a field added by a line break", added_by_line_break)
    yield Attack("V2 a key becomes a sub-resource", question_in_key)
    yield Attack("V2 a content type in both places", type_in_query)


ATTACKS = [*behind_v2(), *behind_v4(), *unclean(), *strings()]
