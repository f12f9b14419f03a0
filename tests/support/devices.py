"""Block devices that hang on demand, as real ones do: loop devices whose I/O a control group
throttles to one byte a second. The operations that it holds back end when the throttle is lifted.
Needs root."""
import contextlib
import os
import pathlib
import subprocess
import uuid

from node import MIB

CGROUPS = pathlib.Path("/sys/fs/cgroup")


class LoopDevices:
    """`count` of them, each of `size` bytes, and the control group that a node is launched in."""

    def __init__(self, folder, count=2, size=512 * MIB):
        self.paths = []
        self.is_v1 = (CGROUPS / "blkio").is_dir()
        parent = CGROUPS / "blkio" if self.is_v1 else CGROUPS
        if not self.is_v1:
            (parent / "cgroup.subtree_control").write_text("+io")
        self.group = parent / f"forebay-{uuid.uuid4().hex[:8]}"
        self.group.mkdir()
        for number in range(count):
            image = pathlib.Path(folder) / f"device{number}.img"
            image.touch()
            os.truncate(image, size)
            done = subprocess.run(["losetup", "--find", "--show", image], text=True, check=True,
                                  stdout=subprocess.PIPE)
            self.paths.append(done.stdout.strip())

    @property
    def launcher(self):
        """For Node.launcher: what it starts is throttled."""
        return ["sh", "-c", f'echo $$ > {self.group}/cgroup.procs && exec "$@"', "sh"]

    def _limit(self, path, bytes_per_second):
        """None: no limit."""
        number = os.stat(path).st_rdev
        device = f"{os.major(number)}:{os.minor(number)}"
        if self.is_v1:
            for direction in ("read", "write"):
                (self.group / f"blkio.throttle.{direction}_bps_device").write_text(
                    f"{device} {bytes_per_second or 0}")
        else:
            limit = bytes_per_second or "max"
            (self.group / "io.max").write_text(f"{device} rbps={limit} wbps={limit}")

    @contextlib.contextmanager
    def hanging(self, number):
        self._limit(self.paths[number], 1)
        try:
            yield
        finally:
            self._limit(self.paths[number], None)

    def close(self):
        """When the node has ended."""
        for path in self.paths:
            self._limit(path, None)
            subprocess.run(["losetup", "--detach", path], check=False)
        self.group.rmdir()
