#!/usr/bin/env bash
# Runs the tests in five processes at once, which halves the time on two cores; with arguments, just pytest.
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
# Tests start many processes, which would all compile the same files.
unset PYTHONDONTWRITEBYTECODE
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

# Prints every other file of those named, the largest first, from the first or the second on.
half() {
    local from=$1
    shift
    ls -S "$@" | awk -v from="$from" 'NR % 2 == from % 2'
}

units=$(find tests/unit -name 'test_*.py')
# Windows come first, since a test that plays the user waits for them.
start windows-1 0 $(half 1 tests/gui/test_*.py)
start windows-2 0 $(half 2 tests/gui/test_*.py)
start units-1 5 $(half 1 $units)
start units-2 5 $(half 2 $units)
start others 5 tests/contracts tests/e2e

failed=0
for index in "${!pids[@]}"; do
    wait "${pids[index]}" || failed=1
    cat "$outputs/${names[index]}"
    rm "$outputs/${names[index]}"
done
exit "$failed"
