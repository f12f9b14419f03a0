#!/bin/bash
# Installs the Debian packages that Forebay needs, and only what is missing.
#
#   deploy/install-deps.sh [build] [demo] [test]     everything without an argument
#
# build: compile. demo: the embedded origin of deploy/quickstart.sh. test: suites and checks.
set -euo pipefail

build_packages=(
  clang-19 lld-19 cmake ninja-build pkg-config git ccache
  libboost1.81-dev libboost-json1.81-dev libssl-dev liburing-dev libspdlog-dev libfmt-dev
  libyaml-cpp-dev libcli11-dev libpugixml-dev libisal-dev libxxhash-dev
  libgtest-dev libgmock-dev libbenchmark-dev
)
demo_packages=(
  radosgw ceph-mon ceph-osd python3 python3-venv curl ca-certificates iproute2 procps openssl
)
test_packages=(
  clang-tidy-19 clang-format-19 libclang-rt-19-dev nginx-light libseccomp-dev python3-boto3 chromium
  "${demo_packages[@]}"
)

die() { printf 'install-deps.sh: %s\n' "$*" >&2; exit 1; }

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

chosen=()
for group in "${@:-all}"; do
  case $group in
    build) chosen+=("${build_packages[@]}") ;;
    demo) chosen+=("${demo_packages[@]}") ;;
    test) chosen+=("${test_packages[@]}") ;;
    all) chosen+=("${build_packages[@]}" "${test_packages[@]}") ;;
    *) die "no group '$group': build, demo, test" ;;
  esac
done

command -v dpkg-query > /dev/null || die "this is no Debian; Forebay builds on Debian 12 (bookworm)"
missing=()
for package in "${chosen[@]}"; do
  is_installed "$package" || [[ " ${missing[*]} " == *" $package "* ]] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

. /etc/os-release
[ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ] ||
  die "this is ${PRETTY_NAME:-unknown}, the packages are named for Debian 12 (bookworm).
Install the counterparts of these by hand, then run again: ${missing[*]}"
[ "$(id -u)" = 0 ] ||
  die "packages are missing and only root may install them. Run: sudo deploy/install-deps.sh $*
Missing: ${missing[*]}"
if [[ " ${missing[*]} " == *" libboost1.81-dev "* ]] && is_installed libboost1.74-dev; then
  die "libboost1.74-dev is installed and conflicts with libboost1.81-dev.
Remove it first (apt-get remove libboost1.74-dev removes what builds on it, too)."
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || die "apt-get update failed: is a mirror reachable?"
simulated=$(apt-get install --assume-no --no-install-recommends "${missing[@]}" 2>&1) || true
echo "Installing ${#missing[@]} Debian packages and what they need, one to five minutes:"
printf '%s\n' "${missing[@]}" | fmt -w 96 | sed 's/^/  /'
grep -E '^(Need to get|After this operation)' <<< "$simulated" | sed 's/^/  /' || true

# No daemon is wanted, only programs: Debian starts nginx when it is installed, unless this file
# forbids it, and at every boot after that, unless it is disabled.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod 755 $policy
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null ||
  die "apt-get could not install: ${missing[*]}"
if [[ " ${missing[*]} " == *" nginx-light "* ]] && [ -d /run/systemd/system ]; then
  systemctl disable --quiet nginx
fi
echo "Installed."
