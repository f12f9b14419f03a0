"""One Forebay node under test: configuration, start, stop, metrics, log."""
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import boto3
import yaml
from botocore.config import Config
from s3_client import S3Client

ROOT = pathlib.Path(__file__).parents[2]
# What no run of a node may leave in its log, whatever a test did to it.
FATAL = ("assertion failed", "AddressSanitizer", "ThreadSanitizer", "runtime error:",
         "LeakSanitizer", "terminate called")
MIB = 1 << 20
ports_given = set()
SAMPLE = re.compile(r'^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\]|\\.)*)"')


def binary():
    return os.environ.get("FOREBAY_BIN") or str(ROOT / "build" / "dev" / "forebay")


def clean_environment():
    """Ours without what the daemon would take for its settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}


def free_port():
    """Below the ephemeral range, so that no outgoing connection takes it before the node does."""
    while True:
        port = random.randrange(18000, 32000)
        if port in ports_given:
            continue
        ports_given.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, timeout=10.0, what="the condition", step=0.02):
    """Returns the first true result of `condition()`; fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(step)


def boto(endpoint, key, retries=1, **config):
    access_key, secret_key, *token = key
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=access_key,
        aws_secret_access_key=secret_key, aws_session_token=token[0] if token else None,
        verify=config.pop("verify", None),
        config=Config(**{"retries": {"total_max_attempts": retries}, "signature_version": "s3v4",
                         "max_pool_connections": 64, "s3": {"addressing_style": "path"}} | config))


class Metrics:
    """One scrape of /metrics."""

    def __init__(self, text):
        self.text = text
        self.samples = []  # (name, labels, value)
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = SAMPLE.match(line)
                if match is None:
                    raise AssertionError(f"no Prometheus sample: {line!r}")
                name, labels, value = match.groups()
                self.samples.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def value(self, metric, **labels):
        """The sum over all series of that name whose labels agree."""
        return sum(value for name, have, value in self.samples
                   if name == metric and labels.items() <= have.items())

    def names(self):
        return {name for name, _, _ in self.samples}


def merge(base, override):
    """Nested dictionaries, `override` first; None removes a key."""
    merged = dict(base)
    for key, value in override.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


class Node:
    """Made by the fixture `node`, which also ends it and looks for crashes in its log."""

    def __init__(self, folder, origin, credentials, config=None, scheme="http"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.s3_port, self.admin_port = free_port(), free_port()
        self.endpoint = f"{scheme}://127.0.0.1:{self.s3_port}"
        self.admin = f"http://127.0.0.1:{self.admin_port}"
        self.log_file = self.folder / "forebay.log"
        self.config_file = self.folder / "forebay.yaml"
        self.credentials_file = self.folder / "credentials.yaml"
        self.slab_file = self.folder / "slab0"
        self.config = merge({
            "listen": {"s3": f"127.0.0.1:{self.s3_port}", "admin": f"127.0.0.1:{self.admin_port}"},
            "origin": {"endpoint": origin, "region": "us-east-1"},
            "auth": {"mode": "verify", "credentials_file": str(self.credentials_file)},
            "cache": {"devices": [{"path": str(self.slab_file), "size": "512MiB"}]},
            "memory": {"pool_size": "128MiB"},
            "runtime": {"workers": 2},
        }, config or {})
        self.write_credentials(credentials)
        self.config_file.touch(0o600)
        self.config_file.write_text(yaml.safe_dump(self.config))
        self.process = None
        self.launcher = []  # what to start the daemon with, e.g. a seccomp filter
        self.environment = {}
        self.stderr = None  # a descriptor instead of the log file
        self.expect_exit = 0

    # --- life -------------------------------------------------------------------------------

    def write_credentials(self, credentials):
        text = yaml.safe_dump({"credentials": credentials})
        fresh = self.credentials_file.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_text(text)
        fresh.replace(self.credentials_file)

    def start(self, wait=True):
        assert self.process is None
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.launcher, binary(), "serve", "--config", str(self.config_file)],
                stdin=subprocess.DEVNULL, stdout=log, cwd=self.folder,
                stderr=log if self.stderr is None else self.stderr,
                env={**clean_environment(), **self.environment})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=30):
        wait_until(self._is_ready, timeout, f"the node to be ready\n{self.log()[-3000:]}", 0.01)

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the node ended with {self.process.returncode}:\n{self.log()}")
        try:
            return self.admin_get("/readyz")[0] == 200
        except OSError:
            return False

    def stop(self, timeout=20):
        """SIGTERM, and an exit in good order."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the node did not end within {timeout} s of SIGTERM") from None
        assert code == self.expect_exit, f"exit code {code}:\n{self.log()[-3000:]}"

    def kill(self):
        """kill -9."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def restart(self):
        self.stop()
        self.start()

    def check(self):
        """Called when the test is over: the node lives, and its log holds no crash."""
        text = self.log()
        found = [line for line in text.splitlines() if any(word in line for word in FATAL)]
        assert not found, "\n".join(found)
        if self.process is not None:
            assert self.process.poll() is None, \
                f"the node died with {self.process.returncode}:\n{text[-3000:]}"

    # --- what it says of itself -------------------------------------------------------------

    def admin_get(self, path, timeout=10):
        """(status, body as text)"""
        try:
            with urllib.request.urlopen(self.admin + path, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        status, text = self.admin_get("/metrics")
        assert status == 200, text
        return Metrics(text)

    def metric(self, name, **labels):
        return self.metrics().value(name, **labels)

    def origin_requests(self, reason=None):
        labels = {"reason": reason} if reason else {}
        return self.metric("forebay_origin_requests_total", **labels)

    def origin_bytes(self):
        """Body bytes that the origin sent."""
        return self.metric("forebay_origin_bytes_total", direction="in")

    def log(self):
        """What the node has logged; lines on their way to the file are waited for."""
        def is_written():
            try:
                return self.metric("forebay_log_waiting_bytes") == 0
            except (OSError, AssertionError):
                return True
        if self.process is not None and self.stderr is None:
            wait_until(is_written, what="the log to be written")
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def status_file(self, field):
        """A number from /proc/PID/status, e.g. VmHWM (KiB) or Threads."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+)", text, re.MULTILINE)[1])

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # --- clients ----------------------------------------------------------------------------

    def client(self, key, **options):
        return S3Client(self.endpoint, key, **options)

    def boto(self, key, **options):
        return boto(self.endpoint, key, **options)

    def settle(self, step=0.15):
        """Waits until no fill and no write is under way, and what was read has reached the disk."""
        last = None
        for _ in range(400):
            now = [(name, labels, value) for name, labels, value in self.metrics().samples
                   if name.startswith(("forebay_origin_", "forebay_cache_", "forebay_pool_"))]
            if now == last and self.metric("forebay_pool_pages", use="slot_write") == 0:
                return
            last = now
            time.sleep(step)
        raise AssertionError("the node did not come to rest")
