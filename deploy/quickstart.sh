#!/bin/bash
# Forebay in one command, on a fresh Debian 12.
#
#   deploy/quickstart.sh        build, start an origin and a node in front of it, show what it does
#   deploy/quickstart.sh stop   end all that it started, and remove what they stored
#
# Without anything set, the origin is a Ceph RADOS Gateway of its own on loopback, behind a shaped
# link. To use an origin of yours: FOREBAY_ORIGIN=https://... FOREBAY_BUCKET=existing-bucket and the
# usual AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_DEFAULT_REGION. The demo's
# objects there are removed again.
#
# FOREBAY_QUICKSTART_PORT: where the node listens, 9000 unless told; the next port is the admin's.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
state=$root/.cache/quickstart
rtt_ms=20
mb_per_s=100

say() { printf '%s\n' "$*"; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

is_ours() {  # PID_FILE: whether the process it names still runs, and was started for this folder
  [ -e "$1" ] && ps -o args= -p "$(cat "$1")" 2>/dev/null | grep -qF -- "$state"
}

end_process() {  # NAME
  local file=$state/$1.pid pid
  if is_ours "$file"; then
    pid=$(cat "$file")
    kill "$pid"
    for _ in $(seq 1 350); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  fi
  rm -f "$file"
}

start_process() {  # NAME COMMAND...
  local name=$1
  shift
  setsid nohup "$@" > "$state/$name.log" 2>&1 < /dev/null &
  echo $! > "$state/$name.pid"
}

is_open() { (: < "/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  /usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

stop() {
  end_process node
  end_process link
  [ ! -d "$state/rgw" ] || "$root/tests/support/rgw.sh" down "$state/rgw"
  rm -rf "$state"
}

build() {
  local began=$SECONDS
  cmake -S "$root" --preset release > "$state/build.log" || { tail "$state/build.log"; return 1; }
  cmake --build "$root/build/release" --target forebay >> "$state/build.log" ||
    { tail -n 40 "$state/build.log"; die "the build failed, see $state/build.log"; }
  say "   built in $((SECONDS - began)) s"
}

start_embedded_origin() {
  if ! curl -s -o /dev/null "$(cat "$state/rgw/endpoint" 2>/dev/null)"; then
    "$root/tests/support/rgw.sh" up "$state/rgw" > /dev/null
  fi
  if ! is_ours "$state/link.pid"; then
    free_port > "$state/link.port"
    # The folder is an argument only so that `stop` knows the process for its own.
    start_process link "$venv/bin/python" "$root/tests/support/shaped_link.py" \
      "$(cat "$state/link.port")" 127.0.0.1 "$(sed 's/.*://' "$state/rgw/endpoint")" \
      --rtt-ms $rtt_ms --mb-per-s $mb_per_s --label "$state"
  fi
  origin=http://127.0.0.1:$(cat "$state/link.port")
  direct=$(cat "$state/rgw/endpoint")
  bucket=forebay-quickstart
  export AWS_ACCESS_KEY_ID=AKALICE AWS_SECRET_ACCESS_KEY=SKALICE
  unset AWS_SESSION_TOKEN
  revoked_key=AKREVOKE$RANDOM$RANDOM
  "$root/tests/support/rgw.sh" add-key "$state/rgw" alice "$revoked_key" "SK$revoked_key"
}

use_own_origin() {
  [ -n "${FOREBAY_BUCKET:-}" ] || die "FOREBAY_ORIGIN is set, FOREBAY_BUCKET is not"
  [ -n "${AWS_ACCESS_KEY_ID:-}" ] && [ -n "${AWS_SECRET_ACCESS_KEY:-}" ] ||
    die "FOREBAY_ORIGIN needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
  origin=$FOREBAY_ORIGIN
  direct=$FOREBAY_ORIGIN
  bucket=$FOREBAY_BUCKET
  revoked_key=
}

quote() { printf "'%s'" "${1//\'/\'\'}"; }  # as a YAML text

write_files() {
  umask 077
  {
    echo "credentials:"
    echo "  - access_key: $(quote "$AWS_ACCESS_KEY_ID")"
    echo "    secret_key: $(quote "$AWS_SECRET_ACCESS_KEY")"
    [ -z "${AWS_SESSION_TOKEN:-}" ] ||
      echo "    origin_session_token: $(quote "$AWS_SESSION_TOKEN")"
    [ -z "$revoked_key" ] ||
      echo "  - { access_key: $revoked_key, secret_key: SK$revoked_key }"
  } > "$state/credentials.yaml"
  cat > "$state/forebay.yaml" <<C
listen: { s3: 127.0.0.1:$port, admin: 127.0.0.1:$((port + 1)) }
origin: { endpoint: $(quote "$origin"), region: $(quote "$region") }
auth: { mode: verify, credentials_file: $(quote "$state/credentials.yaml") }
cache: { devices: [ { path: $(quote "$state/slab0"), size: 2GiB } ] }
# Small on purpose: most of what is read again must come from the disk.
memory: { pool_size: 64MiB }
C
}

start_node() {
  port=${FOREBAY_QUICKSTART_PORT:-9000}
  end_process node
  for used in "$port" "$((port + 1))"; do
    ! is_open "$used" || die "port $used is in use: set FOREBAY_QUICKSTART_PORT to another"
  done
  write_files
  # The script's own settings are none of the node's.
  start_process node env -u FOREBAY_ORIGIN -u FOREBAY_BUCKET -u FOREBAY_QUICKSTART_PORT \
    "$root/build/release/forebay" serve --config "$state/forebay.yaml"
  for _ in $(seq 1 300); do
    curl -sf -o /dev/null "http://127.0.0.1:$((port + 1))/readyz" && return
    is_ours "$state/node.pid" || break
    sleep 0.1
  done
  tail -n 20 "$state/node.log" >&2
  die "the node did not start"
}

start() {
  mkdir -p "$state"
  say "Forebay quickstart"
  say "1. Debian packages, where missing (compilers, libraries, Ceph's object gateway)"
  "$root/deploy/install-deps.sh" build demo
  say "2. Python packages for the demo, in .cache/venv (half a minute the first time)"
  venv=$("$root/tests/support/venv.sh")
  say "3. Build (some ten minutes on two cores the first time, then seconds)"
  build
  region=${AWS_DEFAULT_REGION:-${AWS_REGION:-us-east-1}}
  if [ -n "${FOREBAY_ORIGIN:-}" ]; then
    use_own_origin
    say "4. Origin: $origin, bucket $bucket"
  else
    say "4. Origin: a Ceph RADOS Gateway in memory (15 s the first time), behind a shaped link"
    start_embedded_origin
    say "   SHAPED LINK: $rtt_ms ms round trip, $mb_per_s MB/s, on loopback"
  fi
  say "5. One node in front of it"
  start_node
  say "6. The demo, with boto3"
  demo=(--node "http://127.0.0.1:$port" --admin "http://127.0.0.1:$((port + 1))"
        --origin "$direct" --bucket "$bucket" --region "$region")
  if [ -n "$revoked_key" ]; then
    demo+=(--embedded "$state/rgw" --revoked-key "$revoked_key"
           --link "$rtt_ms ms, $mb_per_s MB/s")
  fi
  "$venv/bin/python" "$root/deploy/quickstart_demo.py" "${demo[@]}"
  say "
The node is still running on http://127.0.0.1:$port. To use it, change one thing, the endpoint:
  export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID} AWS_DEFAULT_REGION=$region  # and its secret
  $venv/bin/aws --endpoint-url http://127.0.0.1:$port s3 ls s3://$bucket/
  curl http://127.0.0.1:$((port + 1))/metrics
Its configuration is $state/forebay.yaml, its log $state/node.log.
To stop it all: deploy/quickstart.sh stop"
  [ -n "${FOREBAY_ORIGIN:-}" ] || say "(the secret of AKALICE is SKALICE)"
}

case ${1:-start} in
  start) start ;;
  stop) stop ;;
  *) die "usage: deploy/quickstart.sh [stop]" ;;
esac
