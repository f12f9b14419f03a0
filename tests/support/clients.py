"""The S3 clients that people use, each behind the same operations.

upload, download, download_range, list, copy, delete, make_bucket, remove_bucket, presign: what a
client cannot do stands in its `lacks`. What it fails with becomes a ClientError.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SUPPORT = pathlib.Path(__file__).parent
PYTHON_CLIENTS = SUPPORT.parent / "clients" / "python"
MIB = 1 << 20
EXTRAS = frozenset({"metadata", "checksum", "sync", "presign V2"})


class ClientError(Exception):
    """`code` as the client gives it: S3's own, or its word for it."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class NotInstalled(Exception):
    """The client cannot be had here; says why."""


def tool(name):
    """The path of a program of tests/clients/versions."""
    done = subprocess.run([SUPPORT / "tools.sh", name], text=True, capture_output=True)
    if done.returncode != 0:
        raise NotInstalled(f"tools.sh {name}: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def clean_environment(certificate):
    """Nothing of the user's settings, and one authority to trust where a node speaks TLS."""
    names = ("AWS_", "RCLONE_", "S3_", "MC_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    if certificate:
        for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
            environment[name] = str(certificate)
    return environment


class Client:
    """Subclasses name themselves and say what they cannot do."""

    name = ""
    lacks = frozenset()
    checksums = ()
    lacks_checksums_of_parts = ()
    # How often an object is read until all of it is cached; a first read of less than a block
    # does not fill it.
    reads_to_fill = 1
    # What they say in place of S3's code.
    own_words = {}

    def error_code(self, code):
        return self.own_words.get(code, code)


class Served(Client):
    """A library behind a program that answers lines of JSON; one process for all endpoints."""

    def __init__(self, certificate=None):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            text=True, env=clean_environment(certificate))

    def command(self):
        raise NotImplementedError

    def __getattr__(self, operation):
        return lambda **arguments: self._ask({"op": operation, **arguments})

    def _ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request, default=str) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.errors.seek(0)
            raise AssertionError(f"{self.name} died: {self.errors.read().decode()[-3000:]}")
        reply = json.loads(line)
        if "error" in reply:
            raise ClientError(reply["error"], reply["message"])
        return reply["ok"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Boto3(Served):
    name = "boto3"
    lacks = EXTRAS - {"metadata", "checksum", "presign V2"}
    checksums = ("CRC32", "SHA1", "SHA256")

    def command(self):
        return [sys.executable, PYTHON_CLIENTS / "boto3_client.py"]


class Boto3Crt(Boto3):
    name = "boto3[crt]"
    checksums = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")

    def command(self):
        return [tool("boto3-crt"), PYTHON_CLIENTS / "boto3_crt_client.py"]


class Boto3Debian(Boto3):
    name = "boto3 of Debian 12"

    def command(self):
        found = subprocess.run(["/usr/bin/python3", "-I", "-c", "import boto3"],
                               capture_output=True, text=True)
        if found.returncode != 0:
            raise NotInstalled(f"python3-boto3 is not installed: {found.stderr}")
        return ["/usr/bin/python3", "-s", PYTHON_CLIENTS / "boto3_client.py"]


class PyArrow(Served):
    name = "pyarrow"
    lacks = EXTRAS | {"presign"}
    own_words = {"NoSuchKey": "FileNotFoundError"}
    reads_to_fill = 2

    def command(self):
        return [tool("pyarrow"), PYTHON_CLIENTS / "pyarrow_client.py"]


class Obstore(Served):
    name = "obstore"
    lacks = EXTRAS - {"metadata", "checksum"} | {"bucket"}
    checksums = ("SHA256",)

    def command(self):
        return [tool("obstore"), PYTHON_CLIENTS / "obstore_client.py"]


class S3fs(Served):
    name = "s3fs"
    lacks = EXTRAS - {"metadata", "presign V2"}

    def command(self):
        return [tool("s3fs"), PYTHON_CLIENTS / "s3fs_client.py"]


class MinioGo(Served):
    name = "minio-go"
    lacks = EXTRAS - {"metadata", "checksum"}
    checksums = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")

    def command(self):
        return [tool("minio-go")]


class AwsSdkGo(Served):
    name = "aws-sdk-go-v2"
    lacks = EXTRAS - {"metadata", "checksum"}
    checksums = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")

    def command(self):
        return [tool("aws-sdk-go-v2")]


class AwsSdkJs(Served):
    name = "aws-sdk-js-v3"
    lacks = EXTRAS - {"metadata", "checksum"}
    checksums = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
    # MinIO refuses the parts of such an upload, with or without a node.
    lacks_checksums_of_parts = ("CRC64NVME",)

    def command(self):
        return [tool("node"), tool("aws-sdk-js-v3")]


class CommandLine(Client):
    """A program run once for each operation."""

    code_pattern = None

    def __init__(self, certificate=None):
        self.environment = clean_environment(certificate)
        self.folder = tempfile.TemporaryDirectory()
        self.program = self.find()

    def find(self):
        return tool(self.name)

    def connect(self, endpoint, access_key, secret_key):
        self.endpoint = endpoint
        self.environment |= {"AWS_ACCESS_KEY_ID": access_key, "AWS_DEFAULT_REGION": "us-east-1",
                             "AWS_SECRET_ACCESS_KEY": secret_key, "AWS_REGION": "us-east-1"}

    def run(self, *arguments, text=True):
        done = subprocess.run([self.program, *arguments], capture_output=True, timeout=120,
                              env=self.environment, cwd=self.folder.name)
        if done.returncode != 0:
            message = (done.stderr + done.stdout).decode()
            code = re.search(self.code_pattern, message)
            raise ClientError(code[code.lastindex] if code else f"exit code {done.returncode}",
                              message)
        return done.stdout.decode() if text else done.stdout

    def close(self):
        self.folder.cleanup()


class AwsCli(CommandLine):
    name = "aws CLI"
    lacks = frozenset()
    checksums = ("SHA256",)  # the code is boto3's, and each start of it takes a second
    code_pattern = r"An error occurred \((\w+)\) when calling"

    def find(self):
        return os.path.join(os.path.dirname(sys.executable), "aws")

    def s3(self, *arguments):
        return self.run("--endpoint-url", self.endpoint, "s3", *arguments)

    def s3api(self, operation, bucket, *arguments):
        return self.run("--endpoint-url", self.endpoint, "s3api", operation, "--bucket", bucket,
                        *arguments)

    def upload(self, bucket, key, path, part_size=None, checksum=None, metadata=None):
        options = ["--checksum-algorithm", checksum] if checksum else []
        for name, value in (metadata or {}).items():
            options += ["--metadata", f"{name}={value}"]
        self.s3("cp", path, f"s3://{bucket}/{key}", *options)

    def download(self, bucket, key, path):
        self.s3("cp", f"s3://{bucket}/{key}", path)

    def download_range(self, bucket, key, path, first, last):
        self.s3api("get-object", bucket, "--key", key, "--range", f"bytes={first}-{last}", path)

    def list(self, bucket, prefix):
        # Each line is a time, a size in ten columns, and the key.
        lines = self.s3("ls", "--recursive", f"s3://{bucket}/{prefix}").splitlines()
        return [re.match(r"\S+ \S+ +\d+ (.*)", line)[1] for line in lines]

    def copy(self, bucket, key, to):
        self.s3("cp", f"s3://{bucket}/{key}", f"s3://{bucket}/{to}")

    def delete(self, bucket, keys):
        if len(keys) == 1:
            self.s3("rm", f"s3://{bucket}/{keys[0]}")
        else:
            doomed = {"Objects": [{"Key": key} for key in keys]}
            self.s3api("delete-objects", bucket, "--delete", json.dumps(doomed))

    def make_bucket(self, bucket):
        self.s3("mb", f"s3://{bucket}")

    def remove_bucket(self, bucket):
        self.s3("rb", f"s3://{bucket}")

    def presign(self, bucket, key, version=None):
        settings = os.path.join(self.folder.name, "config")
        with open(settings, "w", encoding="ascii") as file:
            file.write("[default]\ns3 =\n  signature_version = s3v4\n" if version == 4 else "")
        before = dict(self.environment)
        try:
            self.environment["AWS_CONFIG_FILE"] = settings
            return self.s3("presign", f"s3://{bucket}/{key}").strip()
        finally:
            self.environment = before

    def sync_up(self, folder, bucket, prefix):
        return self.s3("sync", folder, f"s3://{bucket}/{prefix}")

    def sync_down(self, bucket, prefix, folder):
        return self.s3("sync", f"s3://{bucket}/{prefix}", folder)


class S5cmd(CommandLine):
    name = "s5cmd"
    # Of a space in the name of what is copied it makes "+", which MinIO takes for itself.
    lacks = frozenset({"range", "checksum", "presign V2", "copy of spaces"})
    code_pattern = r"(\w+): [^\n]*\n?\s*status code: \d+"

    def s5cmd(self, *arguments):
        return self.run("--endpoint-url", self.endpoint, "--json", *arguments)

    def upload(self, bucket, key, path, part_size=None, metadata=None):
        options = ["--part-size", str(part_size // MIB)] if part_size else []
        for name, value in (metadata or {}).items():
            options += ["--metadata", f"{name}={value}"]
        self.s5cmd("cp", *options, path, f"s3://{bucket}/{key}")

    def download(self, bucket, key, path):
        """In parts of 5 MiB, which is how it reads the large objects that it is chosen for."""
        self.s5cmd("cp", "--part-size", "5", f"s3://{bucket}/{key}", path)

    def list(self, bucket, prefix):
        found = map(json.loads, self.s5cmd("ls", f"s3://{bucket}/{prefix}*").splitlines())
        return [item["key"].partition(f"s3://{bucket}/")[2] for item in found]

    def copy(self, bucket, key, to):
        self.s5cmd("cp", f"s3://{bucket}/{key}", f"s3://{bucket}/{to}")

    def delete(self, bucket, keys):
        self.s5cmd("rm", *(f"s3://{bucket}/{key}" for key in keys))

    def make_bucket(self, bucket):
        self.s5cmd("mb", f"s3://{bucket}")

    def remove_bucket(self, bucket):
        self.s5cmd("rb", f"s3://{bucket}")

    def presign(self, bucket, key, version=None):
        return self.run("--endpoint-url", self.endpoint, "presign", f"s3://{bucket}/{key}").strip()

    def sync_up(self, folder, bucket, prefix):
        return self.s5cmd("sync", f"{folder}/", f"s3://{bucket}/{prefix}/")

    def sync_down(self, bucket, prefix, folder):
        return self.s5cmd("sync", f"s3://{bucket}/{prefix}/*", f"{folder}/")


class Rclone(CommandLine):
    name = "rclone"
    lacks = frozenset({"checksum", "presign V2"})
    code_pattern = r"api error (\w+)|(directory not found)"
    own_words = {"NoSuchKey": "exit code 9", "NoSuchBucket": "directory not found"}

    def connect(self, endpoint, access_key, secret_key):
        settings = {"TYPE": "s3", "PROVIDER": "Minio", "ENDPOINT": endpoint, "REGION": "us-east-1",
                    "ACCESS_KEY_ID": access_key, "SECRET_ACCESS_KEY": secret_key}
        self.environment |= {f"RCLONE_CONFIG_FB_{name}": value for name, value in settings.items()}

    def rclone(self, *arguments, text=True):
        return self.run("--config", os.devnull, "--retries", "1", "--low-level-retries", "1",
                        "--stats", "0", *arguments, text=text)

    def upload(self, bucket, key, path, part_size=None, metadata=None):
        size = f"{(part_size or 200 * MIB) // MIB}Mi"
        options = ["--s3-upload-cutoff", size, "--s3-chunk-size", "5Mi"]
        for name, value in (metadata or {}).items():
            options += ["--metadata", "--metadata-set", f"{name}={value}"]
        self.rclone("copyto", *options, path, f"fb:{bucket}/{key}")

    def download(self, bucket, key, path):
        self.rclone("copyto", "--ignore-times", "--error-on-no-transfer",
                    "--multi-thread-cutoff", "8Mi", "--multi-thread-streams", "2",
                    "--multi-thread-chunk-size", "5Mi", f"fb:{bucket}/{key}",
                    path)

    def download_range(self, bucket, key, path, first, last):
        data = self.rclone("cat", "--offset", str(first), "--count", str(last - first + 1),
                           f"fb:{bucket}/{key}", text=False)
        pathlib.Path(path).write_bytes(data)

    def list(self, bucket, prefix):
        """Of a folder, and below it."""
        names = self.rclone("lsf", "--recursive", "--files-only", f"fb:{bucket}/{prefix}")
        return [prefix + name for name in names.splitlines()]

    def copy(self, bucket, key, to):
        self.rclone("copyto", f"fb:{bucket}/{key}", f"fb:{bucket}/{to}")

    def delete(self, bucket, keys):
        for key in keys:
            self.rclone("deletefile", f"fb:{bucket}/{key}")

    def make_bucket(self, bucket):
        self.rclone("mkdir", f"fb:{bucket}")

    def remove_bucket(self, bucket):
        self.rclone("rmdir", f"fb:{bucket}")

    def presign(self, bucket, key, version=None):
        return self.rclone("link", "--expire", "10m", f"fb:{bucket}/{key}").strip()

    def sync_up(self, folder, bucket, prefix):
        return self.rclone("sync", folder, f"fb:{bucket}/{prefix}")

    def sync_down(self, bucket, prefix, folder):
        return self.rclone("sync", f"fb:{bucket}/{prefix}", folder)


CLIENTS = {each.name: each for each in (
    Boto3, Boto3Crt, Boto3Debian, AwsCli, S5cmd, PyArrow, Obstore, S3fs, Rclone, MinioGo, AwsSdkGo,
    AwsSdkJs)}
