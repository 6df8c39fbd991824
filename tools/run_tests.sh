#!/usr/bin/env bash
# Runs the tests in four processes at once, which halves the time on two cores; with arguments, just pytest.
# Usage: tools/run_tests.sh PYTHON [PYTEST ARGUMENT...]
set -euo pipefail

python=$1
shift
display=$(dirname "$0")/with_display.sh
if [ $# -gt 0 ]; then
    exec "$display" "$python" -m pytest "$@"
fi

# Threads that wait for others give their core away: there are more of them than cores.
export OMP_WAIT_POLICY=passive
outputs=$(mktemp -d)
names=()
pids=()

# What a part that was not waited for has printed is shown too, so that a run that is cut off tells where it was.
finish() {
    kill "${pids[@]}" 2>/dev/null || true
    cat "$outputs"/* 2>/dev/null || true
    rm -rf "$outputs"
}
trap finish EXIT
trap 'exit 1' INT TERM

# Starts a part: its name, how much it gives way to others, what to test. Each has a screen of its own, so that no
# window takes the keyboard from another part's.
start() {
    local name=$1 nice=$2
    shift 2
    nice -n "$nice" "$display" "$python" -m pytest --durations=15 -o cache_dir=".pytest_cache/$name" "$@" \
        >"$outputs/$name" 2>&1 &
    names+=("$name")
    pids+=("$!")
}

# Of two files of about the same size one goes to either half.
first=() second=()
while read -r file; do
    if [ ${#first[@]} -le ${#second[@]} ]; then first+=("$file"); else second+=("$file"); fi
done < <(ls -S tests/gui/test_*.py)
# Windows come first, since a test that plays the user waits for them.
start windows-1 0 "${first[@]}"
start windows-2 0 "${second[@]}"
start units 10 tests/unit
start others 10 tests/contracts tests/e2e

failed=0
for index in "${!pids[@]}"; do
    wait "${pids[index]}" || failed=1
    cat "$outputs/${names[index]}"
    rm "$outputs/${names[index]}"
done
exit "$failed"
