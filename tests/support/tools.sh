#!/bin/bash
# Installs programs that the end-to-end tests run, as tests/clients/versions pins them, unless they
# are there already, and prints the path of each.
#
#   tools.sh NAME...
#
# FOREBAY_CACHE: the folder that keeps them, .cache unless told. Nothing is written elsewhere.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${FOREBAY_CACHE:-$root/.cache}/tools

die() { echo "tools.sh: $*" >&2; exit 1; }

pins() { awk -v name="$1" '$1 == name' "$root/tests/clients/versions"; }

program_in() {  # FOLDER PATTERN
  compgen -G "$1/$2" || die "$1 has no $2"
}

go_command() {  # ARGUMENTS...
  local go
  go=$("$0" go)
  env -u GOROOT GOPATH="$cache/gopath" GOCACHE="$cache/gobuild" GOTOOLCHAIN=local \
    CGO_ENABLED=0 GOFLAGS='-trimpath -modcacherw' "$go" "$@" >&2
}

install_pip() {  # FOLDER
  local pip
  pip=$("$root/tests/support/venv.sh")/bin/pip
  /usr/bin/python3 -m venv --without-pip "$1" >&2
  awk '{print $3 "==" $4}' > "$1/requirements"
  "$pip" --python "$1/bin/python" install --quiet --disable-pip-version-check --no-deps \
    -r "$1/requirements" >&2
  "$pip" --python "$1/bin/python" check > /dev/null
}

install_go() {  # FOLDER
  local package version
  read -r _ _ package version _
  GOBIN=$1 go_command install -ldflags='-s -w' "$package@$version"
}

install() {  # NAME; prints its program
  local name=$1 lines kind pattern folder
  lines=$(pins "$name")
  [ -n "$lines" ] || die "tests/clients/versions has no '$name'"
  read -r _ kind _ _ pattern <<< "$lines"
  folder=$cache/$name-$(sha256sum <<< "$lines" | cut -c 1-12)
  if [ ! -e "$folder/installed" ]; then
    mkdir -p "$cache"
    exec 9> "$cache/$name.lock"
    flock 9
    if [ ! -e "$folder/installed" ]; then
      rm -rf "$folder"
      mkdir "$folder"
      "install_$kind" "$folder" <<< "$lines"
      touch "$folder/installed"
    fi
    exec 9>&-
  fi
  program_in "$folder" "$pattern"
}

[ $# -gt 0 ] || die "usage: tools.sh NAME..."
for name in "$@"; do
  install "$name"
done
