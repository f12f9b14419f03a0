"""What operators see and do: metrics, health, logs, purge, configuration errors, exit codes."""
import json
import re
import threading

import pytest
from compare import pattern
from conftest import ALICE, SCRIPT
from node import MIB, Metrics, wait_until
from operations import forebay
from scripted_origin import Script

SIZE = 9 * MIB


@pytest.fixture
def body(scripted):
    return scripted.put("bucket", "dir/key", pattern(SIZE)).body


@pytest.fixture
def proxy(scripted, node, body):
    return node(scripted)


def assert_well_formed(text):
    """Prometheus text exposition format 0.0.4."""
    metrics = Metrics(text)
    assert text.endswith("\n")
    kinds, helped, finished, current = {}, set(), set(), None
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds and kind in ("counter", "gauge", "histogram"), line
            kinds[name] = kind
        elif line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helped and len(line.split(" ", 3)[3]) > 3, line
            helped.add(name)
        elif line:
            sample = re.match(r"[a-z0-9_:]+", line)[0]
            base = re.sub(r"_(bucket|sum|count)$", "", sample)
            base = base if kinds.get(base) == "histogram" else sample
            assert base in kinds and base in helped, f"{line}: no TYPE or HELP before it"
            if base != current:
                assert base not in finished, f"{base}: its series are not together"
                finished.add(current)
                current = base
    for name, kind in kinds.items():
        assert name.startswith(("forebay_", "process_")), name
        assert kind != "counter" or name.endswith("_total"), name
    for name, labels, value in metrics.samples:
        if kinds.get(name) == "counter":
            assert value >= 0
    seen = [(name, tuple(sorted(labels.items()))) for name, labels, _ in metrics.samples]
    assert len(seen) == len(set(seen)), "a series twice"
    for name in [n for n, kind in kinds.items() if kind == "histogram"]:
        check_histogram(metrics, name)
    return metrics


def check_histogram(metrics, name):
    series = {}
    for sample, labels, value in metrics.samples:
        if sample == f"{name}_bucket":
            bound = float(labels["le"])
            rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
            series.setdefault(rest, []).append((bound, value))
    assert series
    for rest, buckets in series.items():
        counts = [count for _, count in sorted(buckets)]
        assert counts == sorted(counts) and max(buckets)[0] == float("inf"), (name, rest)
        assert counts[-1] == metrics.value(f"{name}_count", **dict(rest))


def test_metrics_are_well_formed_and_count(proxy, scripted):
    client = proxy.client(SCRIPT)
    client.get("/bucket/dir/key")
    client.get("/bucket/dir/key")
    client.get("/bucket/none")
    client.put("/bucket/new", b"x")
    metrics = assert_well_formed(proxy.admin_get("/metrics")[1])
    requests = "forebay_origin_requests_total"
    for reason in ("lookup", "fill", "prestage", "forward"):
        assert any(n == requests and labels.get("reason") == reason
                   for n, labels, _ in metrics.samples), reason
    # Every request that the origin saw is counted, once.
    assert metrics.value(requests) == len(scripted.requests)
    # A cold read of an object nobody has seen yet is the caller's own GET; the hit is a lookup.
    assert metrics.value(requests, reason="lookup") == 1
    assert metrics.value(requests, reason="forward") == len(scripted.requests) - 1
    assert metrics.value("forebay_origin_bytes_total", direction="in") == scripted.body_bytes()
    text = proxy.admin_get("/metrics")[1]
    assert not any(secret in text for secret in ("SKSCRIPT", "AKSCRIPT", "dir/key"))


def test_health_and_readiness(proxy):
    assert proxy.admin_get("/healthz")[0] == 200
    assert proxy.admin_get("/readyz")[0] == 200
    assert proxy.admin_get("/nothing")[0] == 404
    json.loads(proxy.admin_get("/status.json")[1])


def test_readiness_does_not_hang_on_the_origin(node):
    from node import free_port
    proxy = node(f"http://127.0.0.1:{free_port()}")
    assert proxy.admin_get("/readyz")[0] == 200


def test_readiness_ends_with_sigterm(proxy, scripted):
    gate = threading.Event()
    scripted.on(Script(hold_at=(MIB, gate)), method="GET")
    reader = threading.Thread(target=lambda: proxy.client(SCRIPT).get("/bucket/dir/key"))
    reader.start()
    wait_until(lambda: scripted.body_bytes() > 0, what="the read")
    proxy.process.terminate()

    def gone():
        try:
            return proxy.admin_get("/readyz")[0] != 200
        except OSError:
            return True
    wait_until(gone, 5, "readiness to end")
    gate.set()
    reader.join(20)
    proxy.stop()


def access_lines(proxy):
    return [line for line in proxy.log().splitlines() if " access: " in line]


