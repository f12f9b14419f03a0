"""The daemon's command line beside `serve`."""
import subprocess

from node import binary, clean_environment


def forebay(node, *arguments, timeout=30, environment=None):
    """Runs the daemon's program with this node's configuration; the finished process."""
    if arguments[0] == "purge":
        arguments = [*arguments, "--admin", node.admin.removeprefix("http://")]
    environment = {**clean_environment(), **(environment or {})}
    return subprocess.run([binary(), *arguments], text=True, capture_output=True, timeout=timeout,
                          cwd=node.folder, env=environment)
