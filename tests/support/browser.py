"""Chromium without a window, and pages of several origins whose steps a test chooses."""
import base64
import contextlib
import dataclasses
import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time

PAGE = pathlib.Path(__file__).with_name("browser_page.html")
# How long a page waits for steps before it asks again.
POLL_SECONDS = 20
# The longest that a browser lives, even if the tests that started it are killed.
LIFE_SECONDS = 300
# It resolves nothing but this machine, whatever it would like to look up.
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-breakpad", "--disable-dev-shm-usage", "--no-proxy-server",
           "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *localhost"]


def program():
    """The path of Chromium, or None."""
    return shutil.which("chromium")


@dataclasses.dataclass
class Outcome:
    """What a page may see of one step: an answer, where a form led, or the name of an error."""
    error: str = None
    type: str = None
    status: int = None
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    landed: str = None

    @classmethod
    def of(cls, reported):
        reported = dict(reported, body=base64.b64decode(reported.get("body", "")))
        return cls(**reported)

    def header(self, name):
        return dict(self.headers).get(name.lower())

    def __repr__(self):
        body = self.body[:200] + (b"..." if len(self.body) > 200 else b"")
        return (f"<{self.error or self.landed or self.status} {self.type} {self.headers} "
                f"{body!r}>")


def fetch(url, method="GET", headers=(), body=None, fields=None, mode="cors", submit=False):
    """One step: a call of fetch(), or with `submit` a form that the browser sends itself. `fields`
    are those of a form; its file holds `body`."""
    step = {"url": url, "method": method, "headers": dict(headers), "mode": mode, "submit": submit}
    if body is not None:
        step["body"] = base64.b64encode(body).decode()
    if fields is not None:
        step["fields"] = list(fields.items())
    return step


class Page(http.server.ThreadingHTTPServer):
    """The server of one page, which is an origin of its own by its port."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _PageHandler)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.steps, self.outcomes = queue.Queue(), queue.Queue()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    def take(self, steps, timeout=30):
        """Has the page take the named steps in order; returns their outcomes by name."""
        self.steps.put(list(steps.values()))
        try:
            reported = self.outcomes.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"the page reported nothing within {timeout} s") from None
        return {name: Outcome.of(each) for name, each in zip(steps, reported, strict=True)}

    def handle_error(self, request, client_address):
        """A browser that ends leaves requests behind; everything else is a fault of this file."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close(self):
        self.shutdown()
        self.server_close()
        self._thread.join()


class _PageHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/steps":
            self._give_steps()
        else:  # The page itself, and where its forms lead.
            self._answer(200, "text/html", PAGE.read_bytes() if "landed" not in self.path else b"")

    def do_POST(self):
        self.server.outcomes.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(200, "text/plain", b"")

    def _give_steps(self):
        try:
            steps = self.server.steps.get(timeout=POLL_SECONDS)
        except queue.Empty:
            self._answer(204, "text/plain", b"")
        else:
            self._answer(200, "application/json", json.dumps(steps).encode())

    def _answer(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def browser(folder, count):
    """Runs Chromium with its profile in `folder`, and gives `count` pages of different origins."""
    pages = [Page() for _ in range(count)]
    beside = "&".join(f"beside={page.origin}" for page in pages[1:])
    folder = pathlib.Path(folder)
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("XDG_", "DBUS_", "DISPLAY", "WAYLAND_"))}
    with (folder / "chromium.log").open("ab") as log:
        # A session of its own, whose processes end together.
        process = subprocess.Popen(
            ["timeout", "--kill-after=5", str(LIFE_SECONDS), program(), *OPTIONS,
             f"--user-data-dir={folder / 'profile'}", f"{pages[0].origin}/?{beside}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
            env=environment | {"HOME": str(folder)}, start_new_session=True)
    try:
        yield pages
    finally:
        end_group(process)
        for page in pages:
            page.close()
        shutil.rmtree(folder / "profile", ignore_errors=True)


def end_group(process, patience=3):
    """Ends a process that leads a group, and all the others in it."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, ending)
            while time.monotonic() < deadline:
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.02)
            continue
        return
    raise AssertionError(f"process group {process.pid} outlived SIGKILL by {patience} s")