def test_the_access_log(proxy, scripted):
    client = proxy.client(SCRIPT)
    replies = [client.get("/bucket/dir/key"), client.get("/bucket/dir/key"),
               client.get("/bucket/none"), client.put("/bucket/a b", b"xyz"),
               proxy.client(("NOBODY", "x", None)).get("/bucket/dir/key")]
    lines = wait_until(lambda: len(access_lines(proxy)) >= 5 and access_lines(proxy), 5, "5 lines")
    for reply, line in zip(replies, lines):
        assert reply.header("x-amz-request-id") in line
        assert f"status={reply.status}" in line and "bucket=bucket" in line
        assert re.search(r"ms=\d", line) and re.search(r"\bout=\d+", line)
    assert "key=dir/key" in lines[0] and "cache=miss" in lines[0] and "GetObject" in lines[0]
    assert f"out={SIZE}" in lines[1] and "cache=hit" in lines[1]
    assert "PutObject" in lines[3] and "in=3" in lines[3]
    text = proxy.log()
    assert not any(secret in text for secret in ("SKSCRIPT", "Signature", "AWS4-HMAC"))


def test_a_presigned_url_leaves_no_signature_in_the_log(proxy):
    client = proxy.client(SCRIPT)
    target = client.presigned("GET", "/bucket/dir/key")
    assert client.send("GET", target, [("Host", client.host)]).status == 200
    wait_until(lambda: access_lines(proxy), 5, "the line")
    assert "X-Amz-Signature" not in proxy.log()


def test_a_key_cannot_forge_a_log_line(proxy):
    client = proxy.client(SCRIPT)
    client.get("/bucket/a\nb\x1b[31m access: forged status=200")
    wait_until(lambda: access_lines(proxy), 5, "the line")
    assert len(access_lines(proxy)) == 1 and "\x1b" not in proxy.log()


def test_the_access_log_is_optional(scripted, node, body):
    proxy = node(scripted, {"log": {"access": False}})
    proxy.client(SCRIPT).get("/bucket/dir/key")
    proxy.stop()
    assert access_lines(proxy) == []


def test_request_ids_are_told_once_each(proxy, scripted):
    client = proxy.client(SCRIPT)
    seen = set()
    for path in ("/bucket/dir/key", "/bucket/dir/key", "/bucket/none", "/none/none"):
        reply = client.get(path)
        request_id = reply.header("x-amz-request-id")
        assert request_id and "," not in request_id and request_id not in seen
        assert reply.code is None or reply.xml("RequestId") == request_id
        seen.add(request_id)


def test_purge(proxy, scripted):
    scripted.put("bucket", "dir/other", pattern(SIZE, 2))
    scripted.put("bucket", "elsewhere", pattern(SIZE, 3))
    client = proxy.client(SCRIPT)
    keys = ("dir/key", "dir/other", "elsewhere")
    for key in keys:
        client.get(f"/bucket/{key}")
    proxy.settle()
    done = forebay(proxy, "purge", "s3://bucket/dir/")
    assert done.returncode == 0 and re.search(r"\d", done.stdout), done
    states = {key: client.get(f"/bucket/{key}").header("x-forebay-cache") for key in keys}
    assert states == {"dir/key": "miss", "dir/other": "miss", "elsewhere": "hit"}
    assert forebay(proxy, "purge", "s3://nobody/x").returncode == 0
    for wrong in ("bucket", "http://bucket/x", "s3://", ""):
        assert forebay(proxy, "purge", wrong).returncode != 0, wrong
    proxy.stop()
    assert forebay(proxy, "purge", "s3://bucket/").returncode != 0, "nobody is there"


def test_version_and_help(proxy):
    assert re.search(r"\d+\.\d+\.\d+", forebay(proxy, "version").stdout)
    for arguments in (["--help"], ["serve", "--help"], ["purge", "--help"]):
        done = forebay(proxy, *arguments)
        assert done.returncode == 0 and len(done.stdout) > 100
    for arguments in (["nonsense"], ["serve", "--nonsense"], ["serve"]):
        assert forebay(proxy, *arguments).returncode not in (0, -6, -11)


def check(proxy, text, **environment):
    """The outcome of --check-config for a configuration file of that text."""
    file = proxy.folder / "candidate.yaml"
    file.write_text(text)
    return forebay(proxy, "serve", "--config", str(file), "--check-config", environment=environment)


def valid(proxy):
    return f"""\
listen: {{ s3: 127.0.0.1:9000, admin: 127.0.0.1:9001, domains: [s3.forebay.internal] }}
origin: {{ endpoint: "http://127.0.0.1:7480", region: us-east-1 }}
auth: {{ mode: verify, credentials_file: {proxy.credentials_file} }}
cache: {{ devices: [ {{ path: slab0, size: 8GiB }} ], min_object_size: 4MiB }}
memory: {{ pool_size: 1GiB }}
"""


def test_the_configuration_of_the_manual_passes(proxy):
    done = check(proxy, valid(proxy))
    assert done.returncode == 0, done.stderr
    assert not (proxy.folder / "slab0.new").exists()


