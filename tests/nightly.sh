#!/bin/bash
# What is too long for every change: ThreadSanitizer, clang-tidy, ten minutes of each fuzz target,
# the long end-to-end tests (ten minutes of all classes of load at once among them), and all
# end-to-end tests on a daemon with AddressSanitizer. The last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/install-deps.sh build test
venv=$(tests/support/venv.sh)
reports=$PWD/build/reports-nightly
rm -rf "$reports"
mkdir -p "$reports"

for preset in dev asan tsan; do
  cmake --preset $preset > /dev/null
  cmake --build --preset $preset -j "$(nproc)"
done

tests/support/tools.sh --all > "$reports/tools.log" || true

echo "== clang-tidy"
tidy=0
git ls-files -z 'src/*.cpp' |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build/dev --quiet 2> /dev/null || tidy=1

echo "== unit tests, tsan"
ctest --preset tsan -j "$(nproc)" --output-junit "$reports/unit-tsan.xml" || true

for preset in dev asan; do
  echo "== end to end with the long ones, $preset"
  FOREBAY_BIN=$PWD/build/$preset/forebay "$venv/bin/pytest" -q tests/e2e --nightly --no-skips \
    --junitxml "$reports/e2e-$preset.xml" --basetemp "$reports/e2e" || true
done

echo "== fuzz targets"
tests/fuzz.sh 600 || true
cp build/fuzz/reports/*.xml "$reports"

[ $tidy = 0 ] || echo "clang-tidy has something to say, see above"
tests/support/totals.py "$reports"/*.xml && [ $tidy = 0 ]
