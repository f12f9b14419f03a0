#!/bin/bash
# Builds and tests everything, from nothing but Debian 12. The last line is `N passed, N failed`;
# the exit code is 0 only when all passed and none was skipped.
#
#   tests/run.sh [--fast] [pytest arguments...]
#
# --fast leaves out the sanitizers and the fuzzing and runs a core of the end-to-end tests: for the
# working day.
set -euo pipefail
cd "$(dirname "$0")/.."

fast=false
if [ "${1:-}" = --fast ]; then
  fast=true
  shift
fi

deploy/install-deps.sh build test
venv=$(tests/support/venv.sh)
reports=$PWD/build/reports
rm -rf "$reports"
mkdir -p "$reports"
expected=()

# A sanitized translation unit takes up to 1.5 GB: no more at once than fit.
jobs=$(nproc)
memory_jobs=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
[ "$memory_jobs" -ge "$jobs" ] || jobs=$((memory_jobs > 0 ? memory_jobs : 1))

build() {  # PRESET [CMAKE ARGUMENTS...]
  echo "== build $1"
  local log=$reports/configure-$1.log
  cmake --preset "$@" > "$log" || { cat "$log"; return 1; }
  cmake --build --preset "$1" -j "$jobs"
}

unit_tests() {  # PRESET
  echo "== unit tests, $1"
  expected+=("$reports/unit-$1.xml")
  ctest --preset "$1" -j "$jobs" --output-junit "$reports/unit-$1.xml" > "$reports/unit-$1.log" ||
    grep -vE '^ *[0-9]+/[0-9]+ Test .* Passed|^ *Start ' "$reports/unit-$1.log" || true
}

end_to_end() {  # PYTEST ARGUMENTS...
  echo "== end to end"
  expected+=("$reports/e2e.xml")
  FOREBAY_BIN=${FOREBAY_BIN:-$PWD/build/dev/forebay} "$venv/bin/pytest" -q --no-skips \
    --junitxml "$reports/e2e.xml" --basetemp "$reports/e2e" "$@" || true
}

fuzz() {  # SECONDS
  echo "== fuzz targets, $1 seconds each"
  local source
  for source in tests/fuzz/*_fuzz.cpp; do
    expected+=("build/fuzz/reports/$(basename "$source" _fuzz.cpp).xml")
  done
  FUZZ_JOBS=$jobs tests/fuzz.sh "$1" || true
}

build dev
unit_tests dev
if $fast; then
  end_to_end tests/e2e/test_scripted_origin.py tests/e2e/test_reads.py tests/e2e/test_writes.py \
    tests/e2e/test_consistency.py "$@"
else
  build asan -DFOREBAY_BUILD_BENCH=OFF
  unit_tests asan
  echo "== programs for the end-to-end tests"
  # What cannot be had is named by the tests that need it.
  tests/support/tools.sh --all > "$reports/tools.log" || true
  fuzz 30
  end_to_end tests/e2e "$@"
  tests/support/compatibility.py "$reports/e2e.xml" > "$reports/compatibility.md" || true
fi
tests/support/totals.py "${expected[@]}"