@pytest.mark.parametrize("name, old, new, place, words", [
    ("unknown section", "memory:", "memroy:", "6:1|5:1", ["memroy", "memory"]),
    ("unknown key", "min_object_size", "min_objekt_size", "4:", ["min_objekt_size"]),
    ("a misspelt device", "path: slab0", "pfad: slab0", "4:", ["pfad", "path"]),
    ("no size", "1GiB", "lots", "5:22", ["pool_size", "lots"]),
    ("below the bound", "1GiB", "1MiB", "5:22", ["pool_size", "32"]),
    ("no enumeration value", "mode: verify", "mode: maybe", "3:", ["maybe", "verify"]),
    ("a list where a text belongs", "region: us-east-1", "region: [a, b]", "2:", ["region"]),
    ("a text where a map belongs", "memory: { pool_size: 1GiB }", "memory: 5", "5:", ["memory"]),
    ("no URL", "http://127.0.0.1:7480", "127.0.0.1:7480", "2:", ["endpoint", "http"]),
    ("no port", "s3: 127.0.0.1:9000", "s3: 127.0.0.1", "1:", ["listen.s3"]),
    ("a port out of range", "127.0.0.1:9000", "127.0.0.1:99000", "1:", ["listen.s3"]),
    ("the same key twice", "pool_size: 1GiB", "pool_size: 1GiB, pool_size: 2GiB", "5:",
     ["pool_size"]),
    ("no YAML", "memory: {", "memory: {{{", "", []),
    ("the same device twice", "[ { path: slab0, size: 8GiB } ]",
     "[ { path: slab0, size: 8GiB }, { path: slab0, size: 8GiB } ]", "4:", ["slab0"]),
])
def test_what_is_wrong_is_said_with_its_place(proxy, name, old, new, place, words):
    text = valid(proxy)
    assert old in text
    done = check(proxy, text.replace(old, new))
    said = done.stderr + done.stdout
    assert done.returncode not in (0, -6, -11), said
    assert re.search(rf"candidate\.yaml:({place})", said), said
    assert all(word in said for word in words), said


def test_all_errors_are_said_at_once(proxy):
    done = check(proxy, valid(proxy).replace("1GiB", "x").replace("4MiB", "y"))
    assert done.stderr.count("candidate.yaml:") >= 2


def test_the_environment_overrides(proxy):
    environment = {"FOREBAY_ORIGIN_ENDPOINT": "http://elsewhere:7480"}
    file = proxy.folder / "printed.yaml"
    file.write_text(valid(proxy))
    done = forebay(proxy, "serve", "--config", str(file), "--print-config",
                   environment=environment)
    assert "http://elsewhere:7480" in done.stdout and "127.0.0.1:7480" not in done.stdout
    done = check(proxy, valid(proxy), FOREBAY_MEMORY_POOL_SIZE="tiny")
    assert done.returncode != 0 and "FOREBAY_MEMORY_POOL_SIZE" in done.stderr


def test_print_config_is_a_configuration(proxy):
    done = forebay(proxy, "serve", "--print-config")
    assert done.returncode == 0
    for key in ("min_object_size", "pool_size", "endpoint", "credentials_file", "trigger"):
        assert key in done.stdout
    printed = done.stdout.replace("credentials.yaml", str(proxy.credentials_file))
    file = proxy.folder / "printed.yaml"
    file.write_text(printed)
    again = forebay(proxy, "serve", "--config", str(file), "--print-config")
    assert again.returncode == 0, again.stderr


def test_secrets_do_not_appear_in_errors(proxy):
    proxy.credentials_file.write_text(
        "credentials:\n  - { access_key: A, secret_key: [VERYSECRET], bogus: TOPSECRET }\n")
    done = check(proxy, valid(proxy))
    assert done.returncode != 0
    assert re.search(r"credentials\.yaml:\d+:\d+", done.stderr + done.stdout)
    assert "SECRET" not in done.stderr + done.stdout


def test_a_port_in_use_is_a_clear_error(proxy, scripted, node):
    second = node(scripted, {"listen": {"s3": f"127.0.0.1:{proxy.s3_port}"}}, start=False)
    second.start(wait=False)
    assert second.process.wait(20) > 0
    second.process = None
    assert str(proxy.s3_port) in second.log()


def test_the_start_says_what_memory_it_may_use(proxy):
    assert re.search(r"pool .*128", proxy.log()) and "client connections" in proxy.log()


def test_the_gateway_as_seen_by_the_access_log(rgw, bucket, node):
    proxy = node(rgw)
    client = proxy.client(ALICE)
    client.get(f"/{bucket}")
    client.head(f"/{bucket}/none")
    lines = wait_until(lambda: len(access_lines(proxy)) == 2 and access_lines(proxy), 5, "2 lines")
    assert "status=200" in lines[0] and "status=404" in lines[1]
