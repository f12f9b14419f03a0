"""A MinIO server as an origin: one drive, a free port, two users who may do everything."""
import io
import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request
import zipfile

from node import boto, free_port, wait_until
from s3_client import S3Client

TOOLS = pathlib.Path(__file__).with_name("tools.sh")
# MinIO takes no secret of fewer than eight characters, so these are not the gateway's keys.
ALICE = ("AKMINIOALICE", "SKMINIOALICE", None)
BOB = ("AKMINIOBOB", "SKMINIOBOB", None)
ROOT = ("AKMINIOROOT", "SKMINIOROOT", None)


class Minio:
    """Has the shape of conftest.Rgw: endpoint, alice, bob, client(), boto()."""

    name = "MinIO"
    alice = ALICE
    bob = BOB

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.process = None
        self.endpoint = ""

    def start(self):
        program = subprocess.run([TOOLS, "minio"], text=True, stdout=subprocess.PIPE, check=True)
        address = f"127.0.0.1:{free_port()}"
        self.endpoint = f"http://{address}"
        drive = self.folder / "drive"
        drive.mkdir(parents=True)
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("MINIO_")}
        environment |= {"MINIO_ROOT_USER": ROOT[0], "MINIO_ROOT_PASSWORD": ROOT[1],
                        "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"}
        with (self.folder / "minio.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program.stdout.strip(), "server", drive, "--address", address, "--certs-dir",
                 self.folder / "certs"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env=environment)
        wait_until(self._is_ready, 60, "MinIO to be ready")
        self._make_users()

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "minio.log").read_text())
        try:
            with urllib.request.urlopen(self.endpoint + "/minio/health/ready", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _make_users(self):
        """By import, the one call of the administration interface that is not encrypted."""
        users = {access_key: {"secretKey": secret_key, "status": "enabled"}
                 for access_key, secret_key, _ in (ALICE, BOB)}
        policies = {access_key: {"version": 1, "policy": "readwrite"} for access_key in users}
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as assets:
            assets.writestr("iam-assets/users.json", json.dumps(users))
            assets.writestr("iam-assets/user_mappings.json", json.dumps(policies))

        def imported():
            # MinIO says ready before it takes users, and takes those before it knows policies.
            reply = self.client(ROOT).put("/minio/admin/v3/import-iam", archive.getvalue())
            assert reply.status in (200, 503), reply
            return all(self.client(key).get("/").status == 200 for key in (ALICE, BOB))
        wait_until(imported, 60, "MinIO to take its users")

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder / "drive", ignore_errors=True)

    def client(self, key=ALICE, **options):
        return S3Client(self.endpoint, key, **options)

    def boto(self, key=ALICE, **options):
        return boto(self.endpoint, key, **options)
