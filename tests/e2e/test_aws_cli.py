"""The aws command line against a node, as people use it."""
import json
import os
import subprocess
import sys

import pytest
from compare import pattern
from conftest import ALICE
from node import MIB


@pytest.fixture
def aws(rgw, node, tmp_path):
    """aws(arguments...) runs the command line through a node; its standard output."""
    proxy = node(rgw)

    def run(*arguments, endpoint=proxy.endpoint, check=True):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": ALICE[0],
                       "AWS_SECRET_ACCESS_KEY": ALICE[1], "AWS_DEFAULT_REGION": "us-east-1",
                       "AWS_CONFIG_FILE": str(tmp_path / "config")}
        program = os.path.join(os.path.dirname(sys.executable), "aws")
        done = subprocess.run([program, "--endpoint-url", endpoint, *arguments], text=True,
                              capture_output=True, env=environment, timeout=120, cwd=tmp_path)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if check else done
    run.proxy = proxy
    return run


def test_cp_up_and_down(aws, bucket, tmp_path):
    for name, size in (("empty", 0), ("small", 1000), ("large", 30 * MIB + 7)):
        (tmp_path / name).write_bytes(pattern(size, name))
        aws("s3", "cp", name, f"s3://{bucket}/dir/{name}")
        for turn in range(2):
            aws("s3", "cp", f"s3://{bucket}/dir/{name}", f"back{turn}")
            assert (tmp_path / f"back{turn}").read_bytes() == pattern(size, name)
    assert aws("s3", "ls", f"s3://{bucket}/dir/").count("\n") == 3
    aws("s3", "rm", "--recursive", f"s3://{bucket}/dir/")
    assert "Contents" not in json.loads(aws("s3api", "list-objects-v2", "--bucket", bucket) or "{}")


def test_sync(aws, bucket, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for n in range(8):
        (source / f"file {n}").write_bytes(pattern(n * MIB + n, n))
    aws("s3", "sync", "source", f"s3://{bucket}/tree")
    aws("s3", "sync", f"s3://{bucket}/tree", "copy")
    for file in source.iterdir():
        assert (tmp_path / "copy" / file.name).read_bytes() == file.read_bytes()
    assert aws("s3", "sync", f"s3://{bucket}/tree", "copy") == "", "nothing is left to copy"


def test_s3api_says_the_same_directly_and_through(aws, bucket, rgw, tmp_path):
    (tmp_path / "body").write_bytes(pattern(6 * MIB))
    aws("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", "body", "--metadata",
        "colour=blue", "--content-type", "text/x-odd")
    for arguments in (["head-object", "--key", "k"], ["list-objects-v2"],
                      ["get-object", "--key", "k", "out"],
                      ["get-object", "--key", "k", "--range", "bytes=5-9", "out"],
                      ["get-object", "--key", "k", "--if-none-match", '"x"', "out"],
                      ["get-object-acl", "--key", "k"], ["get-bucket-location"]):
        command = ["s3api", arguments[0], "--bucket", bucket, *arguments[1:]]
        direct, outputs = aws(*command, endpoint=rgw.endpoint), []
        for _ in range(2):
            outputs.append(aws(*command))
        assert outputs == [direct, direct], command
    assert (tmp_path / "out").read_bytes() == pattern(6 * MIB)


def test_presign(aws, bucket, tmp_path):
    import urllib.request
    (tmp_path / "body").write_bytes(pattern(5 * MIB))
    aws("s3", "cp", "body", f"s3://{bucket}/a key")
    url = aws("s3", "presign", f"s3://{bucket}/a key").strip()
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.read() == pattern(5 * MIB)


def test_a_missing_object(aws, bucket):
    done = aws("s3", "cp", f"s3://{bucket}/none", "-", check=False)
    assert done.returncode != 0 and "404" in done.stderr
