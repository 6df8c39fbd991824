#!/usr/bin/env bash
# Runs a command on a virtual screen where the system has X11, else on the real one.
# Usage: tools/with_display.sh COMMAND [ARGUMENT...]
set -euo pipefail

if command -v xvfb-run >/dev/null; then
    # Without these Qt might choose Wayland or another platform of the caller's desktop.
    unset WAYLAND_DISPLAY QT_QPA_PLATFORM
    exec xvfb-run -a -s "-screen 0 1600x1200x24" "$@"
fi
if [ "$(uname)" = Linux ]; then
    echo "xvfb-run is missing: install the packages named by tools/system_packages.sh, then run again." >&2
    exit 1
fi
exec "$@"
