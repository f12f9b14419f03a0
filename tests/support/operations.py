"""The daemon's command line beside `serve`."""
import subprocess

from node import binary


def forebay(node, *arguments, timeout=30, **options):
    """Runs the daemon's program with this node's configuration; the finished process."""
    if arguments[0] == "purge":
        arguments = [*arguments, "--admin", node.admin.removeprefix("http://")]
    return subprocess.run([binary(), *arguments], text=True, capture_output=True, timeout=timeout,
                          cwd=node.folder if node else None, **options)
