"""Secrets stay in the process, and the admin port changes nothing for strangers."""
import http.client
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest
import yaml
from conftest import ALICE, SCRIPT, credentials_of
from node import MIB, Node, binary, clean_environment, wait_until
from s3_semantics import Answer
from scripted_origin import Script

NOBODY = 65534
TOKEN = "e2e-token-0123456789"


def said(node):
    """All that a node says of itself."""
    return node.log() + "".join(node.admin_get(path)[1] for path in
                                ("/metrics", "/status.json", "/", "/healthz"))


# --- logs, metrics, errors ------------------------------------------------------------------------


@pytest.mark.parametrize("location", [
    "http://elsewhere.example/bucket/key?X-Amz-Signature=HUSH&X-Amz-Security-Token=HUSH",
    "http://AKSCRIPT:HUSH@elsewhere.example/bucket/key",
    "http://elsewhere.example?Signature=HUSH",
    "/bucket/key?X-Amz-Signature=HUSH",
    "http://X-Amz-Signature=HUSH",
])
def test_a_redirect_is_logged_by_its_host(scripted, node, location):
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    scripted.on(Script(answer=Answer(301, [("Location", location)], b""), expect="final"))
    for path in ("/bucket/key", "/bucket/key%3FX-Amz-Signature=HUSH"):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.s3_port, timeout=30)
        connection.request("GET", path)
        assert connection.getresponse().status >= 400
    assert client.get("/bucket/key").status == 503
    wait_until(lambda: "origin.redirect_hosts" in proxy.log(), what="the warning")
    text = said(proxy)
    assert "HUSH" not in text
    assert ("elsewhere.example" in proxy.log()) == ("elsewhere.example" in location)


def test_a_presigned_url_that_was_encoded_twice_is_not_logged_whole(scripted, node):
    proxy = node(scripted)
    for name in ("X-Amz-Signature", "x-amz-signature", "Signature", "X-Amz-Security-Token",
                 "temp_url_sig"):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.s3_port, timeout=30)
        connection.request("GET", f"/bucket/key%3F{name}=HUSH%26Expires=1")
        connection.getresponse().read()
    wait_until(lambda: proxy.log().count("key=key") == 5, what="the access log")
    assert "HUSH" not in said(proxy)


# --- files --------------------------------------------------------------------------------------


def check(node, environment=None):
    return subprocess.run(
        [binary(), "serve", "--config", str(node.config_file), "--check-config"], text=True,
        capture_output=True, timeout=30, env={**clean_environment(), **(environment or {})})


def passthrough_config(**fill_credentials):
    return {"auth": {"mode": "passthrough", "credentials_file": None},
            "origin": {"fill_credentials": fill_credentials}}


@pytest.mark.parametrize("mode, good", [(0o600, True), (0o640, True), (0o644, False),
                                        (0o660, False), (0o604, False)])
def test_a_configuration_with_a_secret_that_others_can_read(scripted, node, mode, good):
    proxy = node(scripted, passthrough_config(source="static", access_key="AKNODE",
                                              secret_key="HUSH"), start=False)
    proxy.config_file.chmod(mode)
    done = check(proxy)
    assert (done.returncode == 0) == good, done.stderr
    assert "HUSH" not in done.stderr + done.stdout
    if not good:
        assert "origin.fill_credentials.secret_key" in done.stderr
        assert f"{proxy.config_file}:" in done.stderr and "chmod 0600" in done.stderr


def test_a_readable_configuration_is_fine_without_secrets(scripted, node):
    proxy = node(scripted, passthrough_config(source="static"), start=False)
    proxy.config_file.chmod(0o644)
    done = check(proxy, {"FOREBAY_ORIGIN_FILL_CREDENTIALS_ACCESS_KEY": "AKNODE",
                         "FOREBAY_ORIGIN_FILL_CREDENTIALS_SECRET_KEY": "HUSH"})
    assert done.returncode == 0, done.stderr


# --- memory -------------------------------------------------------------------------------------


