"""A standard error that nobody reads."""
import contextlib
import fcntl
import os
import re
import select
import time


class StalledPipe:
    """A pipe that is full, and whose reader may come back."""

    def __init__(self):
        self.exit, self.entry = os.pipe()
        fcntl.fcntl(self.entry, fcntl.F_SETFL, os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.write(self.entry, b"-" * 4096):
                pass
        # The node's own end blocks, as a log driver's does.
        fcntl.fcntl(self.entry, fcntl.F_SETFL, 0)
        self.text = ""

    def read_until(self, wanted, seconds=20):
        """Reads on until the pattern `wanted` has come."""
        deadline = time.monotonic() + seconds
        while not re.search(wanted, self.text):
            left = deadline - time.monotonic()
            assert left > 0, f"waited in vain for {wanted}: {self.text[-2000:]}"
            if select.select([self.exit], [], [], left)[0]:
                self.text += os.read(self.exit, 1 << 16).decode(errors="replace")
        return self.text

    def leave(self):
        """Closes the reader's end."""
        os.close(self.exit)
        self.exit = os.open(os.devnull, os.O_RDONLY)

    def close(self):
        for end in (self.exit, self.entry):
            os.close(end)
