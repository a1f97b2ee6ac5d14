#!/usr/bin/env bash
# Plants each flaw of it/src/test/flaws in a copy of the sources, and runs what should catch it.
# A flaw counts as caught when a test fails: not when it does not apply or compile.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
# With --check it only sees whether each flaw still applies.
if [[ ${1:-} == --check ]]; then
  for flaw in it/src/test/flaws/*.patch; do
    git apply --check "$flaw" || {
      echo "$flaw does not apply any more: make it anew." >&2
      exit 1
    }
  done
  exit 0
fi
# shellcheck source=.ci/jdk25.sh
source .ci/jdk25.sh
find_jdk25

# Of whole clusters, and of logs, until one breaks something.
readonly SCHEDULES=10000 LOGS=16000

home=$PWD
copy=$home/target/flaws
log=$copy.log
flaws=()
for name in "${@:-}"; do
  found=("$home"/it/src/test/flaws/*"$name"*.patch)
  [[ -e ${found[0]} ]] || {
    echo "No flaw's name has '$name' in it: see it/src/test/flaws." >&2
    exit 2
  }
  flaws+=("${found[@]}")
done

# The copy keeps what is compiled, so that only what a flaw touches is compiled again.
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar --null --files-from - --create |
  tar --extract --directory "$copy"
cd "$copy"
git init --quiet

# Runs one module's test with what the module needs; says how many tests failed.
failures() { # module test
  local goal=package options=(-DskipUnitTests=false "-Dtest=$2")
  if [[ $1 == it ]]; then
    goal=verify options=(-DskipUnitTests=true "-Dit.test=$2" -Dfailsafe.failIfNoSpecifiedTests=false)
  fi
  rm -rf {,agent/}*/target/{surefire,failsafe}-reports
  mvn -B -q -Dquick -DskipTests=false -pl "$1" -am "$goal" "${options[@]}" \
    -Dsurefire.failIfNoSpecifiedTests=false -Dquarry.clusterSchedules="$SCHEDULES" -Dquarry.schedules="$LOGS" >"$log" 2>&1 || true
  cat {,agent/}*/target/{surefire,failsafe}-reports/TEST-*.xml 2>/dev/null |
    grep -cE '<(failure|error)[ >]' || true
}

caught=0 planted=0
for flaw in "${flaws[@]}"; do
  planted=$((planted + 1))
  name=$(basename "$flaw" .patch)
  read -r module tests <<<"$(sed -n 's/^Caught by: //p' "$flaw")"
  began=$SECONDS
  if ! git apply "$flaw"; then
    echo "$name: does not apply any more"
    continue
  fi
  found=$(failures "$module" "$tests")
  git apply --reverse "$flaw"
  if ((found > 0)); then
    caught=$((caught + 1))
    seed=$(grep -oE 'seed [0-9]+' "$log" | head -n 1 || true)
    echo "$name: caught by $tests${seed:+, $seed}, in $((SECONDS - began)) s"
  else
    echo "$name: NOT caught by $tests; the last lines of its run:"
    tail -n 5 "$log"
  fi
done
echo "caught: $caught of $planted"
((caught == planted && planted > 0))
