#!/bin/bash
# Makes .cache/venv, with the Python packages of tests/e2e/requirements.txt, unless it is there
# already, and prints its path. The demo and the end-to-end tests run in it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.cache/venv
requirements=$root/tests/e2e/requirements.txt
stamp=$venv/requirements.installed

if ! cmp -s "$requirements" "$stamp"; then
  mkdir -p "$root/.cache"
  exec 9> "$root/.cache/venv.lock"
  flock 9
  if ! cmp -s "$requirements" "$stamp"; then
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$requirements" >&2
    "$venv/bin/pip" check > /dev/null
    cp "$requirements" "$stamp"
  fi
fi
echo "$venv"
