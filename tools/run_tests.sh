#!/usr/bin/env bash
# Runs the tests that need a window beside all others, which halves the time on two cores; with arguments, just pytest.
# Usage: tools/run_tests.sh PYTHON [PYTEST ARGUMENT...]
set -euo pipefail

python=$1
shift
if [ $# -gt 0 ]; then
    exec "$python" -m pytest "$@"
fi

# Threads that wait for others give their core away: there are more of them than cores. Windows come first, since a test
# that plays the user waits for them.
export OMP_WAIT_POLICY=passive
others=$(mktemp)
trap 'rm -f "$others"; kill "$!" 2>/dev/null || true' EXIT
nice -n 10 "$python" -m pytest -m "not gui" --durations=15 -o cache_dir=.pytest_cache/others >"$others" 2>&1 &
pid=$!
failed=0
"$python" -m pytest -m gui --durations=25 -o cache_dir=.pytest_cache/gui || failed=1
wait "$pid" || failed=1
cat "$others"
exit "$failed"