@pytest.fixture
def nobodys_node(scripted):
    """nobodys_node(config) starts one as a user that is not root, in a folder of its own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="forebay-secrets-"))
    folder.chmod(0o755)
    made = []

    def make(config=None):
        program = folder / "forebay"
        shutil.copy(binary(), program)
        program.chmod(0o755)
        proxy = Node(folder / "node", scripted.endpoint, credentials_of(ALICE, SCRIPT), config)
        for path in (proxy.folder, proxy.config_file, proxy.credentials_file):
            os.chown(path, NOBODY, NOBODY)
        proxy.launcher = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                          "sh", "-c", f'shift; exec "{program}" "$@"', "sh"]
        made.append(proxy)
        return proxy.start()

    yield make
    for proxy in made:
        proxy.check()
        proxy.stop()
    shutil.rmtree(folder)


def as_nobody(*command):
    done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                           *command], capture_output=True, timeout=30)
    return done.returncode


@pytest.mark.parametrize("allowed", [False, True])
def test_the_memory_is_closed_to_the_same_user(nobodys_node, scripted, allowed):
    scripted.put("bucket", "key", bytes(5 * MIB))
    proxy = nobodys_node({"runtime": {"core_dumps": allowed}})
    process = f"/proc/{proxy.process.pid}"
    owner = os.stat(f"{process}/environ").st_uid
    assert owner == (NOBODY if allowed else 0)
    readable = as_nobody("cat", f"{process}/environ") == 0
    assert readable == allowed
    assert ("core file" in proxy.log()) == allowed, "a warning"
    # What the process reads of itself still works, and so does the disk.
    metrics = proxy.metrics()
    for name in ("process_open_fds", "process_resident_memory_bytes", "process_start_time_seconds"):
        assert metrics.value(name) > 0, name
    client = proxy.client(SCRIPT)
    for cache in ("miss", "hit"):
        reply = client.get("/bucket/key")
        assert (reply.status, reply.header("x-forebay-cache")) == (200, cache)
        proxy.settle()


def test_no_core_is_written(scripted, node):
    """WCOREDUMP is what the kernel says, wherever core_pattern sends the file."""
    proxy = node(scripted, start=False)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    proxy.start()
    process, proxy.process = proxy.process, None
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)
    assert not list(proxy.folder.glob("core*"))


# --- the admin port -----------------------------------------------------------------------------


def write_token(path, token=TOKEN, mode=0o600):
    fresh = path.with_suffix(".new")
    fresh.touch(0o600)
    fresh.write_text(token + "\n")
    fresh.chmod(mode)
    fresh.replace(path)
    return path


def admin_node(node, scripted, address="0.0.0.0", token_file=None):
    proxy = node(scripted, start=False)
    listen = {**proxy.config["listen"], "admin": f"{address}:{proxy.admin_port}"}
    if token_file is not None:
        listen["admin_token_file"] = str(token_file)
    proxy.config["listen"] = listen
    proxy.config_file.write_text(yaml.safe_dump(proxy.config))
    return proxy.start()


def raw_purge(proxy, fields=(), host=None, method="POST"):
    host = host or f"127.0.0.1:{proxy.admin_port}"
    lines = [f"{method} /purge?bucket=bucket&prefix= HTTP/1.1", f"Host: {host}",
             "Content-Length: 0", "Connection: close", *fields]
    with socket.create_connection(("127.0.0.1", proxy.admin_port), 10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer.decode()


def purge(proxy, *options):
    return subprocess.run([binary(), "purge", "s3://bucket", *options], text=True,
                          capture_output=True, timeout=30, env=clean_environment())


def test_without_a_token_only_loopback_changes_state(scripted, node):
    proxy = admin_node(node, scripted)
    assert "listen.admin_token_file is not set" in proxy.log()
    status, answer = raw_purge(proxy)
    assert status == 403 and '{"error":"refused: listen.admin is not bound to loopback' in answer
    done = purge(proxy, "--admin", f"127.0.0.1:{proxy.admin_port}")
    assert done.returncode == 1 and "not bound to loopback" in done.stderr
    assert proxy.admin_get("/metrics")[0] == 200
    local = node(scripted)
    assert "admin_token_file" not in local.log()
    assert raw_purge(local)[0] == 200
    for name in ("127.0.0.1", "localhost"):
        done = purge(local, "--admin", f"{name}:{local.admin_port}")
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1"])
def test_the_token_is_needed_where_there_is_one(scripted, node, tmp_path, address):
    token_file = write_token(tmp_path / "token")
    proxy = admin_node(node, scripted, address, token_file)
    assert raw_purge(proxy)[0] == 401
    assert raw_purge(proxy, ["Authorization: Bearer " + TOKEN[:-1] + "x"])[0] == 401
    assert raw_purge(proxy, ["Authorization: Bearer " + TOKEN])[0] == 200
    admin = f"127.0.0.1:{proxy.admin_port}"
    done = purge(proxy, "--admin", admin)
    assert done.returncode == 1 and "listen.admin_token_file" in done.stderr
    for options in (["--admin", admin, "--token-file", token_file],
                    ["--config", proxy.config_file]):
        done = purge(proxy, *map(str, options))
        assert done.returncode == 0, done.stderr
    write_token(token_file, "another-token-0123456789")
    wait_until(lambda: raw_purge(proxy, ["Authorization: Bearer another-token-0123456789"])[0]
               == 200, what="the new token")
    assert raw_purge(proxy, ["Authorization: Bearer " + TOKEN])[0] == 401
    write_token(token_file, mode=0o644)
    wait_until(lambda: "the token read before stays" in proxy.log(), what="the refusal")
    assert raw_purge(proxy, ["Authorization: Bearer another-token-0123456789"])[0] == 200
    assert "token-0123" not in said(proxy)


def test_pages_of_other_sites_change_nothing(scripted, node):
    proxy = node(scripted)
    own = f"http://127.0.0.1:{proxy.admin_port}"
    assert raw_purge(proxy, [f"Origin: {own}"])[0] == 200
    for origin in ("http://evil.example", "null", f"http://localhost:{proxy.admin_port}",
                   "http://127.0.0.1:80", own + ".evil.example"):
        assert raw_purge(proxy, [f"Origin: {origin}"])[0] == 403, origin
    for host in ("evil.example", f"evil.example:{proxy.admin_port}", "localhost.evil.example",
                 "127.0.0.1.nip.io", "2130706433"):
        assert raw_purge(proxy, host=host)[0] == 403, host
    for host in ("localhost", f"[::1]:{proxy.admin_port}", "10.0.0.7"):
        assert raw_purge(proxy, host=host)[0] == 200, host
