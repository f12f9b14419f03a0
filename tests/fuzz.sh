#!/bin/bash
# Runs every fuzz target of tests/fuzz on its kept seeds and on from there. One line for each, and
# an exit code other than 0 when one has found something; the input that did it is kept.
#
#   tests/fuzz.sh [SECONDS] [TARGET...]      for each target: 30 seconds, all targets
#
# What a run finds goes to build/fuzz/found and is where the next one begins. build/fuzz/reports has
# a JUnit report of each target.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
shift || true
parallel=${FUZZ_JOBS:-2}

cmake --preset fuzz > /dev/null
cmake --build --preset fuzz -j "$parallel"

run_target() {  # PROGRAM SECONDS
  local name found log line
  name=$(basename "$1" _fuzz)
  found=build/fuzz/found/$name
  log=build/fuzz/$name.log
  mkdir -p "$found" build/fuzz/artifacts
  if "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/artifacts/$name-" "$found" "tests/fuzz/corpus/$name" \
      > "$log" 2>&1 && line=$(summary "$name" "$log"); then
    echo "$line"
    report "$name" ''
  else
    echo "$name: FAILED, see $log"
    grep -aE 'ERROR:|SUMMARY:|assertion failed|runtime error|Test unit written' "$log" || true
    report "$name" '<failure/>'
    return 1
  fi
}

summary() {  # NAME LOG; fails where nothing was executed
  awk -v name="$1" '
    function features(i) { for (i = 1; i < NF; i++) if ($i == "ft:") return $(i + 1) }
    /^stat::number_of_executed_units/ { runs = $2 }
    /^#.*INITED/ { first = features() }
    /^#.*DONE/ { last = features() }
    END {
      if (runs == 0) exit 1
      printf "%-20s %10d executions %6d new features\n", name, runs, last - first
    }' "$2"
}

report() {  # NAME WHAT
  printf '<testsuite><testcase classname="fuzz" name="%s">%s</testcase></testsuite>\n' "$1" "$2" \
    > "build/fuzz/reports/$1.xml"
}
export -f run_target summary report

rm -rf build/fuzz/reports
mkdir -p build/fuzz/reports

programs=()
for source in tests/fuzz/*_fuzz.cpp; do
  name=$(basename "$source" _fuzz.cpp)
  if [ $# = 0 ] || [[ " $* " == *" $name "* ]]; then
    programs+=("build/fuzz/tests/fuzz/${name}_fuzz")
  fi
done
[ ${#programs[@]} != 0 ] || { echo "no such target: $*" >&2; exit 2; }
printf '%s\0' "${programs[@]}" |
  xargs -0 -P "$parallel" -I{} bash -c 'run_target "$1" "$2"' _ {} "$seconds"
