#!/bin/bash
# A single-node Ceph RADOS Gateway from Debian's packages, for tests and the demo: one monitor, one
# OSD in memory, one gateway, all on loopback and without authentication between themselves. Several
# may run side by side.
#
#   rgw.sh up DIR [PORT]           start in DIR (its old content goes); no PORT or 0: any free one.
#                                  Prints the URL and writes it to DIR/endpoint. Users "alice" and
#                                  "bob" have one key each: AKALICE/SKALICE, AKBOB/SKBOB.
#   rgw.sh down DIR                end what `up` started in DIR, and wait until it is gone
#   rgw.sh add-key DIR USER AK SK  one more key for a user
#   rgw.sh rm-key DIR AK           revoke a key
#   rgw.sh admin DIR ARGS...       radosgw-admin against this gateway
#
# RGW_BYTES: what the OSD may hold in memory, 4 GiB unless told.
set -euo pipefail

die() { echo "rgw.sh: $*" >&2; exit 1; }

free_port() {
  python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

write_config() {  # DIR FSID MON_PORT PORT
  cat > "$1/ceph.conf" <<C
[global]
fsid = $2
mon host = [v1:127.0.0.1:$3]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
osd objectstore = memstore
memstore device bytes = ${RGW_BYTES:-4294967296}
osd memory target = 939524096
log file = $1/log/\$name.log
log to syslog = false
admin socket =
run dir = $1/run
pid file = $1/run/\$name.pid
[mon.a]
mon data = $1/mon
[osd.0]
osd data = $1/osd
osd max object name len = 1024
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$4 tcp_nodelay=1
rgw data = $1/rgw
keyring = $1/rgw/keyring
rgw thread pool size = 256
rgw remote addr param = HTTP_X_FORWARDED_FOR
C
}

# One try, its output in DIR/log/up.log. An OSD that meets its monitor too early ends at once
# ("wrong fsid"); the next try mends it.
start_daemons() {  # DIR PORT
  local dir=$1 port=$2 fsid osd_uuid mon_port
  rm -rf "$dir"/{mon,osd,rgw,run,log,endpoint}
  mkdir -p "$dir"/{mon,osd,rgw,run,log}
  fsid=$(cat /proc/sys/kernel/random/uuid)
  osd_uuid=$(cat /proc/sys/kernel/random/uuid)
  mon_port=$(free_port)
  write_config "$dir" "$fsid" "$mon_port" "$port"
  local conf=(-c "$dir/ceph.conf")
  {
    ceph-authtool --create-keyring "$dir/mon.keyring" --gen-key -n mon. --cap mon 'allow *' &&
    monmaptool --create --clobber --addv a "[v1:127.0.0.1:$mon_port]" --fsid "$fsid" \
      "$dir/monmap" &&
    ceph-mon "${conf[@]}" --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/mon.keyring" &&
    ceph-mon "${conf[@]}" -i a &&
    ceph "${conf[@]}" osd create "$osd_uuid" &&
    ceph "${conf[@]}" osd crush add osd.0 1.0 root=default host=h &&
    wait_for_map "$dir" "$osd_uuid" &&
    ceph-osd "${conf[@]}" -i 0 --mkfs --mkkey --osd-uuid "$osd_uuid" &&
    ceph-osd "${conf[@]}" -i 0 &&
    wait_for_osd "$dir" &&
    radosgw "${conf[@]}" -n client.rgw.a
  } > "$dir/log/up.log" 2>&1 || return 1
  for _ in $(seq 1 240); do
    curl -s -o "$dir/log/first.answer" "http://127.0.0.1:$port/" || { sleep 0.25; continue; }
    grep -q ListAllMyBuckets "$dir/log/first.answer"
    return
  done
  return 1
}

wait_for_map() {  # DIR OSD_UUID
  for _ in $(seq 1 120); do
    ceph -c "$1/ceph.conf" osd dump 2>/dev/null | grep -q "$2" && return 0
    sleep 0.25
  done
  return 1
}

wait_for_osd() {
  for _ in $(seq 1 120); do
    ceph -c "$1/ceph.conf" osd stat 2>/dev/null | grep -q "1 up" && return 0
    [ -e "$1/run/osd.0.pid" ] || return 1
    sleep 0.25
  done
  return 1
}

up() {
  local dir=$1 port=${2:-0} try user
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  down "$dir"
  [ "$port" != 0 ] || port=$(free_port)
  for try in 1 2 3 4 5 6 7 8; do
    start_daemons "$dir" "$port" && break
    down "$dir"
    [ "$try" != 8 ] || die "no start, see $dir/log: $(tail -n 1 "$dir/log/up.log")"
  done
  for user in alice bob; do
    admin "$dir" user create "--uid=$user" "--display-name=$user" \
      "--access-key=AK${user^^}" "--secret-key=SK${user^^}" --max-buckets=0 > /dev/null
  done
  echo "http://127.0.0.1:$port" | tee "$dir/endpoint"
}

# Ends the daemons whose pid files are in DIR, if they are still the ones started for it.
down() {
  local dir=$1 file pid pids=()
  [ -d "$dir" ] || return 0
  dir=$(cd "$dir" && pwd)
  for file in "$dir"/run/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    if ps -o args= -p "$pid" | grep -qF -- "$dir/ceph.conf"; then
      pids+=("$pid")
    fi
  done
  [ ${#pids[@]} -gt 0 ] || return 0
  kill "${pids[@]}" 2>/dev/null || true
  for pid in "${pids[@]}"; do
    for _ in $(seq 1 100); do
      kill -0 "$pid" 2>/dev/null || continue 2
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
}

admin() {
  local dir=$1
  shift
  radosgw-admin -c "$dir/ceph.conf" "$@" 2>> "$dir/log/admin.log"
}

command=${1:-}
dir=${2:-}
[ -n "$dir" ] || die "usage: rgw.sh up|down|add-key|rm-key|admin DIR ..."
shift 2
case $command in
  up) up "$dir" "$@" ;;
  down) down "$dir" ;;
  add-key) admin "$dir" key create --uid "$1" --access-key "$2" --secret "$3" >/dev/null ;;
  rm-key) admin "$dir" key rm "--access-key=$1" --key-type=s3 > /dev/null ;;
  admin) admin "$dir" "$@" ;;
  *) die "no command '$command'" ;;
esac
