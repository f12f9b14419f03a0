"""Fixtures: a real gateway, a scripted origin, nodes in front of either, and comparing clients."""
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import subprocess
import sys
import uuid

import pytest

SUPPORT = pathlib.Path(__file__).parents[1] / "support"
sys.path.insert(0, str(SUPPORT))

import minio as minio_module  # noqa: E402
import node as node_module  # noqa: E402
from node import Node, boto  # noqa: E402
from s3_client import S3Client  # noqa: E402
from scripted_origin import ScriptedOrigin  # noqa: E402

ALICE = ("AKALICE", "SKALICE", None)
BOB = ("AKBOB", "SKBOB", None)
SCRIPT = ("AKSCRIPT", "SKSCRIPT", None)


def pytest_addoption(parser):
    parser.addoption("--nightly", action="store_true", help="also the long ones")
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run")


def pytest_collection_modifyitems(config, items):
    kept = list(items)
    if not config.getoption("--nightly"):
        kept = [item for item in kept if item.get_closest_marker("nightly") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and exitstatus == 0 and reporter:
        if reporter.stats.get("skipped") or reporter.stats.get("xfailed"):
            session.exitstatus = 1


def pytest_terminal_summary(terminalreporter):
    """The differential suite: how many cases were the same, and how many of their reads were hits.
    A read is looked at cold, and hot twice."""
    tally = collections.Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            fields = dict(report.user_properties)
            if report.when != "call" or "differential" not in report.nodeid or "case" not in fields:
                continue
            where = fields["origin"], fields["mode"]
            tally[where, outcome] += 1
            tally[where, "hits"] += fields.get("hits", 0)
    if tally:
        terminalreporter.write_line("origin  mode         the same  different  hits")
    for where in sorted({where for where, _ in tally}):
        same, different, hits = (tally[where, what] for what in ("passed", "failed", "hits"))
        terminalreporter.write_line(f"{where[0]:7} {where[1]:12} {same:8}  {different:9}  {hits:4}")


class Rgw:
    """A Ceph gateway and its keys."""

    name = "RGW"
    alice = ALICE
    bob = BOB

    def __init__(self, folder):
        self.folder = folder
        self.endpoint = ""

    def script(self, command, *arguments):
        done = subprocess.run([SUPPORT / "rgw.sh", command, self.folder, *arguments], text=True,
                              stdout=subprocess.PIPE, check=True, timeout=300)
        return done.stdout.strip()

    def add_key(self, key, user="alice"):
        self.script("add-key", user, key[0], key[1])

    def remove_key(self, key):
        self.script("rm-key", key[0])

    def client(self, key=ALICE, **options):
        return S3Client(self.endpoint, key, **options)

    def boto(self, key=ALICE, **options):
        return boto(self.endpoint, key, **options)


@pytest.fixture(scope="session")
def rgw(tmp_path_factory):
    """One gateway for the whole run; FOREBAY_TEST_RGW names the folder of one already up."""
    running = os.environ.get("FOREBAY_TEST_RGW")
    gateway = Rgw(running or str(tmp_path_factory.mktemp("rgw")))
    if running:
        gateway.endpoint = pathlib.Path(running, "endpoint").read_text().strip()
        yield gateway
        return
    gateway.endpoint = gateway.script("up")
    yield gateway
    gateway.script("down")


@pytest.fixture(scope="session")
def minio(tmp_path_factory):
    """One MinIO server for the whole run."""
    server = minio_module.Minio(tmp_path_factory.mktemp("minio"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def fresh_bucket(origin):
    """A bucket of alice's; emptied afterwards, for the origin's memory is bounded."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3 = origin.boto()
    s3.create_bucket(Bucket=name)
    yield name

    def remove(version):
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            list(pool.map(remove, page.get("Versions", []) + page.get("DeleteMarkers", [])))


@pytest.fixture
def bucket(rgw):
    with fresh_bucket(rgw) as name:
        yield name


@pytest.fixture
def minio_bucket(minio):
    with fresh_bucket(minio) as name:
        yield name


@pytest.fixture
def scripted():
    with ScriptedOrigin() as origin:
        origin.make_bucket("bucket")
        yield origin
        assert origin.malformed == [], "the node sent what is no valid request"


def credentials_of(*keys):
    return [{"access_key": key[0], "secret_key": key[1]} for key in keys]


def end_node(node):
    """Stops it; what went wrong with it, as a list."""
    failures = []
    for step in (node.check, node.stop):
        try:
            step()
        except AssertionError as error:
            failures.append(str(error))
    node.slab_file.unlink(missing_ok=True)
    return failures


@pytest.fixture
def node(tmp_path, request):
    """node(origin, config=None, credentials=None, start=True) makes nodes and ends them."""
    made = []

    def make(origin, config=None, credentials=None, start=True, **options):
        endpoint = origin if isinstance(origin, str) else origin.endpoint
        if credentials is None:
            credentials = credentials_of(ALICE, BOB, SCRIPT, minio_module.ALICE, minio_module.BOB)
        fresh = Node(tmp_path / f"node{len(made)}", endpoint, credentials, config, **options)
        made.append(fresh)
        if start:
            fresh.start()
        return fresh

    yield make
    failures = [line for each in made for line in end_node(each)]
    report = getattr(request.node, "call_report", None)
    if failures or (report is not None and report.failed):
        for each in made:
            print(f"--- the end of {each.log_file}\n{each.log()[-6000:]}")
    assert not failures, "\n".join(failures)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A folder with cert.pem and key.pem for 127.0.0.1, and ca.pem, which clients trust."""
    folder = tmp_path_factory.mktemp("tls")
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    for options in (
            ["-subj", "/CN=Forebay tests", "-keyout", "ca.key", "-out", "ca.pem"],
            ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
             "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key",
             "-keyout", "key.pem", "-out", "cert.pem"]):
        subprocess.run([*request, *options], check=True, capture_output=True, cwd=folder)
    return folder


def tls_config(certificate):
    return {"listen": {"tls_certificate": str(certificate / "cert.pem"),
                       "tls_private_key": str(certificate / "key.pem")}}


@pytest.fixture
def threads():
    """threads(n, function) runs function(0) to function(n - 1) at once; the results, in order."""
    def run(count, function):
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(function, range(count)))
    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.call_report = report
    return report


@pytest.fixture(scope="session", autouse=True)
def binary_exists(request):
    needed = any("node" in item.fixturenames for item in request.session.items)
    if needed and not os.access(node_module.binary(), os.X_OK):
        pytest.exit(f"no daemon at {node_module.binary()}: build it or set FOREBAY_BIN", 2)
