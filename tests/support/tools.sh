#!/bin/bash
# Installs programs that the end-to-end tests run, as tests/clients/versions pins them, unless they
# are there already, and prints the path of each.
#
#   tools.sh NAME...
#   tools.sh --all     every one: five minutes on two cores the first time, nothing after that
#
# FOREBAY_CACHE: the folder that keeps them, with the caches of Go and npm; .cache unless told.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
self=$root/tests/support/tools.sh
cache=${FOREBAY_CACHE:-$root/.cache}/tools

die() { echo "tools.sh: $*" >&2; exit 1; }

pins() { awk -v name="$1" '$1 == name { $1 = $1; print }' "$root/tests/clients/versions"; }

program_in() {  # FOLDER PATTERN
  compgen -G "$1/$2" || die "$1 has no $2"
}

go_command() {  # ARGUMENTS...
  local go
  go=$("$self" go)
  flock -s "$cache/gocaches.lock" \
    env -u GOROOT GOPATH="$cache/gopath" GOCACHE="$cache/gobuild" GOTOOLCHAIN=local \
    CGO_ENABLED=0 GOFLAGS='-trimpath -modcacherw -buildvcs=false' "$go" "$@" >&2
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

install_here() {  # FOLDER
  local name source pins_file node
  read -r name _ source pins_file _
  cd "$root/$source"
  if [ "$pins_file" = go.sum ]; then
    go_command build -ldflags='-s -w' -o "$1/" "./$name"
  else
    node=$("$self" node)
    cp ./* "$1/"
    cd "$1"
    PATH=$(dirname "$node"):$PATH npm_config_cache=$cache/npm "$node" \
      "$(dirname "$node")/../lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit \
      --no-fund >&2
  fi
}

# What decides whether an installed program is the right one: its lines, and the sources of ours.
inputs() {  # LINES
  local kind source
  echo "$1"
  read -r _ kind source _ <<< "$1"
  [ "$kind" != here ] || (cd "$root/$source" && find . -type f -exec sha256sum {} + | sort)
}

install() {  # NAME; prints its program
  local name=$1 lines kind pattern folder
  lines=$(pins "$name")
  [ -n "$lines" ] || die "tests/clients/versions has no '$name'"
  read -r _ kind _ _ pattern <<< "$lines"
  folder=$cache/$name-$(inputs "$lines" | sha256sum | cut -c 1-12)
  if [ ! -e "$folder/installed" ]; then
    mkdir -p "$cache"
    exec 9> "$cache/$name.lock"
    flock 9
    if [ ! -e "$folder/installed" ]; then
      rm -rf "$folder"
      mkdir "$folder"
      ("install_$kind" "$folder" <<< "$lines")
      touch "$folder/installed"
    fi
    exec 9>&-
  fi
  program_in "$folder" "$pattern"
}

[ $# -gt 0 ] || die "usage: tools.sh NAME... | --all"
all=false
if [ "$1" = --all ]; then
  all=true
  mapfile -t names < <(awk '/^[^#]/ { print $1 }' "$root/tests/clients/versions" | uniq)
  set -- "${names[@]}"
fi
if [ $# -gt 1 ]; then
  printf '%s\n' "$@" | xargs -P 2 -n 1 "$self" > /dev/null
fi
for name in "$@"; do
  install "$name"
done
if $all; then
  # Gigabytes that nothing needs any more.
  flock -n "$cache/gocaches.lock" rm -rf "$cache/gopath" "$cache/gobuild" || true
fi
